// Erasing at the custodian, step by step: over a store in memory, a chain that takes what it is told to, and
// members that answer, are away, or lie.

import assert from 'node:assert/strict'
import { Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import { type Tombstone, tombstoneItem } from '@mooring/ledger'
import {
  type Manifest,
  type Retention,
  signDeletion,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import { MemoryLevel, openDatabaseOn, PrivateValues } from '@mooring/storage'
import { test } from 'uvu'
import { AtRest } from '../src/at-rest.ts'
import type { IndexEntry } from '../src/custodian-index.ts'
import { erasureSchema, holdSchema, type Stage } from '../src/erasure-state.ts'
import { Erasures, type ErasuresModules } from '../src/erasures.ts'
import { createLogger } from '../src/logger.ts'
import { SealedValues } from '../src/sealed-values.ts'
import { VaultPeerError } from '../src/vault-peers.ts'
import { START, TestClock } from './test-clock.ts'

const SELF = 'st-mary'
const MEMBERS = [SELF, 'county', 'lakeview']
const NETWORK = new Uint8Array(32).fill(5)
const ROUND_MS = 16_000

const bytesOf = (byte: number) => new Uint8Array(32).fill(byte)
const keyOf = (member: string) => keyPairFromSeed(bytesOf(MEMBERS.indexOf(member) + 1))

const noRetention: Retention = { years: 0, classes: {} }

class Custodian {
  readonly clock = new TestClock()
  readonly level = new MemoryLevel('records')
  readonly records = new Map<string, IndexEntry>()
  readonly tombstones = new Map<string, Tombstone>()
  readonly away = new Set<string>()
  readonly told: [string, VaultRequest][] = []
  readonly lines: string[] = []
  readonly erasedHere: string[] = []
  members = [...MEMBERS]
  /** What the next tombstone meets instead of a block. */
  relayFault: Error | null = null
  /** Whether the process dies before anything goes here. */
  diesBeforeErasing = false
  /** Who signs something else. */
  readonly liars = new Set<string>()

  async open(retention = noRetention): Promise<Erasures> {
    const database = await openDatabaseOn(this.level, 'records')
    const values = new PrivateValues(database)
    const atRest = new AtRest(bytesOf(9))
    const erasures = new Erasures({ self: SELF, retention }, this.#modules(values, atRest))
    await erasures.start()
    return erasures
  }

  add(byte: number, changes: Partial<IndexEntry> = {}): Uint8Array {
    const id = bytesOf(byte)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what erasing asks for, no more
    const metadata = {
      receivedAt: START,
      dedupe: bytesOf(byte + 1),
      facts: { class: 'general' },
    } as Manifest
    const where = { setId: bytesOf(byte + 2), set: bytesOf(0), manifest: bytesOf(0) }
    const place = { sequence: 1, position: 0 }
    this.records.set(toHex(id), {
      id,
      arrival: byte,
      ...where,
      holders: [],
      missing: [],
      manifestKey: bytesOf(0),
      account: bytesOf(200),
      metadata,
      status: 'batched',
      place,
      ...changes,
    })
    return id
  }

  #modules(values: PrivateValues, atRest: AtRest): ErasuresModules {
    const saltOf = (setId: Uint8Array) => atRest.tombstoneSalt(setId)
    return {
      clock: this.clock,
      logger: createLogger({
        levels: { base: 'trace', modules: {} },
        format: 'json',
        destination: { write: (line) => this.lines.push(line) },
      }),
      genesisDigest: NETWORK,
      peers: {
        self: SELF,
        isConnected: (member) => !this.away.has(member),
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an answer of its kind
        request: (async (member: string, request: VaultRequest) =>
          await this.#answer(member, request)) as ErasuresModules['peers']['request'],
      },
      relay: {
        submit: (relayed) => {
          if (this.relayFault !== null) return Promise.reject(this.relayFault)
          assert.ok(relayed.kind === 'record.tombstone')
          const { item, batchRoot, reason } = relayed.body
          if (this.tombstones.has(toHex(item)))
            return Promise.reject(new Refusal('item_erased', 'twice'))
          this.tombstones.set(toHex(item), { batchRoot, reason, height: 7 })
          return Promise.resolve({ id: bytesOf(77), height: 7, time: START })
        },
      },
      facts: {
        time: START,
        tombstone: (_custodian, setId, salt) =>
          this.tombstones.get(toHex(tombstoneItem(setId, salt))),
      },
      values: new SealedValues(values, atRest, 'erasures', erasureSchema),
      holds: new SealedValues(values, atRest, 'legal-holds', holdSchema),
      anchorKeyOf: (member) =>
        this.members.includes(member) ? keyOf(member).publicKey : undefined,
      members: () => this.members,
      saltOf,
      recordOf: (id) => this.records.get(toHex(id)),
      anchoredRootOf: ({ place }) => (place === null ? undefined : bytesOf(50)),
      referenceOf: () => 'p-1',
      namesOf: ({ id }) => ({ id, dedupeKey: id, setName: id, account: id }),
      eraseHere: ({ id }) => {
        if (this.diesBeforeErasing) return Promise.reject(new Error('the process died'))
        this.records.delete(toHex(id))
        this.erasedHere.push(toHex(id))
        return Promise.resolve()
      },
    }
  }

  async #answer(member: string, request: VaultRequest): Promise<VaultAnswer> {
    await Promise.resolve()
    this.told.push([member, request])
    if (request.kind === 'restrict') return { kind: 'done', body: {} }
    assert.ok(request.kind === 'erase')
    const { setId, salt } = request.body
    const item = tombstoneItem(setId, salt)
    if (!this.tombstones.has(toHex(item)))
      throw new VaultPeerError('refused', member, { refusal: 'tombstone_unknown' })
    const signer = this.liars.has(member) ? SELF : member
    const shards = member === 'lakeview' ? [] : [1]
    const content = { custodian: SELF, holder: member, item, shards, height: 8 }
    return { kind: 'erased', body: signDeletion(keyOf(signer), NETWORK, content) }
  }
}

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.code === code

const request = (id: Uint8Array, by: 'patient' | 'custodian' = 'custodian') =>
  ({ id, by, reason: 'patient_request' }) as const

/** What the clock starts, to its end. */
async function round(custodian: Custodian): Promise<void> {
  custodian.clock.advance(ROUND_MS)
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function erasedStage(erasures: Erasures, id: Uint8Array): Stage<'erased'>['body'] {
  const stage = erasures.get(id)?.stage
  assert.ok(stage?.kind === 'erased', stage?.kind)
  return stage.body
}

test('a record is erased when its tombstone is final, and everybody has signed', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const erasures = await custodian.open()
  const done = await erasures.request(request(id))
  assert.deepEqual(done.waiting, [])
  assert.deepEqual(
    done.receipts.map(({ content }) => content.holder).toSorted(),
    MEMBERS.toSorted(),
  )
  const { setId, height, transaction, item } = erasedStage(erasures, id)
  assert.deepEqual([setId, height, transaction], [null, 7, bytesOf(77)])
  assert.ok(custodian.tombstones.has(toHex(item)))
  assert.deepEqual(custodian.erasedHere, [toHex(id)])
  const again = await erasures.request(request(id))
  assert.deepEqual(again, done)
  assert.equal(custodian.told.length, MEMBERS.length)
  await erasures.close()
})

test('nothing goes before the tombstone is final, and an order that was begun ends', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const first = await custodian.open()
  custodian.relayFault = new Refusal('relay_timeout', 'no block')
  await assert.rejects(first.request(request(id)), refusedWith('relay_timeout'))
  assert.equal(first.get(id)?.stage.kind, 'ordered')
  assert.deepEqual([custodian.erasedHere, custodian.told], [[], []])
  await first.close()
  const second = await custodian.open()
  await round(custodian)
  assert.equal(second.get(id)?.stage.kind, 'ordered')
  custodian.relayFault = null
  await round(custodian)
  assert.equal(second.get(id)?.receipts.length, MEMBERS.length)
  assert.deepEqual(custodian.erasedHere, [toHex(id)])
  await second.close()
})

test('a tombstone that was final before a crash is found, and what is here goes', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const first = await custodian.open()
  custodian.diesBeforeErasing = true
  await assert.rejects(first.request(request(id)), /the process died/)
  assert.equal(first.get(id)?.stage.kind, 'erased')
  assert.ok(custodian.records.has(toHex(id)))
  await first.close()
  custodian.diesBeforeErasing = false
  const second = await custodian.open()
  await round(custodian)
  assert.deepEqual(custodian.erasedHere, [toHex(id)])
  assert.equal(second.get(id)?.receipts.length, MEMBERS.length)
  await second.close()
})

