// Small things that a node keeps for itself beside its records: tickets, questions, notices, what waits.
//
// Each kind of thing is a namespace. Values are opaque here, and sealed by who writes them; keys stand on
// the disk as they are, so they are random, a number, or a keyed name. What belongs together is written
// together, also over several namespaces.

import { concatBytes } from '@mooring/codec'
import { behind, type Database, type DatabaseOperation } from './database.ts'
import { privateValueKey } from './keys.ts'

const PRIVATE_KEY_BYTES_MAX = 128
export const PRIVATE_VALUE_BYTES_MAX = 4 * 1024 * 1024

const NAMESPACE = /^[a-z][a-z-]{0,31}$/
const BEHIND = new Uint8Array(PRIVATE_KEY_BYTES_MAX + 1).fill(0xff)

export interface PrivateOperation {
  readonly namespace: string
  readonly key: Uint8Array
  /** Null takes it out. */
  readonly value: Uint8Array | null
}

export interface PrivateValue {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export class PrivateValues {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  get(namespace: string, key: Uint8Array): Uint8Array | undefined {
    return this.#database.getSync(keyOf(namespace, key))
  }

  /** In the order of their keys, behind one of them or from the first. */
  async list(namespace: string, after: Uint8Array | null, limit: number): Promise<PrivateValue[]> {
    const start = keyOf(namespace, new Uint8Array(0))
    const from = after === null ? start : behind(keyOf(namespace, after))
    const found: PrivateValue[] = []
    for await (const { key, value } of this.#database.iterate({
      from,
      to: concatBytes(start, BEHIND),
      limit,
    }))
      found.push({ key: key.slice(start.length), value })
    return found
  }

  /** All of it or nothing. Without sync it is durable with the next write to this database that is. */
  async put(operations: readonly PrivateOperation[], { sync }: { sync: boolean }): Promise<void> {
    if (operations.length === 0) return
    const batch = operations.map(({ namespace, key, value }): DatabaseOperation => {
      const databaseKey = keyOf(namespace, key)
      if (value === null) return { type: 'del', key: databaseKey }
      if (value.length > PRIVATE_VALUE_BYTES_MAX)
        throw new RangeError(`a private value of ${value.length} bytes`)
      return { type: 'put', key: databaseKey, value }
    })
    await this.#database.batch(batch, { sync })
  }

  /** Durable when this resolves. */
  async delete(namespace: string, key: Uint8Array): Promise<void> {
    await this.put([{ namespace, key, value: null }], { sync: true })
  }

  /** As `put`, of one value; the files of the database have what was there before no more. */
  async replace(operation: PrivateOperation): Promise<void> {
    const key = keyOf(operation.namespace, operation.key)
    await this.#database.writeOver([key], () => this.put([operation], { sync: true }))
  }

  /** Durable when this resolves; the files of the database have what was there no more. */
  async purge(namespace: string, keys: readonly Uint8Array[]): Promise<void> {
    const found = keys.map((key) => keyOf(namespace, key))
    const there = found.filter((key) => this.#database.getSync(key) !== undefined)
    await this.#database.purge(there.map((key) => ({ type: 'del', key })))
  }
}

function keyOf(namespace: string, key: Uint8Array): Uint8Array {
  if (!NAMESPACE.test(namespace)) throw new RangeError(`"${namespace}" is no namespace`)
  if (key.length > PRIVATE_KEY_BYTES_MAX) throw new RangeError(`a key of ${key.length} bytes`)
  return privateValueKey(namespace, key)
}
