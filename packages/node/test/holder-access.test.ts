// No shard leaves a holder without a trace at k of them; and who asks wrongly gets a code, and is noted.

import assert from 'node:assert/strict'
import { type AccessRequest, openManifest, openRecord, signAccessRequest } from '@mooring/records'
import { test } from 'uvu'
import { keyOf, NAMES } from './chain-members.ts'
import {
  bytesOf,
  CUSTODIAN,
  type Deposited,
  type HolderWorld,
  READER,
  withHolders,
} from './holder-world.ts'

const HOLDER = 'riverside'
const OTHERS = ['county', 'lakeview']
const MIB = 1024 * 1024

function refusalsAt(world: HolderWorld, holder: string): [string, string][] {
  return world.hospital(holder).noted.refused.map(({ peer, code }) => [peer, code])
}

test('with the traces of k holders any k shards open the record, byte for byte', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const asked = world.request([deposited])
    const witnesses = await world.witnesses(OTHERS, asked)
    for (const pair of [OTHERS, [CUSTODIAN, HOLDER]]) {
      const shards: (Uint8Array | null)[] = NAMES.map(() => null)
      for (const holder of pair) {
        const released = await world.release(holder, asked.signed, witnesses)
        assert.ok(typeof released === 'object')
        const [one] = released
        assert.ok(one !== undefined && released.length === 1)
        shards[one.index] = one.fragments[0] ?? null
      }
      const { record, raw } = deposited
      const manifest = openManifest(record.manifest, bytesOf('class key'), record.setId)
      assert.ok(manifest !== undefined)
      const opened = openRecord(record.set, manifest, shards)
      assert.ok(opened.ok)
      assert.deepEqual(opened.raw, raw)
    }
    for (const holder of OTHERS) {
      assert.deepEqual(world.hospital(holder).noted.witnessed, [asked.entry])
      assert.equal(world.hospital(holder).noted.served, 1)
    }
  })
})

test('a valid grant and request without the traces of k holders get nothing from anybody', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const asked = world.request([deposited])
    const [one] = await world.witnesses(['county'], asked)
    assert.ok(one !== undefined)
    const foreign = await world.witnesses(['county', 'lakeview'], world.request([deposited]))
    const own = { holder: READER, signature: one.signature }
    const stolen = { holder: 'lakeview', signature: one.signature }
    const attempts = [
      ['too_few_witnesses', []],
      ['too_few_witnesses', [one]],
      ['too_few_witnesses', [one, one]],
      ['too_few_witnesses', [one, own]],
      ['witness_forged', [one, stolen]],
      ['witness_forged', foreign],
    ] as const
    for (const [code, witnesses] of attempts) {
      for (const holder of NAMES) {
        assert.equal(await world.release(holder, asked.signed, witnesses), code)
      }
    }
    for (const holder of NAMES) {
      assert.deepEqual(
        refusalsAt(world, holder),
        attempts.map(([code]) => [READER, code]),
      )
      assert.equal(world.hospital(holder).noted.served, 0)
    }
  })
})

test('a holder that cannot write the access down gives no witness', async () => {
  await withHolders(async (world) => {
    const asked = world.request([await world.deposit()])
    const { noted } = world.hospital(HOLDER)
    noted.fault = Object.assign(new Error('no space left'), { code: 'holder_full' })
    assert.equal(await world.witness(HOLDER, asked), 'holder_full')
    assert.deepEqual(noted.witnessed, [])
    noted.fault = null
    assert.equal(typeof (await world.witness(HOLDER, asked)), 'object')
    assert.deepEqual(noted.witnessed, [asked.entry])
  })
})

