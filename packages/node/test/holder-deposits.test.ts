// What a holder takes and what it refuses: whole shards, long ones in parts, keys, room.

import assert from 'node:assert/strict'
import { verify } from '@mooring/crypto'
import {
  type DepositItem,
  depositReceiptMessage,
  encodeKeyDeposit,
  encodeShardSet,
  type ShardName,
  type VaultAnswer,
} from '@mooring/records'
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
const INDEX = 1
const MIB = 1024 * 1024

function nameOf({ record }: Deposited, index = INDEX): ShardName {
  return { setId: record.setId, index }
}

async function deposit(
  world: HolderWorld,
  items: DepositItem[],
  { sender = CUSTODIAN, holder = HOLDER } = {},
): Promise<Extract<VaultAnswer, { kind: 'receipt' }>['body']> {
  const answer = await world.ask(sender, holder, { kind: 'deposit', body: { items } })
  assert.ok(answer.kind === 'receipt', JSON.stringify(answer))
  return answer.body
}

const received = (count: number) => ({ kind: 'part', body: { received: count } })
const refused = (code: string) => ({ kind: 'refusal', body: { code, retryAfterMs: 0 } })

async function codesOf(
  world: HolderWorld,
  item: DepositItem,
  how: { sender?: string; holder?: string } = {},
): Promise<string[]> {
  return (await deposit(world, [item], how)).refused.map(({ code }) => code)
}

async function have(world: HolderWorld, shard: ShardName, holder = HOLDER): Promise<boolean> {
  const answer = await world.ask(CUSTODIAN, holder, { kind: 'have', body: { shards: [shard] } })
  assert.ok(answer.kind === 'have')
  return answer.body.bitmap[0] === 1
}

test('a receipt is signed by the holder and names exactly what it keeps', async () => {
  await withHolders(async (world) => {
    const [good, bad] = [world.seal(), world.seal()]
    const wrong = { ...world.itemOf(bad, INDEX), shard: new Uint8Array(1371) }
    const receipt = await deposit(world, [wrong, world.itemOf(good, INDEX)])
    assert.deepEqual(receipt.refused, [{ position: 0, code: 'shard_wrong' }])
    const message = depositReceiptMessage({
      depositor: CUSTODIAN,
      holder: HOLDER,
      shards: [nameOf(good)],
    })
    assert.ok(verify(keyOf(HOLDER, 'anchor').publicKey, message, receipt.signature))
    assert.equal(await have(world, nameOf(good)), true)
    assert.equal(await have(world, nameOf(bad)), false)
  })
})

test('a deposit that is repeated is receipted again, and written once', async () => {
  await withHolders(async (world) => {
    const item = world.itemOf(world.seal(), INDEX)
    const first = await deposit(world, [item])
    const usage = world.hospital(HOLDER).store.usageOf(CUSTODIAN)
    world.hospital(HOLDER).disk.fault = () => {
      throw new Error('written twice')
    }
    const again = await deposit(world, [item])
    assert.deepEqual(again, first)
    assert.deepEqual(world.hospital(HOLDER).store.usageOf(CUSTODIAN), usage)
  })
})

test('only its custodian deposits a shard, at its holder, in a set that nobody holds alone', async () => {
  await withHolders(async (world) => {
    const sealed = world.seal()
    const item = world.itemOf(sealed, INDEX)
    const weak = { ...sealed.record.set, k: 1 }
    const altered = { ...sealed.record.set, gate: bytesOf('another gate') }
    const cases: [string, DepositItem, { sender?: string; holder?: string }?][] = [
      ['not_the_custodian', item, { sender: 'county' }],
      ['not_the_custodian', item, { sender: READER }],
      ['not_the_holder', item, { holder: 'county' }],
      ['set_malformed', { ...item, set: new Uint8Array(40) }],
      ['split_too_weak', { ...item, set: encodeShardSet(weak) }],
      ['index_out_of_range', { ...item, index: 4 }],
      ['not_the_holder', { ...item, holders: [HOLDER, HOLDER, HOLDER] }],
      ['placement_implausible', { ...item, holders: [HOLDER, HOLDER, 'county', 'lakeview'] }],
      ['shard_wrong', { ...item, shard: item.shard.subarray(1) }],
      ['shard_wrong', { ...item, index: 2, holders: ['st-mary', 'county', HOLDER, 'lakeview'] }],
    ]
    for (const [code, changed, how] of cases) {
      assert.deepEqual(await codesOf(world, changed, how), [code])
    }
    // Bound to the whole set: the same shard under another gate is a shard of another set.
    assert.deepEqual(await codesOf(world, { ...item, set: encodeShardSet(altered) }), [])
    assert.equal(await have(world, nameOf(sealed)), false)
    assert.deepEqual(await codesOf(world, item), [])
  })
})

