// The relay of a node, and the final facts that come of what it relays, over a chain moved by hand.

import assert from 'node:assert/strict'
import { Refusal } from '@mooring/api'
import { keyPairFromSeed } from '@mooring/crypto'
import {
  createTransaction,
  genesisDigest,
  handleOfKey,
  patientKeyDigest,
  signGrantOpen,
  signGrantRevoke,
  wholeDayAfter,
} from '@mooring/ledger'
import { test } from 'uvu'
import { createFinalFacts } from '../src/final-facts.ts'
import { createRelay, type Relayed } from '../src/relay.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'

const [OWN = '', OTHER = ''] = NAMES
const GRANT = keyPairFromSeed(new Uint8Array(32).fill(9))
const LIMITS = { count: 100, bytes: 1 << 20 }

function partsOf(world: World) {
  const { clock, parts, mempool } = world
  const { execution, committer, chain } = parts
  const digest = genesisDigest(world.genesis)
  const anchorKey = keyOf(OWN, 'anchor')
  const modules = { clock, execution, mempool, committer, chain }
  const finalState = () => execution.finalState()
  return {
    digest,
    relay: createRelay({ genesisDigest: digest, anchorKey }, modules),
    facts: createFinalFacts({ chain, finalState, heartbeatMs: () => 0 }),
  }
}

function opening(world: World, organisation = OWN): Relayed & { kind: 'grant.open' } {
  const expiresAt = wholeDayAfter(world.clock.wall() + 1)
  const terms = { expiresAt, kind: 'share' } as const
  const signature = signGrantOpen(genesisDigest(world.genesis), terms, GRANT)
  const { publicKey } = GRANT
  return { kind: 'grant.open', body: { organisation, publicKey, ...terms, signature } }
}

/** What waits at the door, as a block would take it. */
function waiting(world: World): Uint8Array[] {
  const state = world.parts.execution.finalState()
  return world.mempool.take(state, LIMITS).map(({ bytes }) => bytes)
}

async function handedIn(world: World): Promise<Uint8Array[]> {
  for (let turn = 0; turn < 1_000 && waiting(world).length === 0; turn += 1)
    await new Promise((resolve) => setImmediate(resolve))
  return waiting(world)
}

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.code === code

test('what is relayed is answered when it is final, and the facts are then there', async () => {
  await withWorld(async (world) => {
    const { relay, facts, digest } = partsOf(world)
    const handle = handleOfKey(GRANT.publicKey)
    const answer = relay.submit(opening(world))
    const bytes = await handedIn(world)
    assert.equal(facts.handle(handle), undefined)
    await world.finalize(bytes)
    const { id, height, time } = await answer
    assert.deepEqual([height, time], [facts.height, facts.time])
    assert.equal(world.parts.chain.getTransaction(id)?.height, height)
    assert.equal(facts.handle(handle)?.revokedAt, null)

    const signature = signGrantRevoke(digest, GRANT)
    const body = { organisation: OWN, publicKey: GRANT.publicKey, signature }
    const revoked = relay.submit({ kind: 'grant.revoke', body })
    await world.finalize(await handedIn(world))
    assert.equal(facts.handle(handle)?.revokedAt, (await revoked).height)
  })
})

test('what the rules refuse is refused with their code', async () => {
  await withWorld(async (world) => {
    const { relay, digest } = partsOf(world)
    const signature = signGrantRevoke(digest, GRANT)
    const body = { organisation: OWN, publicKey: GRANT.publicKey, signature }
    const attempts: [Relayed, string][] = [
      [{ kind: 'grant.revoke', body }, 'unknown_handle'],
      [opening(world, OTHER), 'wrong_signer'],
      [{ kind: 'grant.open', body: { ...opening(world).body, signature } }, 'bad_signature'],
    ]
    for (const [attempt, code] of attempts)
      await assert.rejects(relay.submit(attempt), refusedWith(code))
    assert.deepEqual(waiting(world), [])
  })
})

