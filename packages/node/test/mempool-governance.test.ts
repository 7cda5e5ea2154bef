// Transactions without a sequence at the mempool: who may come early, who waits, who goes.

import assert from 'node:assert/strict'
import {
  checkTransaction,
  createTransaction,
  decodeTransaction,
  genesisDigest,
  parametersOf,
  signNewKey,
} from '@mooring/ledger'
import { fromHex } from '@mooring/codec'
import { test } from 'uvu'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'

const [FIRST = '', SECOND = ''] = NAMES
const LIMITS = { count: 100, bytes: 1 << 20 }

function signing(world: World, organisation: string, duty = 'governance') {
  return {
    genesisDigest: genesisDigest(world.genesis),
    keyPair: keyOf(organisation, duty),
    expiresAt: world.clock.wall() + 300_000,
  }
}

function proposal(world: World, organisation: string, quotaPerMinute = 7): Uint8Array {
  const parameters = parametersOf(world.parts.execution.finalState())
  return createTransaction({
    ...signing(world, organisation),
    kind: 'change.propose',
    body: {
      organisation,
      reason: 'less traffic',
      expiresAt: world.clock.wall() + 3_600_000,
      change: { kind: 'parameters', body: { ...parameters, quotaPerMinute } },
    },
  })
}

function answer(
  world: World,
  organisation: string,
  about: { kind: 'change.approve' | 'change.withdraw'; change: string },
): Uint8Array {
  return createTransaction({
    ...signing(world, organisation),
    kind: about.kind,
    body: { organisation, change: fromHex(about.change) },
  })
}

const taken = (world: World): string[] =>
  world.mempool.take(world.parts.execution.finalState(), LIMITS).map(({ payload }) => payload.kind)

const hasReady = (world: World): boolean =>
  world.mempool.hasReady(world.parts.execution.finalState())

test('what has no sequence is offered to a block, before the lanes, and goes when it is final', async () => {
  await withWorld(async (world) => {
    const bytes = proposal(world, FIRST)
    await world.mempool.submit(world.anchor(SECOND, 1))
    const { status } = await world.mempool.submit(bytes)
    assert.equal(status, 'accepted')
    assert.ok(hasReady(world))
    assert.deepEqual(taken(world), ['change.propose', 'record.anchor'])
    assert.equal((await world.mempool.submit(bytes)).status, 'known')
    await world.finalize([bytes])
    assert.deepEqual(taken(world), ['record.anchor'])
    assert.equal((await world.mempool.submit(bytes)).status, 'final')
  })
})

test('a peer may offer the approval of a change that we do not know yet, a client may not', async () => {
  await withWorld(async (world) => {
    const bytes = proposal(world, FIRST)
    const approval = answer(world, SECOND, { kind: 'change.approve', change: world.idOf(bytes) })
    const refused = await world.mempool.submit(approval)
    assert.ok(refused.status === 'rejected')
    assert.equal(refused.code, 'unknown_change')
    assert.match(refused.detail, /^there is no change [0-9a-f]{64}$/)

    assert.equal(world.mempool.receive([approval]), 'accept')
    assert.ok(!hasReady(world), 'no block could carry it')
    assert.deepEqual(taken(world), [])
    await world.finalize([bytes])
    assert.ok(hasReady(world))
    assert.deepEqual(taken(world), ['change.approve'])
  })
})

test('what a block that may not become final refused is kept', async () => {
  await withWorld(async (world) => {
    const bytes = proposal(world, FIRST)
    await world.finalize([bytes])
    const change = world.idOf(bytes)
    await world.mempool.submit(answer(world, SECOND, { kind: 'change.approve', change }))
    const [transaction] = world.mempool.take(world.parts.execution.finalState(), LIMITS)
    assert.ok(transaction !== undefined)
    const reason = { code: 'change_passed', change: fromHex(change), height: 2 } as const
    await world.mempool.rejected([{ transaction, reason }])
    assert.deepEqual(taken(world), ['change.approve'])
    await world.mempool.rejected([{ transaction, reason: { code: 'bad_signature' } }])
    assert.deepEqual(taken(world), [])
  })
})

