import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { type Change, createTransaction, type Payload, signAdmission } from '@mooring/ledger'
import { test } from 'uvu'
import { createChainAnswers } from '../src/chain-answers.ts'
import { keyOf, NAMES } from './chain-members.ts'
import { type World, withWorld } from './chain-world.ts'

const HOUR_MS = 3_600_000

function ask({ parts }: World) {
  return createChainAnswers(parts, {
    health: { stall: () => null, alarms: () => [], waitingMs: () => 0 },
    finality: { times: () => ({ p50Ms: null, p95Ms: null }) },
    disk: { current: () => ({ bytes: 0, freeBytes: null }) },
    onRefused: () => undefined,
  })
}

type Unsigned<P = Payload> = P extends Payload ? Omit<P, 'expiresAt'> : never

function signed({ parts, clock }: World, signer: string, content: Unsigned): Uint8Array {
  const { genesisDigest } = parts.options
  const keyPair = keyOf(signer, 'governance')
  const expiresAt = clock.wall() + 60_000
  return createTransaction({ ...content, expiresAt, genesisDigest, keyPair })
}

function proposed(world: World, organisation: string, change: Change): Uint8Array {
  const expiresAt = world.clock.wall() + HOUR_MS
  const body = { organisation, reason: 'for a test', expiresAt, change }
  return signed(world, organisation, { kind: 'change.propose', body })
}

const approved = (world: World, organisation: string, change: Uint8Array) =>
  signed(world, organisation, { kind: 'change.approve', body: { organisation, change } })

function admissionOf({ parts, genesis }: World): Change {
  const [founder] = genesis.organisations
  assert.ok(founder)
  const keys = Object.fromEntries(
    Object.keys(founder.organisation.keys).map((duty) => [
      duty,
      duty === 'issuer' ? null : keyOf('hillside', duty).publicKey,
    ]),
  )
  const organisation = {
    ...founder.organisation,
    id: 'hillside',
    name: 'Hillside',
    roles: ['observer' as const],
    keys: { ...founder.organisation.keys, ...keys },
  }
  const { genesisDigest } = parts.options
  const key = keyOf('hillside', 'governance')
  return { kind: 'admit', body: signAdmission(genesisDigest, organisation, key) }
}

const bytesOf = (id: string) => new Uint8Array(Buffer.from(id, 'hex'))

test('a change is open while it lacks approvals, and says which', () =>
  withWorld(async (world) => {
    const answers = ask(world)
    const proposal = proposed(world, 'st-mary', {
      kind: 'role',
      body: { organisation: 'laboratory', role: 'authority' },
    })
    const id = world.idOf(proposal)
    assert.deepEqual(answers.changes(), [])
    assert.equal(answers.change(id), undefined)
    await world.finalize([proposal], [approved(world, 'county', bytesOf(id))])
    const change = answers.change(id)
    assert.ok(change)
    assert.deepEqual(answers.changes(), [change])
    assert.equal(change.status, 'open')
    assert.equal(change.summary, 'laboratory becomes an authority')
    assert.deepEqual(change.approvals, ['st-mary', 'county'])
    assert.equal(change.approvalsNeeded, 3)
    assert.equal(change.acksNeeded, 4)
    assert.deepEqual(change.acksRequired, ['laboratory'])
    assert.deepEqual(change.effect, {
      authorities: [...NAMES, 'laboratory'],
      authoritiesBefore: 4,
      authoritiesAfter: 5,
      quorumBefore: 3,
      quorumAfter: 4,
      toleratesAfter: 1,
    })
    const transaction = await answers.transaction(id)
    assert.equal(transaction?.summary, 'st-mary proposes: laboratory becomes an authority')
    assert.deepEqual(transaction?.body['change'], {
      kind: 'role',
      body: { organisation: 'laboratory', role: 'authority' },
    })
    const block = await answers.block({ height: 1 })
    assert.deepEqual(block?.contents, [
      { id, kind: 'change.propose', organisation: 'st-mary', sequence: null },
    ])
    answers.close()
  }))

test('a change that was taken back is closed, and its proposal still tells of it', () =>
  withWorld(async (world) => {
    const answers = ask(world)
    const proposal = proposed(world, 'st-mary', {
      kind: 'protocol',
      body: { version: 2, height: 50_000 },
    })
    const id = world.idOf(proposal)
    await world.finalize([proposal])
    assert.equal(answers.change(id)?.status, 'open')
    const body = { organisation: 'st-mary', change: bytesOf(id) }
    await world.finalize([signed(world, 'st-mary', { kind: 'change.withdraw', body })])
    assert.deepEqual(answers.changes(), [])
    const change = answers.change(id)
    assert.equal(change?.status, 'closed')
    assert.equal(change?.summary, 'protocol version 2 from height 50000')
    assert.equal(change?.reason, 'for a test')
    answers.close()
  }))

test('a change that passes ends an epoch, and the newcomer is a member since the next', () =>
  withWorld(async (world) => {
    const answers = ask(world)
    assert.equal(answers.members().length, 5)
    const [epoch] = answers.epochs()
    assert.deepEqual([epoch?.epoch, epoch?.firstHeight, epoch?.lastHeight], [0, 1, null])
    const proposal = proposed(world, 'st-mary', admissionOf(world))
    const id = bytesOf(world.idOf(proposal))
    await world.finalize(
      [proposal],
      [approved(world, 'county', id)],
      [approved(world, 'lakeview', id)],
    )
    const change = answers.change(toHex(id))
    assert.equal(change?.status, 'passed')
    assert.equal(change?.height, 3)
    assert.deepEqual(change?.approvals, ['st-mary', 'county', 'lakeview'])
    assert.deepEqual(answers.changes(), [change])
    const epochs = answers.epochs()
    assert.deepEqual(
      epochs.map(({ firstHeight, lastHeight, endedBy }) => [firstHeight, lastHeight, endedBy]),
      [
        [4, null, null],
        [1, 3, change],
      ],
    )
    const newcomer = answers.members().find((member) => member.id === 'hillside')
    assert.equal(newcomer?.sinceEpoch, 1)
    assert.equal(newcomer?.authority, null)
    assert.equal(newcomer?.connected, false)
    assert.equal(answers.members()[0]?.connected, true)
    assert.equal(answers.network().epoch, 1)
    answers.close()
  }))

test('a proposal is judged without being submitted', () =>
  withWorld((world) => {
    const answers = ask(world)
    const { parameters } = world.genesis
    const change: Change = { kind: 'parameters', body: { ...parameters, deltaMs: 250 } }
    const good = answers.previewChange(proposed(world, 'st-mary', change))
    assert.equal(good.problem, null)
    assert.equal(good.summary, `deltaMs ${parameters.deltaMs} → 250`)
    assert.equal(good.effect?.quorumAfter, 3)

    const same = answers.previewChange(
      proposed(world, 'st-mary', { kind: 'parameters', body: parameters }),
    )
    assert.equal(same.problem?.code, 'invalid_change')
    assert.match(same.problem?.detail ?? '', /it is so already/)
    const removal: Change = { kind: 'remove', body: { organisation: 'county', evidence: [] } }
    const few = answers.previewChange(proposed(world, 'st-mary', removal))
    assert.match(few.problem?.detail ?? '', /3 authorities would be left, at least 4 must be/)
    assert.equal(few.effect, null)
    const anchor = world.anchor('st-mary', 1)
    for (const bytes of [anchor, Uint8Array.of(1, 2)]) {
      assert.throws(() => answers.previewChange(bytes), { code: 'malformed_transaction' })
    }
    assert.deepEqual(answers.changes(), [])
    answers.close()
  }))

test.run()
