import assert from 'node:assert/strict'
import { join } from 'node:path'
import { compareBytes, toHex } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { openDatabase, openDatabaseOn } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { keyDepositKey, shardHeadKey, shardKey, usageKey } from '../src/keys.ts'
import { MemoryLevel } from '../src/memory-level.ts'
import type { NewShard, ShardList, ShardName } from '../src/kept-shard.ts'
import { ShardStore } from '../src/shard-store.ts'
import { inFolder } from './folder.ts'

const textBytes = (text: string) => new TextEncoder().encode(text)
const setIdOf = (number: number) => sha256(textBytes(`set ${number}`))

function shardOf(number: number, changes: Partial<NewShard> = {}): NewShard {
  return {
    setId: setIdOf(number),
    index: number % 5,
    custodian: 'north',
    set: textBytes(`set ${number}`),
    manifest: textBytes(`sealed ${number}`),
    holders: ['north', 'south', 'east'],
    content: { kind: 'inline', body: new Uint8Array(100).fill(number) },
    ...changes,
  }
}

const sizeOf = ({ content, set, manifest }: NewShard) =>
  set.length +
  manifest.length +
  (content.kind === 'inline' ? content.body.length : content.body.bytes)

async function withStore(
  work: (store: ShardStore, reopen: () => Promise<ShardStore>) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const database = await openDatabase(join(folder, 'vault'), { name: 'vault' })
    try {
      await work(await ShardStore.open(database), () => ShardStore.open(database))
    } finally {
      await database.close()
    }
  })
}

/** A store in memory, whose values a test can damage. */
async function withDamage(
  work: (
    store: ShardStore,
    damage: (key: Uint8Array) => Promise<void>,
    reopen: () => Promise<ShardStore>,
  ) => Promise<void>,
): Promise<void> {
  const level = new MemoryLevel('vault')
  const database = await openDatabaseOn(level, 'vault')
  const damage = async (key: Uint8Array): Promise<void> => {
    const stored = level.getSync(key)
    assert.ok(stored !== undefined)
    stored[stored.length - 1] = (stored.at(-1) ?? 0) ^ 1
    const batch = level.batch()
    batch.put(key, stored)
    await batch.write({ sync: true })
  }
  await work(await ShardStore.open(database), damage, () => ShardStore.open(database))
}

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StorageError && error.code === code
}

test('what was put is found again, by set and by custodian, also after a restart', async () => {
  await withStore(async (first, reopen) => {
    const shards = [1, 2, 3].map((number) => shardOf(number))
    await first.put(shards)
    for (const store of [first, await reopen()]) {
      for (const shard of shards) {
        const { content, ...head } = shard
        assert.deepEqual(store.content(shard), content)
        assert.deepEqual(store.head(shard), { ...head, bytes: 100 })
        assert.deepEqual(await store.indexesOf(shard.setId), [shard.index])
      }
      const bytes = shards.reduce((sum, shard) => sum + sizeOf(shard), 0)
      assert.deepEqual(store.usageOf('north'), { shards: 3, bytes })
    }
    assert.equal(first.content({ setId: setIdOf(9), index: 0 }), undefined)
    assert.equal(first.head({ setId: setIdOf(1), index: 3 }), undefined)
  })
})

test('sets are listed in the order of their names, a page at a time, one custodian apart', async () => {
  await withStore(async (store) => {
    const numbers = Array.from({ length: 25 }, (_, number) => number)
    await store.put(numbers.map((number) => shardOf(number)))
    await store.put([shardOf(99, { custodian: 'northern' }), shardOf(98, { custodian: 'nort' })])
    const names: string[] = []
    let after: ShardName | null = null
    do {
      const { heads, damaged, next }: ShardList = await store.list('north', after, 7)
      assert.deepEqual(damaged, [])
      assert.ok(heads.length <= 7)
      names.push(...heads.map(({ setId }) => toHex(setId)))
      after = next
    } while (after !== null)
    assert.deepEqual(names, numbers.map((number) => toHex(setIdOf(number))).toSorted())
    assert.equal((await store.list('northern', null, 10)).heads.length, 1)
    assert.equal((await store.list('nobody', null, 10)).heads.length, 0)
  })
})