test('nobody keeps two shards of a set, not from a custodian that moved one of them either', async () => {
  await withHolders(async (world) => {
    const others = ['st-mary', 'county', HOLDER, 'lakeview']
    for (const size of [500, MIB]) {
      const sealed = world.seal(size)
      const first = world.itemOf(sealed, INDEX)
      const second = { ...world.itemOf(sealed, 2), holders: others }
      if (size === 500) {
        const both = await deposit(world, [first, second])
        assert.deepEqual(both.refused, [{ position: 1, code: 'placement_implausible' }])
        assert.deepEqual(await codesOf(world, second), ['placement_implausible'])
        assert.deepEqual(await codesOf(world, first), [])
      } else {
        assert.deepEqual(await codesOf(world, first), [])
        const { shard, ...head } = second
        const body = { head, shardBytes: shard.length }
        const begun = await world.ask(CUSTODIAN, HOLDER, { kind: 'deposit-begin', body })
        assert.deepEqual(begun, refused('placement_implausible'))
      }
      assert.equal(await have(world, nameOf(sealed, 2)), false)
    }
  })
})

test('a stranger and a member that was removed are told so, and nothing else', async () => {
  await withHolders(async (world) => {
    const item = world.itemOf(world.seal(), INDEX)
    const request = { kind: 'deposit' as const, body: { items: [item] } }
    const refusal = { kind: 'refusal', body: { code: 'not_a_member', retryAfterMs: 0 } }
    assert.deepEqual(await world.ask('nobody', HOLDER, request), refusal)
    world.removed.add(CUSTODIAN)
    assert.deepEqual(await world.ask(CUSTODIAN, HOLDER, request), refusal)
    world.removed.delete(CUSTODIAN)
    assert.deepEqual(await codesOf(world, item), [])
  })
})

test('bytes that are no request are refused and noted, whatever they are', async () => {
  await withHolders(async (world) => {
    const whole = world.itemOf(world.seal(), INDEX)
    const wrongs = [new Uint8Array(0), new Uint8Array(100).fill(0x9f), whole.set]
    for (const bytes of wrongs) {
      const answer = await world.askBytes('county', HOLDER, bytes)
      assert.ok(answer.kind === 'refusal')
      assert.equal(answer.body.code, 'request_malformed')
    }
    const noted = world.hospital(HOLDER).noted.refused
    assert.deepEqual(
      noted.map(({ peer, code, request }) => [peer, code, request]),
      wrongs.map(() => ['county', 'request_malformed', null]),
    )
  })
})

test('a quota and the reserve of the disk end deposits before the disk is full', async () => {
  await withHolders(
    async (world) => {
      const { free, store } = world.hospital(HOLDER)
      const sealed = Array.from({ length: 4 }, () => world.seal())
      const items = sealed.map((one) => world.itemOf(one, INDEX))
      const receipt = await deposit(world, items)
      assert.deepEqual(
        receipt.refused.map(({ code }) => code),
        ['quota_exceeded', 'quota_exceeded'],
      )
      assert.equal(store.usageOf(CUSTODIAN).shards, 2)
      assert.ok(store.usageOf(CUSTODIAN).bytes <= 8_000)
      const own = { ...world.itemOf(world.seal(), INDEX) }
      free.bytes = 1024 ** 3 + 1_000
      world.clock.advance(1_000)
      assert.deepEqual(await codesOf(world, items[0] ?? own), [])
      assert.deepEqual(await codesOf(world, { ...own }), ['quota_exceeded'])
    },
    { quotaBytes: 8_000 },
  )
  await withHolders(async (world) => {
    const { free, store } = world.hospital(HOLDER)
    free.bytes = 1024 ** 3 + 1_000
    assert.deepEqual(await codesOf(world, world.itemOf(world.seal(), INDEX)), ['holder_full'])
    assert.equal(store.usageOf(CUSTODIAN).shards, 0)
    free.bytes += 10_000
    world.clock.advance(1_000)
    assert.deepEqual(await codesOf(world, world.itemOf(world.seal(), INDEX)), [])
  })
})

