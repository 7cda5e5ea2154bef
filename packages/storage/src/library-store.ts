// What a reader keeps of records that it may read elsewhere: heads with their sealed manifests, and the
// deposits with its class keys, by scope.
//
// A scope is one patient at one custodian. Its name, the names in it and the values are made by who
// writes them; here they are bytes. Everything can be had again from the custodian or the holders, so what
// the disk has damaged is left out.

import { concatBytes, equalBytes } from '@mooring/codec'
import type { Database, DatabaseOperation } from './database.ts'
import { unlessDamaged } from './errors.ts'
import { libraryKey } from './keys.ts'

export const SCOPE_BYTES = 16
export const LIBRARY_NAME_BYTES = 33

export interface LibraryEntry {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

export class LibraryStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Durable when this resolves; what was there under the same name is replaced. */
  async put(scope: Uint8Array, entries: readonly LibraryEntry[]): Promise<void> {
    const operations = entries.map(({ name, value }): DatabaseOperation => {
      return { type: 'put', key: keyOf(scope, name), value }
    })
    if (operations.length > 0) await this.#database.batch(operations, { sync: true })
  }

  /** In the order of their names. */
  async *entries(scope: Uint8Array): AsyncGenerator<LibraryEntry> {
    const from = keyOf(scope, new Uint8Array(0))
    const to = concatBytes(from, new Uint8Array(LIBRARY_NAME_BYTES + 1).fill(0xff))
    for await (const key of this.#database.keys({ from, to })) {
      const value = unlessDamaged(() => this.#database.getSync(key))
      if (value !== undefined) yield { name: key.slice(from.length), value }
    }
  }

  /** Whatever is under these names, in whichever scope; the files of the database have it no more. */
  async forget(names: readonly Uint8Array[]): Promise<number> {
    const from = libraryKey(new Uint8Array(0), new Uint8Array(0))
    const to = concatBytes(from, new Uint8Array(SCOPE_BYTES + LIBRARY_NAME_BYTES + 1).fill(0xff))
    const found: DatabaseOperation[] = []
    for await (const key of this.#database.keys({ from, to })) {
      const own = key.subarray(from.length + SCOPE_BYTES)
      if (names.some((name) => equalBytes(name, own))) found.push({ type: 'del', key })
    }
    if (found.length > 0) await this.#database.purge(found)
    return found.length
  }
}

function keyOf(scope: Uint8Array, name: Uint8Array): Uint8Array {
  if (scope.length !== SCOPE_BYTES) throw new RangeError(`a scope of ${scope.length} bytes`)
  return libraryKey(scope, name)
}
