import assert from 'node:assert/strict'
import { compareBytes } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import { openDatabaseOn } from '../src/database.ts'
import { LeafStore } from '../src/leaf-store.ts'
import { MemoryLevel } from '../src/memory-level.ts'

const hashOf = (name: string) => sha256(new TextEncoder().encode(name))

function edge(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte)
}

function batchOf(name: string, count = 16) {
  const leaves = Array.from({ length: count }, (_, at) => hashOf(`${name} ${at}`))
  return { root: hashOf(name), batch: hashOf(`bytes of ${name}`), leaves }
}

async function open(): Promise<LeafStore> {
  return new LeafStore(await openDatabaseOn(new MemoryLevel('vault'), 'vault'))
}

test('a batch is found by its root, for its custodian alone', async () => {
  const store = await open()
  const one = batchOf('one')
  await store.put('north', [one])
  await store.put('north', [one])
  assert.deepEqual(store.get('north', one.root), one.batch)
  assert.equal(store.has('nort', one.root), false)
  assert.equal(store.has('north', hashOf('two')), false)
  assert.deepEqual(await store.list('north', null, 10), [one.root])
})

test('roots are listed in pages, each once, and none of another custodian', async () => {
  const store = await open()
  const all = Array.from({ length: 7 }, (_, at) => batchOf(`batch ${at}`))
  await store.put('north', all)
  await store.put('north-2', [batchOf('other')])
  const found: Uint8Array[] = []
  let after: Uint8Array | null = null
  for (;;) {
    const page: Uint8Array[] = await store.list('north', after, 3)
    found.push(...page)
    if (page.length < 3) break
    after = page.at(-1) ?? null
  }
  assert.deepEqual(found, all.map(({ root }) => root).toSorted(compareBytes))
})

test('leaves are found by how they begin, the first and the last as well', async () => {
  const store = await open()
  const leaves = [edge(0), edge(0xff), ...batchOf('more', 300).leaves]
  await store.put('north', [{ ...batchOf('one'), leaves }])
  for (const prefix of [[], [0], [0xff], [0xff, 0xff, 0xff, 0xff], [7], [7, 7]]) {
    const expected = leaves
      .filter((leaf) => prefix.every((byte, at) => leaf[at] === byte))
      .toSorted(compareBytes)
    const found = await store.find('north', Uint8Array.from(prefix), 1_000)
    assert.deepEqual(
      found.map(({ leaf }) => leaf),
      expected,
    )
    for (const { leaf, root, index } of found) {
      assert.deepEqual(leaves[index], leaf)
      assert.deepEqual(root, hashOf('one'))
    }
  }
  assert.equal((await store.find('north', new Uint8Array(0), 5)).length, 5)
  assert.deepEqual(await store.find('south', new Uint8Array(0), 5), [])
})

test.run()