test('what comes at once does not pass a quota that each keeps alone', async () => {
  await withHolders(
    async (world) => {
      const items = Array.from({ length: 6 }, () => world.itemOf(world.seal(), INDEX))
      await Promise.all(items.map((item) => deposit(world, [item])))
      assert.ok(world.hospital(HOLDER).store.usageOf(CUSTODIAN).bytes <= 8_000)
    },
    { quotaBytes: 8_000 },
  )
})

test('a disk that is full after all is said as such, and a broken one without its details', async () => {
  await withHolders(async (world) => {
    const hospital = world.hospital(HOLDER)
    const item = world.itemOf(world.seal(), INDEX)
    const request = { kind: 'deposit' as const, body: { items: [item] } }
    const faults = [
      ['holder_full', Object.assign(new Error('no space left'), { code: 'ENOSPC' })],
      ['holder_failed', Object.assign(new Error('/var/lib/secret'), { code: 'EIO' })],
    ] as const
    for (const [code, error] of faults) {
      hospital.disk.fault = () => {
        throw error
      }
      const answer = await world.ask(CUSTODIAN, HOLDER, request)
      assert.deepEqual(answer, { kind: 'refusal', body: { code, retryAfterMs: 0 } })
    }
    hospital.disk.fault = null
    assert.deepEqual(await codesOf(world, item), [])
  })
})

test('a long shard comes in parts, goes on after a break, and counts when it is whole', async () => {
  await withHolders(async (world) => {
    const long = world.seal(5 * MIB)
    const shard = long.record.shards[INDEX] ?? new Uint8Array(0)
    const { set, manifest, holders, index } = world.itemOf(long, INDEX)
    const begin = {
      kind: 'deposit-begin' as const,
      body: { head: { set, manifest, holders, index }, shardBytes: shard.length },
    }
    const part = (offset: number, end: number) => ({
      kind: 'deposit-part' as const,
      body: { shard: nameOf(long), offset, part: shard.subarray(offset, end) },
    })
    const commit = { kind: 'deposit-commit' as const, body: { shard: nameOf(long) } }
    const ask = (request: Parameters<HolderWorld['ask']>[2]) =>
      world.ask(CUSTODIAN, HOLDER, request)

    assert.deepEqual(await ask(part(0, 10)), refused('upload_unknown'))
    assert.deepEqual(await ask(begin), received(0))
    assert.deepEqual(await ask(part(0, MIB)), received(MIB))
    assert.deepEqual(await ask(part(0, MIB)), received(MIB))
    assert.deepEqual(await ask(part(MIB + 1, 2 * MIB)), refused('part_out_of_order'))
    assert.deepEqual(await ask(commit), refused('part_missing'))
    assert.deepEqual(await ask(begin), received(MIB))
    assert.equal(await have(world, nameOf(long)), false)
    assert.deepEqual(await ask(part(MIB, shard.length)), received(shard.length))
    const receipt = await ask(commit)
    assert.ok(receipt.kind === 'receipt')
    assert.equal(await have(world, nameOf(long)), true)
    assert.deepEqual(await ask(commit), receipt)
    assert.deepEqual(await ask(begin), received(shard.length))
    assert.equal(world.hospital(HOLDER).store.usageOf(CUSTODIAN).shards, 1)
  })
})