/** What is wrong with a request that is signed as it is, and the code for it. */
const WRONG: [code: string, changes: (world: HolderWorld) => Partial<AccessRequest>][] = [
  ['not_addressed', () => ({ audience: ['county', 'lakeview'] })],
  [
    'request_expired',
    ({ clock }) => ({ issuedAt: clock.wall() - 600_000, expiresAt: clock.wall() - 60_001 }),
  ],
  ['not_issued_yet', ({ clock }) => ({ issuedAt: clock.wall() + 60_001 })],
  ['request_too_long', ({ clock }) => ({ expiresAt: clock.wall() + 600_001 })],
  ['block_unknown', () => ({ block: { height: 4, digest: bytesOf('a block') } })],
  ['block_differs', (world) => ({ block: { ...world.blockAt(3), height: 2 } })],
  ['purpose_not_covered', () => ({ purpose: 'HMARKT' })],
  ['purpose_unknown', () => ({ purpose: 'CURIOSITY' })],
  ['grant_missing', () => ({ grant: null })],
  ['not_the_recipient', () => ({ reader: 'county' })],
  ['unknown_reader', () => ({ reader: 'nobody' })],
]

test('a request that is wrong is refused by its code at both doors, and both times noted', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const expected: [string, string][] = []
    for (const [code, changes] of WRONG) {
      const asked = world.request([deposited], changes(world))
      const { reader } = asked.signed.request
      if (reader === 'nobody') {
        assert.equal(await world.witness(HOLDER, asked), 'not_a_member')
        continue
      }
      assert.equal(await world.witness(HOLDER, asked), code)
      assert.equal(await world.release(HOLDER, asked.signed, []), code)
      expected.push([reader, code], [reader, code])
    }
    assert.deepEqual(refusalsAt(world, HOLDER), expected)
    assert.deepEqual(world.hospital(HOLDER).noted.witnessed, [])
  })
})

test('a request that was altered, or is sent on by another, is refused', async () => {
  await withHolders(async (world) => {
    const [deposited, other] = [await world.deposit(), await world.deposit()]
    const asked = world.request([deposited])
    const witnesses = await world.witnesses(OTHERS, asked)
    const { signed } = asked
    const more = world.request([deposited, other]).signed.request.sets
    const altered = { ...signed, request: { ...signed.request, sets: more } }
    assert.equal(await world.release(HOLDER, altered, witnesses), 'request_forged')
    const forged = signAccessRequest(keyOf('county', 'anchor'), signed.request)
    assert.equal(await world.release(HOLDER, forged, witnesses), 'request_forged')
    assert.equal(
      await world.release(HOLDER, signed, witnesses, { sender: 'county' }),
      'sender_differs',
    )
    const swapped = { signed, entry: world.request([deposited]).entry }
    assert.equal(await world.witness(HOLDER, swapped), 'entry_differs')
    const items = [{ setId: other.record.setId, from: 0, count: 1, digests: 0 }]
    const wider = await world.ask(READER, HOLDER, {
      kind: 'release',
      body: { signed, witnesses, items },
    })
    assert.ok(wider.kind === 'refusal')
    assert.equal(wider.body.code, 'set_not_requested')
    assert.equal(world.hospital(HOLDER).noted.served, 0)
    assert.deepEqual(refusalsAt(world, HOLDER), [
      [READER, 'request_forged'],
      [READER, 'request_forged'],
      ['county', 'sender_differs'],
      [READER, 'entry_differs'],
      [READER, 'set_not_requested'],
    ])
  })
})

test('a request is good for its life: again while it lasts, and not after', async () => {
  await withHolders(async (world) => {
    const asked = world.request([await world.deposit()])
    const witnesses = await world.witnesses(OTHERS, asked)
    for (let time = 0; time < 3; time += 1) {
      const released = await world.release(HOLDER, asked.signed, witnesses)
      assert.ok(typeof released === 'object' && released.length === 1)
    }
    world.clock.advance(5 * 60_000 + 60_000)
    assert.equal(await world.release(HOLDER, asked.signed, witnesses), 'request_expired')
    assert.equal(await world.witness(HOLDER, asked), 'request_expired')
  })
})

test('no witness signs for an entry that stands for another request', async () => {
  await withHolders(async (world) => {
    const asked = world.request([await world.deposit()])
    world.hospital(HOLDER).noted.isEntryNew = false
    assert.equal(await world.witness(HOLDER, asked), 'entry_reused')
    assert.deepEqual(refusalsAt(world, HOLDER), [[READER, 'entry_reused']])
  })
})

