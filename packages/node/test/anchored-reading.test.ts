import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { type Grant, type VaultAnswer } from '@mooring/records'
import { test } from 'uvu'
import { type LocatedRecord, NOBODY } from '../src/access-session.ts'
import { AnchorCheck } from '../src/anchor-check.ts'
import { systemClock } from '../src/clock.ts'
import { fetchBatches } from '../src/fetch-batches.ts'
import { bytesFor, bytesOf } from './vault-keys.ts'
import { type Placed, PURPOSE, VaultWorld } from './vault-world.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e']
const READER = 'b'

interface Given {
  world: VaultWorld
  grant: Grant
  placed: Placed[]
}

async function withRecords(work: (given: Given) => Promise<void>, count = 2): Promise<void> {
  await VaultWorld.with(FIVE, async (world) => {
    const patient = world.patient('a', 'maria')
    const placed: Placed[] = []
    for (let at = 0; at < count; at += 1)
      placed.push(await world.place(patient, bytesFor(`record ${at}`, 900)))
    await work({ world, placed, grant: await world.grant(patient, READER) })
  })
}

function use(grant: Grant) {
  const { signal } = new AbortController()
  return { grant, logKey: grant.logKey, purpose: PURPOSE, person: NOBODY, signal }
}

async function find({ world, grant }: Given, { located }: Placed): Promise<LocatedRecord> {
  const { granted } = world.hospital(READER).keeper
  const found = await granted.find(use(grant), toHex(located.setId))
  assert.ok(found !== undefined)
  return found
}

async function anchoredOf({ world, grant }: Given, record: LocatedRecord) {
  const reading = await world.hospital(READER).keeper.reader.read(record, use(grant))
  await bytesOf(reading.body)
  return reading.anchored
}

function one(placed: readonly Placed[]): Placed {
  const [first] = placed
  assert.ok(first !== undefined)
  return first
}

/** What holders were asked for, from now on. */
function watch(world: VaultWorld): string[] {
  const asked: string[] = []
  for (const name of FIVE)
    world.tampers.set(name, (answer) => {
      asked.push(`${answer.kind} ${name}`)
      return answer
    })
  return asked
}

test('a record that waits for its batch is read, and said to be pending', () =>
  withRecords(async (given) => {
    const record = await find(given, one(given.placed))
    assert.deepEqual(await anchoredOf(given, record), { isAnchored: false, height: null })
  }))

test('what the catalogue says of the batch is checked here, and asks nobody else', () =>
  withRecords(async (given) => {
    await given.world.anchor(given.placed, { height: 21 })
    const record = await find(given, one(given.placed))
    const asked = watch(given.world)
    assert.deepEqual(await anchoredOf(given, record), { isAnchored: true, height: 21 })
    assert.deepEqual(
      asked.filter((each) => each.startsWith('leaves')),
      [],
    )
  }))

test('without its custodian a record is seen to be anchored from its holders', () =>
  withRecords(async (given) => {
    const record = await find(given, one(given.placed))
    await given.world.anchor(given.placed, { height: 33, to: ['c', 'd', 'e'] })
    await given.world.wipe('a')
    given.world.down.add('a').add('c')
    assert.deepEqual(await anchoredOf(given, record), { isAnchored: true, height: 33 })
  }))

test('a place that does not lead to a root of this chain is an error with a code of its own', () =>
  withRecords(async (given) => {
    const [mine, other] = given.placed
    assert.ok(mine !== undefined && other !== undefined)
    const { places } = await given.world.anchor([mine])
    const [place] = places
    assert.ok(place !== undefined)
    const mineNow = { ...(await find(given, mine)), place }
    assert.equal((await anchoredOf(given, mineNow)).isAnchored, true)
    const step = place.path.map((hash) => hash.map((byte) => byte ^ 1))
    for (const forged of [
      { ...mineNow, place: { ...place, index: place.index ^ 1 } },
      { ...mineNow, place: { ...place, path: step } },
      { ...mineNow, place: { ...place, path: [] } },
      { ...(await find(given, other)), place },
    ]) {
      await assert.rejects(anchoredOf(given, forged), { code: 'anchor_missing' })
    }
  }))

test('a batch that another organisation anchored is none of this custodian', () =>
  withRecords(async (given) => {
    const { places } = await given.world.anchor(given.placed)
    const [place] = places
    const record = { ...(await find(given, one(given.placed))), place }
    const { peers } = given.world.hospital(READER)
    const check = new AnchorCheck({
      peers,
      organisations: () => given.world.organisations,
      roots: given.world.roots,
      clock: systemClock,
    })
    assert.equal((await check.of(record)).isAnchored, true)
    const elsewhere = { ...record, set: { ...record.set, custodian: 'c' } }
    await assert.rejects(check.of(elsewhere), { code: 'anchor_missing' })
  }))

