// What a holder does when a record is erased or restricted, and what it does not believe.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { tombstoneItem } from '@mooring/ledger'
import { type DeletionReceipt, isDeletionSigned } from '@mooring/records'
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
const SALT = bytesOf('salt')
const INDEX = NAMES.indexOf(HOLDER)
const LARGE = 2 * 1024 * 1024

const refuse = (): Promise<never> => Promise.reject(new Error('not asked'))

async function erase(
  world: HolderWorld,
  { record: { setId } }: Deposited,
  { sender = CUSTODIAN, holder = HOLDER, salt = SALT } = {},
): Promise<DeletionReceipt | string> {
  const answer = await world.ask(sender, holder, { kind: 'erase', body: { setId, salt } })
  if (answer.kind === 'refusal') return answer.body.code
  assert.ok(answer.kind === 'erased')
  return answer.body
}

async function erased(world: HolderWorld, deposited: Deposited): Promise<DeletionReceipt> {
  world.tombstones.put(CUSTODIAN, deposited.record.setId, SALT)
  const receipt = await erase(world, deposited)
  assert.ok(typeof receipt === 'object', JSON.stringify(receipt))
  return receipt
}

/** Whether these bytes are in any value of the database of a holder. */
async function isOnDisk(world: HolderWorld, holder: string, wanted: Uint8Array): Promise<boolean> {
  const { level } = world.hospital(holder)
  const all = {
    gte: new Uint8Array(0),
    lt: new Uint8Array(200).fill(255),
    reverse: false,
    limit: -1,
  }
  for await (const [, value] of level.iterator(all))
    if (Buffer.from(value).includes(Buffer.from(wanted))) return true
  return false
}

test('an erased set is deleted, with a signed statement, and nothing of it is on the disk', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const other = await world.deposit()
    const { record } = deposited
    const shard = record.shards[INDEX] ?? new Uint8Array(0)
    assert.ok(await isOnDisk(world, HOLDER, record.manifest))
    world.tombstones.height = 9
    const { content, signature } = await erased(world, deposited)
    const item = tombstoneItem(record.setId, SALT)
    const expected = { custodian: CUSTODIAN, holder: HOLDER, item, shards: [INDEX], height: 9 }
    assert.deepEqual(content, expected)
    const key = keyOf(HOLDER, 'anchor').publicKey
    assert.ok(isDeletionSigned({ content, signature }, world.genesisDigest, key))
    assert.ok(!(await isOnDisk(world, HOLDER, record.manifest)))
    assert.ok(!(await isOnDisk(world, HOLDER, shard.subarray(0, 200))))
    assert.ok(await isOnDisk(world, HOLDER, other.record.manifest))
    assert.equal(await world.release(HOLDER, world.request([deposited]).signed, []), 'no_such_set')
  })
})

test('a long shard goes with its file', async () => {
  await withHolders(async (world) => {
    const deposited = world.seal(LARGE)
    const { record } = deposited
    const item = world.itemOf(deposited, INDEX)
    const { shard, ...head } = item
    const name = { setId: record.setId, index: INDEX }
    const send = (request: Parameters<HolderWorld['ask']>[2]) =>
      world.ask(CUSTODIAN, HOLDER, request)
    const begin = { kind: 'deposit-begin', body: { head, shardBytes: shard.length } } as const
    await send(begin)
    await send({ kind: 'deposit-part', body: { shard: name, offset: 0, part: shard } })
    const commit = { kind: 'deposit-commit', body: { shard: name } } as const
    assert.equal((await send(commit)).kind, 'receipt')
    const { shards } = world.hospital(HOLDER).created
    assert.ok(await shards.has(name))
    await erased(world, deposited)
    assert.ok(!(await shards.has(name)))
    assert.deepEqual(await shards.orphans(), [], 'no file is left')
    const again = await send(begin)
    assert.ok(again.kind === 'refusal' && again.body.code === 'set_erased', JSON.stringify(again))
  })
})