test('a signature that another member brought first ends the wait', async () => {
  await withWorld(async (world) => {
    const { relay, digest } = partsOf(world)
    const answer = assert.rejects(relay.submit(opening(world)), refusedWith('handle_seen'))
    await handedIn(world)
    const theirs = createTransaction({
      ...opening(world, OTHER),
      genesisDigest: digest,
      keyPair: keyOf(OTHER, 'anchor'),
      expiresAt: world.clock.wall() + 60_000,
    })
    await world.finalize([theirs])
    await answer
  })
})

test('who waits in vain is told, and who leaves waits no longer', async () => {
  await withWorld(async (world) => {
    const { relay } = partsOf(world)
    const timers = world.clock.timers
    const isWaiting = async () => {
      while (world.clock.timers === timers) await new Promise((resolve) => setImmediate(resolve))
    }
    const answer = assert.rejects(relay.submit(opening(world)), refusedWith('relay_timeout'))
    await isWaiting()
    world.clock.advance(61_000)
    await answer
    assert.equal(world.clock.timers, timers)
    const leaving = new AbortController()
    const left = assert.rejects(relay.submit(opening(world), leaving.signal), {
      name: 'AbortError',
    })
    await isWaiting()
    leaving.abort()
    await left
    assert.equal(world.clock.timers, timers)
  })
})

test('a replaced key is known by its digest, and its successors by the way to them', async () => {
  await withWorld(async (world) => {
    const { relay, facts } = partsOf(world)
    const [hosted, own, stranger] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
    assert.ok(hosted && own && stranger)
    assert.equal(facts.successorOf(OWN, hosted), null)
    const [retired, successor] = [hosted, own].map((key) => patientKeyDigest(OWN, key))
    assert.ok(retired && successor)
    const body = { organisation: OWN, retired, successor }
    const answer = relay.submit({ kind: 'key.replace', body })
    await world.finalize(await handedIn(world))
    await answer
    assert.deepEqual(facts.successorOf(OWN, hosted), successor)
    assert.equal(facts.successorOf(OTHER, hosted), null)
    assert.ok(facts.isSuccessor(OWN, hosted, own))
    assert.ok(facts.isSuccessor(OWN, own, own))
    assert.ok(!facts.isSuccessor(OWN, own, hosted))
    assert.ok(!facts.isSuccessor(OWN, hosted, stranger))
    assert.ok(!facts.isSuccessor(OTHER, hosted, own))
  })
})

test('a flood of data without sequence leaves governance its room', async () => {
  await withWorld(async (world) => {
    const { digest } = partsOf(world)
    const keyPair = keyOf(OWN, 'anchor')
    const expiresAt = world.clock.wall() + 60_000
    const codes = new Set<string>()
    for (let n = 0; n < 600; n += 1) {
      const retired = new Uint8Array(32).fill(n)
      new DataView(retired.buffer).setUint32(0, n)
      const successor = new Uint8Array(32).fill(255)
      const body = { organisation: OWN, retired, successor }
      const fixed = {
        kind: 'key.replace',
        body,
        expiresAt,
        keyPair,
        genesisDigest: digest,
      } as const
      const outcome = await world.mempool.submit(createTransaction(fixed))
      if (outcome.status === 'rejected') codes.add(outcome.code)
    }
    assert.deepEqual([...codes], ['mempool_full'])
    assert.equal(world.mempool.size, 512)
    const governance = {
      kind: 'change.propose',
      body: {
        organisation: OWN,
        reason: 'less traffic',
        expiresAt: world.clock.wall() + 3_600_000,
        change: { kind: 'parameters', body: { ...world.genesis.parameters, quotaPerMinute: 7 } },
      },
      expiresAt,
      keyPair: keyOf(OWN, 'governance'),
      genesisDigest: digest,
    } as const
    const { status } = await world.mempool.submit(createTransaction(governance))
    assert.equal(status, 'accepted')
  })
})

test.run()