test('what the final state refuses for good goes by itself', async () => {
  await withWorld(async (world) => {
    const bytes = proposal(world, FIRST)
    await world.finalize([bytes])
    const change = world.idOf(bytes)
    await world.mempool.submit(answer(world, FIRST, { kind: 'change.withdraw', change }))
    await world.mempool.submit(answer(world, SECOND, { kind: 'change.approve', change }))
    await world.mempool.tick()
    assert.equal(world.mempool.size, 2)
    await world.finalize([answer(world, SECOND, { kind: 'change.approve', change })])
    await world.mempool.tick()
    assert.deepEqual(taken(world), ['change.withdraw'])
  })
})

test('an organisation has room for so many, and the others for theirs', async () => {
  await withWorld((world) => {
    const change = '00'.repeat(32)
    const offer = (organisation: string) => {
      world.clock.advance(1)
      return world.mempool.receive([
        answer(world, organisation, { kind: 'change.approve', change }),
      ])
    }
    const verdicts = Array.from({ length: 66 }, () => offer(SECOND))
    assert.deepEqual(verdicts.indexOf('ignore'), 64)
    assert.equal(world.mempool.size, 64)
    assert.equal(offer(FIRST), 'accept')
  })
})

test('a member that floods the others keeps out neither their clients nor what would remove it', async () => {
  await withWorld(async (world) => {
    const flood = Array.from({ length: 100 }, (_, index) => world.anchor(SECOND, index + 1))
    world.mempool.receive(flood)
    assert.equal(world.mempool.size, 75)
    for (let sequence = 1; sequence <= 25; sequence += 1) {
      const { status } = await world.mempool.submit(world.anchor(FIRST, sequence))
      assert.equal(status, 'accepted')
    }
    const surplus = await world.mempool.submit(world.anchor(FIRST, 26))
    assert.ok(surplus.status === 'rejected')
    assert.equal(surplus.code, 'mempool_full')
    const [, , , fourth = ''] = NAMES
    assert.equal(world.mempool.receive([world.anchor(fourth, 2)]), 'ignore')
    assert.equal(world.mempool.receive([world.anchor(fourth, 1)]), 'accept', 'the head of its lane')
    assert.equal((await world.mempool.submit(proposal(world, FIRST))).status, 'accepted')
    const [, , third = ''] = NAMES
    assert.equal(world.mempool.receive([proposal(world, third)]), 'accept')
  })
})

test('a peer that offers new keys with a forged word of theirs is to blame, and who waits costs no signature', async () => {
  await withWorld(async (world) => {
    const about = { organisation: FIRST, duty: 'anchor' } as const
    const digest = genesisDigest(world.genesis)
    const good = signNewKey(digest, about, keyOf(FIRST, 'second anchor'))
    const rekey = (signature: Uint8Array | null, reason: string): Uint8Array =>
      createTransaction({
        ...signing(world, FIRST),
        kind: 'change.propose',
        body: {
          organisation: FIRST,
          reason,
          expiresAt: world.clock.wall() + 3_600_000,
          change: { kind: 'rekey', body: { organisation: FIRST, keys: [{ ...good, signature }] } },
        },
      })
    const forged = rekey(new Uint8Array(64).fill(1), 'forged')
    assert.equal(world.mempool.receive([forged]), 'reject')
    const refused = await world.mempool.submit(forged)
    assert.ok(refused.status === 'rejected')
    assert.equal(refused.code, 'invalid_change')

    assert.equal(world.mempool.receive([rekey(good.signature, 'a good one')]), 'accept')
    const state = world.parts.execution.finalState()
    const context = {
      genesisDigest: digest,
      time: world.clock.wall(),
      height: 1,
      parameters: parametersOf(state),
    }
    const unsigned = decodeTransaction(forged, digest)
    const rules = { verifySignature: false }
    assert.equal(checkTransaction(state, context, unsigned, rules), undefined)
    assert.equal(checkTransaction(state, context, unsigned)?.code, 'invalid_change')
  })
})

test.run()