test('a long shard with one wrong byte is no shard, and an upload that is left is thrown away', async () => {
  await withHolders(async (world) => {
    const long = world.seal(2 * MIB)
    const shard = (long.record.shards[INDEX] ?? new Uint8Array(0)).slice()
    shard[shard.length >> 1] = (shard[shard.length >> 1] ?? 0) ^ 1
    const { set, manifest, holders, index } = world.itemOf(long, INDEX)
    const begin = {
      kind: 'deposit-begin' as const,
      body: { head: { set, manifest, holders, index }, shardBytes: shard.length },
    }
    const send = () =>
      world.ask(CUSTODIAN, HOLDER, {
        kind: 'deposit-part',
        body: { shard: nameOf(long), offset: 0, part: shard },
      })
    await world.ask(CUSTODIAN, HOLDER, begin)
    await send()
    const commit = { kind: 'deposit-commit' as const, body: { shard: nameOf(long) } }
    const answer = await world.ask(CUSTODIAN, HOLDER, commit)
    assert.ok(answer.kind === 'refusal')
    assert.equal(answer.body.code, 'shard_wrong')
    assert.equal(await have(world, nameOf(long)), false)

    await world.ask(CUSTODIAN, HOLDER, begin)
    assert.equal((await send()).kind, 'part')
    world.clock.advance(60_000)
    await new Promise(setImmediate)
    assert.equal((await send()).kind, 'refusal')
    const { files } = world.hospital(HOLDER)
    assert.deepEqual(await files.readDirectory('/blobs/incoming'), [])
  })
})

test('uploads are few at a time, so that nobody fills the disk with beginnings', async () => {
  await withHolders(async (world) => {
    const codes: string[] = []
    for (let begun = 0; begun < 6; begun += 1) {
      const long = world.seal(2 * MIB)
      const { set, manifest, holders, index } = world.itemOf(long, INDEX)
      const shardBytes = long.record.shards[INDEX]?.length ?? 0
      const head = { set, manifest, holders, index }
      const body = { head, shardBytes }
      const answer = await world.ask(CUSTODIAN, HOLDER, { kind: 'deposit-begin', body })
      codes.push(answer.kind === 'refusal' ? answer.body.code : answer.kind)
    }
    assert.deepEqual(codes, ['part', 'part', 'part', 'part', 'busy', 'busy'])
  })
})

test('keys and shards under them go to the disk at once, and no shard without its key', async () => {
  await withHolders(async (world) => {
    const [one, two] = [world.itemOf(world.seal(), INDEX), world.itemOf(world.seal(), INDEX)]
    const key = encodeKeyDeposit({ id: bytesOf('id'), custodian: CUSTODIAN, wraps: [] })
    const give = (keys: Uint8Array[], items: DepositItem[]) =>
      world.ask(CUSTODIAN, HOLDER, { kind: 'deposit-with-keys', body: { keys, items } })
    const { store, disk, free } = world.hospital(HOLDER)
    let writes = 0
    disk.fault = () => {
      writes += 1
      throw Object.assign(new Error('broken'), { code: 'EIO' })
    }
    assert.deepEqual(await give([key], [one]), refused('holder_failed'))
    assert.equal(writes, 1)
    disk.fault = null
    assert.deepEqual(await give([new Uint8Array(9)], [one]), refused('keys_malformed'))
    free.bytes = 0
    world.clock.advance(2_000)
    assert.deepEqual(await give([key], [one]), refused('holder_full'))
    assert.deepEqual(store.usageOf(CUSTODIAN), { shards: 0, bytes: 0 })
    free.bytes = 1024 ** 4
    world.clock.advance(2_000)
    const wrong = { ...two, shard: one.shard }
    const answer = await give([key], [one, wrong, one, two])
    assert.ok(answer.kind === 'receipt')
    assert.deepEqual(answer.body.refused, [{ position: 1, code: 'shard_wrong' }])
    assert.equal(store.usageOf(CUSTODIAN).shards, 2)
    assert.equal(await store.countKeys(CUSTODIAN), 1)
    const again = await give([key], [two])
    assert.ok(again.kind === 'receipt' && again.body.refused.length === 0)
  })
})