test('usage is what is there, whatever was put, replaced and deleted at the same time', async () => {
  const steps = fc.array(fc.record({ number: fc.nat(4), size: fc.nat(40), isPut: fc.boolean() }), {
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      await withDamage(async (store, _damage, reopen) => {
        const expected = new Map<number, number>()
        const done = all.map(({ number, size, isPut }) => {
          const shard = shardOf(number, { content: { kind: 'inline', body: new Uint8Array(size) } })
          if (isPut) expected.set(number, sizeOf(shard))
          else expected.delete(number)
          return isPut ? store.put([shard]) : store.delete('north', [shard])
        })
        await Promise.all(done)
        const bytes = [...expected.values()].reduce((sum, size) => sum + size, 0)
        for (const each of [store, await reopen()]) {
          assert.deepEqual(each.usageOf('north'), { shards: expected.size, bytes })
        }
      })
    }),
    { numRuns: 60 },
  )
})

test('writes that meet go to the disk together', async () => {
  let batches = 0
  const level = new MemoryLevel('vault', () => {
    batches += 1
    return new Promise((resolve) => setImmediate(resolve))
  })
  const store = await ShardStore.open(await openDatabaseOn(level, 'vault'))
  batches = 0
  await Promise.all(Array.from({ length: 50 }, (_, number) => store.put([shardOf(number)])))
  assert.ok(batches <= 2, `${batches} batches`)
  assert.equal(store.usageOf('north').shards, 50)
})

test('a disk that is full is told to everybody in the batch, and changes no count', async () => {
  let isFull = false
  const level = new MemoryLevel('vault', () =>
    isFull
      ? Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
      : Promise.resolve(),
  )
  const store = await ShardStore.open(await openDatabaseOn(level, 'vault'))
  await store.put([shardOf(1)])
  const before = store.usageOf('north')
  isFull = true
  const both = [store.put([shardOf(2)]), store.put([shardOf(3)])]
  for (const one of both) await assert.rejects(one, withCode('full'))
  assert.deepEqual(store.usageOf('north'), before)
  isFull = false
  await store.put([shardOf(2)])
  assert.equal(store.usageOf('north').shards, 2)
})

test('what was put is there after a power loss, with its count, and nothing half', async () => {
  for (let seed = 0; seed < 40; seed += 1) {
    const random = () => ((seed * 7_919 + 13) % 97) / 97
    const level = new MemoryLevel('vault')
    const store = await ShardStore.open(await openDatabaseOn(level, 'vault'))
    const durable: number[] = []
    const writes = [1, 2, 3, 4, 5].map(async (number) => {
      for (let turn = 0; turn < (number * seed) % 7; turn += 1) await Promise.resolve()
      await store.put([shardOf(number), shardOf(number + 10)])
      durable.push(number)
    })
    for (let turn = 0; turn < seed; turn += 1) await Promise.resolve()
    const before = [...durable]
    const survivor = level.afterPowerLoss(random)
    const after = await ShardStore.open(await openDatabaseOn(survivor, 'vault'))
    const found = [1, 2, 3, 4, 5].filter((number) => {
      const here = [number, number + 10].map((each) => after.content(shardOf(each)) !== undefined)
      assert.equal(here[0], here[1])
      return here[0]
    })
    assert.ok(
      before.every((number) => found.includes(number)),
      `${before.join()} ${found.join()}`,
    )
    assert.equal(after.usageOf('north').shards, found.length * 2)
    await Promise.all(writes)
  }
})

test('acceptance 6: a damaged shard is not an answer, its head stays, and a fresh one repairs it', async () => {
  await withDamage(async (store, damage) => {
    const shard = shardOf(1)
    await store.put([shard, shardOf(2)])
    await damage(shardKey(shard.setId, shard.index))
    assert.throws(() => store.content(shard), withCode('corrupt'))
    assert.throws(() => store.head(shard), withCode('corrupt'))
    assert.equal(store.headOf('north', shard)?.bytes, 100)
    assert.equal((await store.list('north', null, 10)).heads.length, 2)
    await store.put([shard])
    assert.deepEqual(store.content(shard), shard.content)
    assert.equal(store.usageOf('north').shards, 2)
  })
})

