// A database as a row of chunks, and back: what a backup holds of it. Keys in their order, values as they
// were put; a chunk begins and ends with a whole entry, so that each can be read alone.
//
//   entry = u32 length of the key | key | u32 length of the value | value          big-endian
//
// Reading out checks every value, so that nothing damaged passes for a backup. What is read in is checked
// by its digests before it comes here; lengths are bounded all the same.

import { concatBytes } from '@mooring/codec'
import type { Database, DatabaseOperation, DatabaseRange, PinnedDatabase } from './database.ts'
import { StorageError } from './errors.ts'
import { viewOf } from './integers.ts'

export const CHUNK_OF_ENTRIES_BYTES = 4 * 1024 * 1024
/** A value is no longer than a block may be, and the last one of a chunk goes beyond its size. */
export const CHUNK_OF_ENTRIES_BYTES_MAX = 72 * 1024 * 1024

/** Behind every key: they begin with a letter. */
export const EVERY_KEY: DatabaseRange = { from: new Uint8Array(0), to: Uint8Array.of(0xff) }

const LENGTH_BYTES = 4

export interface ChunkOfEntries {
  bytes: Uint8Array
  entries: number
}

/** @throws StorageError corrupt at the first value that is not what was put */
export async function* exportEntries(
  database: Pick<PinnedDatabase, 'iterate'>,
): AsyncGenerator<ChunkOfEntries> {
  let parts: Uint8Array[] = []
  let size = 0
  let entries = 0
  for await (const { key, value } of database.iterate(EVERY_KEY)) {
    parts.push(lengthOf(key), key, lengthOf(value), value)
    size += 2 * LENGTH_BYTES + key.length + value.length
    entries += 1
    if (size < CHUNK_OF_ENTRIES_BYTES) continue
    yield { bytes: concatBytes(...parts), entries }
    parts = []
    size = 0
    entries = 0
  }
  if (entries > 0) yield { bytes: concatBytes(...parts), entries }
}

/** How many there were; durable only with the last chunk that is synced. */
export async function importEntries(
  database: Pick<Database, 'batch'>,
  chunk: Uint8Array,
  { sync }: { sync: boolean },
): Promise<number> {
  const operations: DatabaseOperation[] = []
  const view = viewOf(chunk)
  let at = 0
  const next = (): Uint8Array => {
    if (at + LENGTH_BYTES > chunk.length) throw torn()
    const length = view.getUint32(at)
    const from = at + LENGTH_BYTES
    at = from + length
    if (at > chunk.length) throw torn()
    return chunk.slice(from, at)
  }
  while (at < chunk.length) {
    const key = next()
    operations.push({ type: 'put', key, value: next() })
  }
  await database.batch(operations, { sync })
  return operations.length
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  viewOf(length).setUint32(0, bytes.length)
  return length
}

function torn(): StorageError {
  return new StorageError('corrupt', 'a chunk of entries ends in the middle of one')
}