test('a holder that makes leaves up is no answer, and one that says the truth is', () =>
  withRecords(async (given) => {
    const record = await find(given, one(given.placed))
    const { deposit } = await given.world.anchor(given.placed, { height: 5 })
    const lie = (answer: VaultAnswer): VaultAnswer => {
      if (answer.kind !== 'leaves') return answer
      const path = Array.from({ length: 4 }, () => new Uint8Array(32))
      const place = { transaction: new Uint8Array(32), height: 5, index: 0, path }
      return {
        kind: 'leaves',
        body: { items: [{ leaf: record.manifest.recordCommit, place }], more: 0 },
      }
    }
    for (const name of ['a', 'c', 'd', 'e']) given.world.tampers.set(name, lie)
    assert.equal((await anchoredOf(given, record)).isAnchored, false)
    const request = { kind: 'deposit-batches' as const, body: { items: [deposit] } }
    await given.world.hospital('a').peers.request('e', request, { timeoutMs: 1_000 })
    given.world.tampers.delete('e')
    assert.deepEqual(await anchoredOf(given, record), { isAnchored: true, height: 5 })
  }))

test('a holder is asked for a beginning that many leaves share, never for the leaf', () =>
  withRecords(async (given) => {
    const { world, placed } = given
    const record = await find(given, one(placed))
    const prefixes: number[] = []
    const { peers } = world.hospital(READER)
    const request = peers.request.bind(peers)
    Object.assign(peers, {
      request: (...[holder, body, options]: Parameters<typeof request>) => {
        if (body.kind === 'leaves') prefixes.push(body.body.prefix.length)
        return request(holder, body, options)
      },
    })
    await world.anchor(placed, { to: ['c', 'd', 'e'] })
    assert.equal((await anchoredOf(given, record)).isAnchored, true)
    assert.ok(prefixes.length > 0)
    assert.ok(prefixes.every((length) => length === 1))
  }))

test('once seen, a record is known to be anchored, and a later catalogue brings its place along', () =>
  withRecords(async (given) => {
    const record = await find(given, one(given.placed))
    await given.world.anchor(given.placed, { height: 8, to: ['c'] })
    await anchoredOf(given, record)
    const asked = watch(given.world)
    await anchoredOf(given, record)
    assert.deepEqual(
      asked.filter((each) => each.startsWith('leaves')),
      [],
    )
    const { granted } = given.world.hospital(READER).keeper
    await granted.list(use(given.grant), { after: null, limit: 10, only: null })
    assert.equal((await find(given, one(given.placed))).place?.height, 8)
  }))

test('a holder takes leaves from their custodian, when the chain has their root', () =>
  withRecords(async ({ world, placed }) => {
    const { deposit } = await world.anchor(placed)
    const request = { kind: 'deposit-batches' as const, body: { items: [deposit] } }
    const send = (from: string, items: Uint8Array[]) =>
      world.hospital(from).peers.request('c', { ...request, body: { items } }, { timeoutMs: 1_000 })
    await assert.rejects(send('b', [deposit]), { refusal: 'not_the_custodian' })
    const changed = deposit.slice()
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    await assert.rejects(send('a', [deposit, changed]), { refusal: 'batch_not_anchored' })
    await assert.rejects(send('a', [deposit.slice(1)]), { refusal: 'batch_malformed' })
    const { leaves } = world.hospital('c')
    assert.deepEqual(await leaves.list('a', null, 10), [], 'all or none')
    for (let times = 0; times < 2; times += 1) await send('a', [deposit])
    assert.equal((await leaves.list('a', null, 10)).length, 1)
  }))

test('a holder whose disk was lost copies the leaves that have their place there', () =>
  withRecords(async ({ world, placed }) => {
    const { deposit } = await world.anchor(placed, { to: ['c', 'd', 'e'] })
    const fresh = await world.wipe('d')
    const { signal } = new AbortController()
    assert.equal(await fetchBatches(fresh.keeper.lost, { graceMs: 1_000, signal }), 1)
    assert.equal(await fetchBatches(fresh.keeper.lost, { graceMs: 1_000, signal }), 0)
    const [root] = await fresh.leaves.list('a', null, 10)
    assert.ok(root !== undefined)
    assert.deepEqual(fresh.leaves.get('a', root), deposit)
  }))

test.run()