test('a damaged head hides nothing but itself', async () => {
  await withDamage(async (store, damage) => {
    const shard = shardOf(1)
    await store.put([shard, shardOf(2), shardOf(3)])
    await damage(shardHeadKey('north', shard.setId, shard.index))
    const { heads, damaged } = await store.list('north', null, 10)
    assert.equal(heads.length, 2)
    const name = { setId: shard.setId, index: shard.index }
    assert.deepEqual(damaged, [name])
    const before = heads.filter(({ setId }) => compareBytes(setId, shard.setId) < 0).at(-1) ?? null
    const { next } = await store.list('north', before, 1)
    assert.deepEqual(next, name)
    await store.put([shard])
    assert.deepEqual((await store.list('north', null, 10)).damaged, [])
  })
})

test('a damaged count is counted again', async () => {
  await withDamage(async (store, damage, reopen) => {
    await store.put([shardOf(1), shardOf(2)])
    await store.putKeys('north', [{ id: setIdOf(7), deposit: new Uint8Array(33) }])
    const before = store.usageOf('north')
    await damage(usageKey('north'))
    assert.deepEqual((await reopen()).usageOf('north'), before)
  })
})

test('holders change without the shard', async () => {
  await withStore(async (store) => {
    const shard = shardOf(1)
    await store.put([shard])
    assert.equal(await store.setHolders(shard, ['west']), true)
    assert.deepEqual(store.head(shard)?.holders, ['west'])
    assert.deepEqual(store.content(shard), shard.content)
    assert.equal(await store.setHolders({ setId: setIdOf(5), index: 0 }, ['west']), false)
  })
})

test('a blob belongs to the shards that are in it, until the last is gone', async () => {
  await withStore(async (store) => {
    const blob = setIdOf(77)
    const content = {
      kind: 'blob' as const,
      body: { id: blob, bytes: 5_000_000 },
    }
    const [one, two] = [shardOf(1, { content }), shardOf(2, { content })]
    assert.equal(await store.isBlobUsed(blob), false)
    await store.put([one, two])
    assert.equal(store.head(one)?.bytes, 5_000_000)
    assert.deepEqual(store.content(two), content)
    await store.delete('north', [one])
    assert.equal(await store.isBlobUsed(blob), true)
    await store.delete('north', [two])
    assert.equal(await store.isBlobUsed(blob), false)
    assert.deepEqual(store.usageOf('north'), { shards: 0, bytes: 0 })
  })
})

test('key deposits are kept per custodian, once each, in the order of their ids', async () => {
  await withStore(async (store) => {
    const deposits = [3, 1, 2].map((number) => ({
      id: setIdOf(number),
      deposit: new Uint8Array(50).fill(number),
    }))
    await store.putKeys('north', deposits)
    await store.putKeys('north', deposits.slice(0, 1))
    await store.putKeys('south', [{ id: setIdOf(9), deposit: new Uint8Array(1) }])
    const first = await store.listKeys('north', null, 2)
    const rest = await store.listKeys('north', first.at(-1)?.id ?? null, 2)
    const sorted = deposits.toSorted((a, b) => compareBytes(a.id, b.id))
    assert.deepEqual([...first, ...rest], sorted)
    assert.deepEqual(store.usageOf('north'), { shards: 0, bytes: 150 })
    assert.equal(await store.countKeys('north'), 3)
    assert.equal(await store.countKeys('nobody'), 0)
  })
})

test('a page of key deposits is as long as asked, also where one of them is damaged', async () => {
  await withDamage(async (store, damage) => {
    const ids = [1, 2, 3, 4].map(setIdOf).toSorted(compareBytes)
    await store.putKeys(
      'north',
      ids.map((id) => ({ id, deposit: new Uint8Array(50) })),
    )
    const [first, second] = ids
    assert.ok(first !== undefined && second !== undefined)
    await damage(keyDepositKey('north', second))
    const page = await store.listKeys('north', null, 2)
    assert.deepEqual(
      page.map(({ id }) => id),
      [first, ids[2]],
    )
  })
})

test.run()