test('who is away is told when it is back, and who has left is not waited for', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  custodian.away.add('county').add('lakeview')
  const first = await custodian.open()
  const begun = await first.request(request(id))
  assert.deepEqual(begun.waiting, ['county', 'lakeview'])
  assert.notEqual(erasedStage(first, id).setId, null)
  await first.close()
  const second = await custodian.open()
  custodian.away.delete('county')
  second.wake('county')
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(second.get(id)?.waiting, ['lakeview'])
  custodian.members = [SELF, 'county']
  await round(custodian)
  assert.deepEqual(second.get(id)?.waiting, [])
  assert.equal(erasedStage(second, id).setId, null)
  assert.equal(second.get(id)?.receipts.length, 2)
  await second.close()
})

test('a statement that somebody else has signed counts for nothing', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  custodian.liars.add('county')
  const erasures = await custodian.open()
  const begun = await erasures.request(request(id))
  assert.deepEqual(begun.waiting, ['county'])
  assert.ok(!begun.receipts.some(({ content }) => content.holder === 'county'))
  custodian.liars.clear()
  await round(custodian)
  assert.deepEqual(erasures.get(id)?.waiting, [])
  await erasures.close()
})

test('what the law keeps is restricted for its patient, and erased when the time is over', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const entry = custodian.records.get(toHex(id))
  assert.ok(entry !== undefined)
  // Its time is over in half a minute.
  const receivedAt = Date.UTC(2016, 10, 20, 9) + 2 * ROUND_MS
  const metadata = { ...entry.metadata, receivedAt }
  custodian.records.set(toHex(id), { ...entry, metadata })
  const erasures = await custodian.open({ years: 10, classes: {} })
  const over = { id, by: 'custodian', reason: 'retention_over' } as const
  await assert.rejects(erasures.request(over), refusedWith('retention_applies'))
  assert.equal(erasures.get(id), undefined, 'its own wish is refused, and no more')
  await assert.rejects(erasures.request(request(id, 'patient')), refusedWith('retention_applies'))
  assert.ok(erasures.isRestricted(id))
  const kinds = custodian.told.map(([member, { kind }]) => [member, kind])
  assert.deepEqual(
    kinds,
    MEMBERS.map((member) => [member, 'restrict']),
  )
  assert.deepEqual(erasures.get(id)?.waiting, [])
  await round(custodian)
  assert.ok(erasures.isRestricted(id))
  await round(custodian)
  await round(custodian)
  assert.equal(erasedStage(erasures, id).height, 7)
  await erasures.close()
})

