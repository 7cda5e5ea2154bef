import assert from 'node:assert/strict'
import { test } from 'uvu'
import { openDatabaseOn } from '../src/database.ts'
import { LibraryStore } from '../src/library-store.ts'
import { MemoryLevel } from '../src/memory-level.ts'

const scope = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
const name = (byte: number): Uint8Array => new Uint8Array(33).fill(byte)

async function namesIn(library: LibraryStore, of: Uint8Array): Promise<[number, number][]> {
  const found: [number, number][] = []
  for await (const entry of library.entries(of)) {
    found.push([entry.name[0] ?? -1, entry.value[0] ?? -1])
  }
  return found
}

test('a scope has its own entries, in order, the last of a name alone', async () => {
  const library = new LibraryStore(await openDatabaseOn(new MemoryLevel('library'), 'vault'))
  await library.put(scope(1), [
    { name: name(9), value: Uint8Array.of(1) },
    { name: name(0xff), value: Uint8Array.of(2) },
    { name: name(0), value: Uint8Array.of(3) },
  ])
  await library.put(scope(2), [{ name: name(5), value: Uint8Array.of(4) }])
  await library.put(scope(1), [{ name: name(9), value: Uint8Array.of(5) }])
  assert.deepEqual(await namesIn(library, scope(1)), [
    [0, 3],
    [9, 5],
    [0xff, 2],
  ])
  assert.deepEqual(await namesIn(library, scope(2)), [[5, 4]])
  assert.deepEqual(await namesIn(library, scope(3)), [])
})

test.run()