test('keys are deposited by their custodian, and everybody may list them, page by page', async () => {
  await withHolders(async (world) => {
    const deposits = [1, 2, 3].map((number) =>
      encodeKeyDeposit({ id: bytesOf(`id ${number}`), custodian: CUSTODIAN, wraps: [] }),
    )
    const body = { items: deposits }
    const foreign = await world.ask('county', HOLDER, { kind: 'deposit-keys', body })
    assert.ok(foreign.kind === 'refusal' && foreign.body.code === 'not_the_custodian')
    const junk = { items: [new Uint8Array(9)] }
    const malformed = await world.ask(CUSTODIAN, HOLDER, { kind: 'deposit-keys', body: junk })
    assert.ok(malformed.kind === 'refusal' && malformed.body.code === 'keys_malformed')
    const done = await world.ask(CUSTODIAN, HOLDER, { kind: 'deposit-keys', body })
    assert.equal(done.kind, 'done')

    const found: Uint8Array[] = []
    let after: Uint8Array | null = null
    do {
      const answer: VaultAnswer = await world.ask(READER, HOLDER, {
        kind: 'list-keys',
        body: { custodian: CUSTODIAN, after, limit: 2 },
      })
      assert.ok(answer.kind === 'list-keys')
      found.push(...answer.body.items)
      after = answer.body.next
    } while (after !== null)
    assert.deepEqual(
      new Set(found.map((bytes) => bytes.join())),
      new Set(deposits.map((bytes) => bytes.join())),
    )
    assert.equal(found.length, 3)
  })
})

test('the sets of a custodian are listed by any holder of them, also when it is gone', async () => {
  await withHolders(async (world) => {
    const records = [await world.deposit(), await world.deposit(), await world.deposit()]
    world.removed.add(CUSTODIAN)
    const names: string[] = []
    let after: Uint8Array | null = null
    do {
      const answer: VaultAnswer = await world.ask(READER, 'county', {
        kind: 'list',
        body: { custodian: CUSTODIAN, after, limit: 2 },
      })
      assert.ok(answer.kind === 'list')
      names.push(...answer.body.items.map(({ set }) => set.join()))
      assert.ok(answer.body.items.every(({ index, holders }) => holders[index] === 'county'))
      after = answer.body.next
    } while (after !== null)
    const expected = records.map(({ record }) => record.encodedSet.join())
    assert.deepEqual(names.toSorted(), expected.toSorted())
  })
})

test('a damaged byte on the disk makes a shard missing, and is told once', async () => {
  await withHolders(async (world) => {
    const deposited = await world.deposit()
    await world.damage(HOLDER, nameOf(deposited))
    const { damaged } = world.hospital(HOLDER)
    assert.equal(await have(world, nameOf(deposited)), false)
    assert.equal(await have(world, nameOf(deposited)), false)
    assert.deepEqual(damaged, [{ ...nameOf(deposited), custodian: CUSTODIAN }])
    assert.equal(world.hospital(HOLDER).created.shards.usage().damaged, 1)
    assert.equal(await have(world, nameOf(deposited, 2), 'county'), true)
    const receipt = await deposit(world, [world.itemOf(deposited, INDEX)])
    assert.deepEqual(receipt.refused, [])
    assert.equal(await have(world, nameOf(deposited)), true)
    assert.equal(world.hospital(HOLDER).created.shards.usage().damaged, 0)
  })
})

test('a blob that a crash left without its shard is found, and one that has its shard stays', async () => {
  await withHolders(async (world) => {
    const sealed = world.seal(MIB)
    const { created } = world.hospital(HOLDER)
    await deposit(world, [world.itemOf(sealed, INDEX)])
    assert.deepEqual(await created.shards.orphans(), [])
    const [kept] = await created.shards.of(sealed.record.setId)
    assert.ok(kept !== undefined)
    await world.hospital(HOLDER).store.delete(CUSTODIAN, [kept.head])
    const orphans = await created.shards.orphans()
    assert.deepEqual(orphans, [sealed.record.set.leaves[INDEX]])
    await deposit(world, [world.itemOf(sealed, INDEX)])
    assert.equal(await created.shards.removeOrphans(orphans), 0)
    const [again] = await created.shards.of(sealed.record.setId)
    assert.ok(again !== undefined)
    assert.equal(await created.shards.verify(again), true)
    await created.shards.delete(again)
    assert.deepEqual(await created.shards.orphans(), [])
    assert.equal(await have(world, nameOf(sealed)), false)
  })
})

test('every holder of four keeps one shard, and no holder two', async () => {
  await withHolders(async (world) => {
    const { record } = await world.deposit()
    for (const [index, name] of NAMES.entries()) {
      const kept = await world.hospital(name).created.shards.of(record.setId)
      assert.deepEqual(
        kept.map(({ head }) => head.index),
        [index],
      )
    }
  })
})

test.run()