test('a restriction is lifted by who asked for it, everywhere', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  custodian.away.add('county')
  const erasures = await custodian.open({ years: 10, classes: {} })
  await assert.rejects(erasures.lift(id), refusedWith('not_restricted'))
  await assert.rejects(erasures.request(request(id, 'patient')), refusedWith('retention_applies'))
  assert.deepEqual(erasures.get(id)?.waiting, ['county'])
  const lifting = await erasures.lift(id)
  assert.deepEqual([lifting.stage.kind, lifting.waiting], ['lifted', ['county']])
  assert.ok(!erasures.isRestricted(id))
  custodian.away.clear()
  await round(custodian)
  assert.equal(erasures.get(id), undefined)
  const last = custodian.told.at(-1)
  assert.ok(last?.[0] === 'county' && last[1].kind === 'restrict')
  assert.equal(last[1].body.sets[0]?.isRestricted, 0)
  await erasures.close()
})

test('a legal hold refuses everybody, and its release judges anew', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const erasures = await custodian.open()
  await erasures.hold(id, 'inquiry 7')
  assert.equal(erasures.holdOf(id)?.reason, 'inquiry 7')
  for (const by of ['custodian', 'patient'] as const)
    await assert.rejects(erasures.request(request(id, by)), refusedWith('legal_hold'))
  await assert.rejects(
    erasures.request({ id, by: 'custodian', reason: 'court_order' }),
    refusedWith('legal_hold'),
  )
  assert.ok(erasures.isRestricted(id))
  const released = await erasures.release(id)
  assert.equal(released?.stage.kind, 'erased')
  await assert.rejects(erasures.release(id), refusedWith('not_held'))
  const other = custodian.add(20)
  await erasures.hold(other, 'inquiry 8')
  assert.equal(await erasures.release(other), null)
  await erasures.close()
})

test('a legal hold stops an erasure that was ordered and is not final', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const erasures = await custodian.open()
  custodian.relayFault = new Refusal('relay_timeout', 'no block')
  await assert.rejects(erasures.request(request(id)), refusedWith('relay_timeout'))
  await erasures.hold(id, 'inquiry 9')
  custodian.relayFault = null
  await round(custodian)
  await assert.rejects(erasures.request(request(id)), refusedWith('legal_hold'))
  assert.deepEqual([custodian.erasedHere, custodian.told], [[], []])
  assert.equal(custodian.tombstones.size, 0)
  assert.equal(erasures.get(id)?.stage.kind, 'ordered')
  assert.equal((await erasures.release(id))?.stage.kind, 'erased')
  await erasures.close()
})

test('what is unknown or not anchored is refused with its code', async () => {
  const custodian = new Custodian()
  const waiting = custodian.add(10, { place: null })
  const erasures = await custodian.open()
  const nowhere = bytesOf(99)
  await assert.rejects(erasures.request(request(nowhere)), refusedWith('unknown_record'))
  await assert.rejects(erasures.hold(nowhere, 'x'), refusedWith('unknown_record'))
  await assert.rejects(erasures.request(request(waiting)), refusedWith('not_anchored_yet'))
  assert.equal(erasures.get(waiting), undefined)
  await erasures.close()
})

test('two that ask at once get one erasure', async () => {
  const custodian = new Custodian()
  const id = custodian.add(10)
  const erasures = await custodian.open()
  const [first, second] = await Promise.all([
    erasures.request(request(id)),
    erasures.request(request(id, 'patient')),
  ])
  assert.deepEqual(second, first)
  assert.equal(custodian.told.length, MEMBERS.length)
  await erasures.close()
})

test('the erasures of an account are told apart from those of others', async () => {
  const custodian = new Custodian()
  const ids = [custodian.add(10), custodian.add(20)]
  const erasures = await custodian.open()
  for (const id of ids) await erasures.request(request(id))
  const found = await erasures.ofReference('p-1')
  assert.deepEqual(
    found.map(({ key }) => key),
    ids,
  )
  assert.deepEqual(await erasures.ofReference('p-2'), [])
  assert.equal((await erasures.list(ids[0] ?? null, 9)).length, 1)
  await erasures.close()
})

test.run()