test('a reader that the members have removed in the meantime gets nothing more', async () => {
  await withHolders(async (world) => {
    const asked = world.request([await world.deposit()])
    const witnesses = await world.witnesses(OTHERS, asked)
    world.removed.add(READER)
    assert.equal(await world.release(HOLDER, asked.signed, witnesses), 'not_a_member')
    world.removed.delete(READER)
    world.removed.add('county')
    assert.equal(await world.release(HOLDER, asked.signed, witnesses), 'too_few_witnesses')
  })
})

test('the custodian reads its own by its own right, and leaves a trace like anybody', async () => {
  await withHolders(async (world) => {
    const own = { reader: CUSTODIAN, grant: null }
    const asked = world.request([await world.deposit()], own)
    assert.equal(await world.release(HOLDER, asked.signed, []), 'too_few_witnesses')
    const witnesses = await world.witnesses([CUSTODIAN, 'county'], asked)
    const released = await world.release(HOLDER, asked.signed, witnesses)
    assert.ok(typeof released === 'object' && released.length === 1)
  })
})

test('a long record is released in ranges, with the digests of all fragments when asked', async () => {
  await withHolders(async (world) => {
    const long = await depositLong(world, 3 * MIB)
    const asked = world.request([long])
    const witnesses = await world.witnesses(OTHERS, asked)
    const { segmentCount } = long.record.set
    const how = { from: 1, count: 100, digests: 1 }
    const released = await world.release(HOLDER, asked.signed, witnesses, how)
    assert.ok(typeof released === 'object')
    const [one] = released
    assert.ok(one !== undefined)
    assert.equal(one.fragments.length, segmentCount - 1)
    assert.equal(one.digests.length, segmentCount)
    const shard = long.record.shards[one.index] ?? new Uint8Array(0)
    assert.deepEqual(Buffer.concat(one.fragments), Buffer.from(shard.subarray(512 * 1024 + 8)))
    const beyond = await world.release(HOLDER, asked.signed, witnesses, { from: segmentCount })
    assert.deepEqual(beyond, [])
  })
})

test('what is gone or damaged is left out of an answer, and the rest is given', async () => {
  await withHolders(async (world) => {
    const [good, gone, damaged] = [
      await world.deposit(),
      await world.deposit(),
      await world.deposit(),
    ]
    const { created } = world.hospital(HOLDER)
    const [kept] = await created.shards.of(gone.record.setId)
    assert.ok(kept !== undefined)
    await created.shards.delete(kept)
    await world.damage(HOLDER, { setId: damaged.record.setId, index: 1 })
    const asked = world.request([gone, good, damaged])
    const witnesses = await world.witnesses(OTHERS, asked)
    const released = await world.release(HOLDER, asked.signed, witnesses)
    assert.ok(typeof released === 'object')
    assert.deepEqual(
      released.map(({ setId }) => setId),
      [good.record.setId],
    )
    assert.deepEqual(world.hospital(HOLDER).damaged, [
      { setId: damaged.record.setId, index: 1, custodian: CUSTODIAN },
    ])
  })
})

async function depositLong(world: HolderWorld, size: number): Promise<Deposited> {
  const long = world.seal(size)
  for (const [index, holder] of long.holders.entries()) {
    const shard = long.record.shards[index] ?? new Uint8Array(0)
    const { set, manifest, holders } = world.itemOf(long, index)
    const name = { setId: long.record.setId, index }
    const head = { set, manifest, holders, index }
    await world.ask(CUSTODIAN, holder, {
      kind: 'deposit-begin',
      body: { head, shardBytes: shard.length },
    })
    await world.ask(CUSTODIAN, holder, {
      kind: 'deposit-part',
      body: { shard: name, offset: 0, part: shard },
    })
    const done = await world.ask(CUSTODIAN, holder, {
      kind: 'deposit-commit',
      body: { shard: name },
    })
    assert.equal(done.kind, 'receipt')
  }
  return long
}

test.run()