test('only a final tombstone of this very set, by its custodian, erases', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    assert.equal(await erase(world, deposited), 'tombstone_unknown')
    world.tombstones.put(CUSTODIAN, bytesOf('another set'), SALT)
    assert.equal(await erase(world, deposited), 'tombstone_unknown')
    world.tombstones.put(CUSTODIAN, deposited.record.setId, SALT)
    assert.equal(await erase(world, deposited, { salt: bytesOf('other') }), 'tombstone_unknown')
    assert.equal(await erase(world, deposited, { sender: 'county' }), 'tombstone_unknown')
    world.tombstones.put('county', deposited.record.setId, SALT)
    assert.equal(await erase(world, deposited, { sender: 'county' }), 'not_the_custodian')
    const [kept] = await world.hospital(HOLDER).created.shards.of(deposited.record.setId)
    assert.ok(kept !== undefined)
  })
})

test('the tombstone of another custodian keeps nobody from depositing', async () => {
  await withHolders(async (world) => {
    const deposited = world.seal()
    world.tombstones.put('county', deposited.record.setId, SALT)
    const receipt = await erase(world, deposited, { sender: 'county' })
    assert.ok(typeof receipt === 'object' && receipt.content.shards.length === 0)
    const items = [world.itemOf(deposited, INDEX)]
    const answer = await world.ask(CUSTODIAN, HOLDER, { kind: 'deposit', body: { items } })
    assert.ok(answer.kind === 'receipt')
    assert.deepEqual(answer.body.refused, [])
  })
})

test('asked again, a holder says the same; what was erased is not taken and not made again', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const first = await erased(world, deposited)
    assert.deepEqual(await erase(world, deposited), first)
    const items = [world.itemOf(deposited, INDEX)]
    const answer = await world.ask(CUSTODIAN, HOLDER, { kind: 'deposit', body: { items } })
    assert.ok(answer.kind === 'receipt')
    assert.deepEqual(answer.body.refused, [{ position: 0, code: 'set_erased' }])
    assert.deepEqual(await world.hospital(HOLDER).created.shards.of(deposited.record.setId), [])
  })
})

test('a damaged shard is erased like any other', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    await world.damage(HOLDER, { setId: deposited.record.setId, index: INDEX })
    assert.deepEqual((await erased(world, deposited)).content.shards, [INDEX])
    assert.ok(!(await isOnDisk(world, HOLDER, deposited.record.manifest)))
  })
})

test('whoever kept a copy of what it has read is told to forget it', async () => {
  await withHolders(async (world) => {
    const forgotten: string[] = []
    world.handlers = {
      catalogue: refuse,
      fields: refuse,
      repair: refuse,
      restore: refuse,
      moved: refuse,
      reported: refuse,
      emergency: refuse,
      erased: (setId) => {
        forgotten.push(toHex(setId))
        return Promise.resolve()
      },
    }
    const deposited = await world.deposit()
    await erased(world, deposited)
    assert.deepEqual(forgotten, [toHex(deposited.record.setId)])
  })
})

async function restrict(
  world: HolderWorld,
  { record: { setId } }: Deposited,
  { sender = CUSTODIAN, isRestricted = 1 } = {},
): Promise<string> {
  const body = { sets: [{ setId, isRestricted }] }
  return (await world.ask(sender, HOLDER, { kind: 'restrict', body })).kind
}

test('no grant opens a restricted record, and its custodian alone restricts and lifts', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    const asked = () => world.request([deposited])
    const own = () => world.request([deposited], { reader: CUSTODIAN, grant: null })
    assert.equal(await restrict(world, deposited, { sender: READER }), 'done')
    assert.equal(typeof (await world.witness(HOLDER, asked())), 'object')
    assert.equal(await restrict(world, deposited), 'done')
    assert.equal(await world.witness(HOLDER, asked()), 'restricted')
    const { signed } = asked()
    assert.equal(await world.release(HOLDER, signed, []), 'restricted')
    assert.equal(typeof (await world.witness(HOLDER, own())), 'object')
    const { refused } = world.hospital(HOLDER).noted
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['restricted', 'restricted'],
    )
    assert.equal(await restrict(world, deposited, { sender: READER, isRestricted: 0 }), 'done')
    assert.equal(await world.witness(HOLDER, asked()), 'restricted')
    assert.equal(await restrict(world, deposited, { isRestricted: 0 }), 'done')
    assert.equal(typeof (await world.witness(HOLDER, asked())), 'object')
  })
})

test('restricting does not bring back what was erased', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    await erased(world, deposited)
    for (const isRestricted of [1, 0]) await restrict(world, deposited, { isRestricted })
    const { marks } = world.hospital(HOLDER).store
    assert.ok(marks.isErased(CUSTODIAN, deposited.record.setId))
  })
})

test.run()
