// What a holder has to remember of a set beside its shards, or after them: that it was erased and never comes
// back, or that nobody but its custodian reads it.
//
// Names of sets are given by who asks, so a mark is of the custodian that made it and concerns its sets alone.

import { decode, encode, type Infer, list, struct, uint, variant } from '@mooring/codec'
import type { Database } from './database.ts'
import { afterOwned, ownerOf, setMarkKey } from './keys.ts'

const markSchema = variant({
  /** The numbers of the shards that were here. */
  erased: struct({ shards: list(uint(255), 256) }),
  restricted: struct({}),
})

export type SetMark = Infer<typeof markSchema>

export interface MarkedSet {
  readonly setId: Uint8Array
  /** Null takes it away. */
  readonly mark: SetMark | null
}

const NOTHING = new Uint8Array(0)

export class SetMarks {
  readonly #database: Database
  /** Those that have any: the sets of all others need not be looked for. Null until that is known. */
  #custodians: Set<string> | null = null

  constructor(database: Database) {
    this.#database = database
  }

  async open(): Promise<void> {
    const found = new Set<string>()
    const letter = setMarkKey('', NOTHING)[0] ?? 0
    const to = Uint8Array.of(letter + 1)
    let from: Uint8Array = Uint8Array.of(letter)
    for (;;) {
      const first = await this.#database.firstKey({ from, to })
      if (first === undefined) break
      const custodian = ownerOf(first)
      found.add(custodian)
      from = afterOwned('J', custodian)
    }
    this.#custodians = found
  }

  get(custodian: string, setId: Uint8Array): SetMark | undefined {
    if (this.#custodians?.has(custodian) === false) return undefined
    const stored = this.#database.getSync(setMarkKey(custodian, setId))
    return stored === undefined ? undefined : decode(markSchema, stored)
  }

  isErased(custodian: string, setId: Uint8Array): boolean {
    return this.get(custodian, setId)?.kind === 'erased'
  }

  isRestricted(custodian: string, setId: Uint8Array): boolean {
    return this.get(custodian, setId)?.kind === 'restricted'
  }

  /** How many there are, at most so many. */
  async count(custodian: string, limit: number): Promise<number> {
    let count = 0
    const from = setMarkKey(custodian, NOTHING)
    for await (const _ of this.#database.keys({ from, to: afterOwned('J', custodian), limit }))
      count += 1
    return count
  }

  /** Durable when this resolves. */
  async put(custodian: string, marks: readonly MarkedSet[]): Promise<void> {
    const operations = marks.map(({ setId, mark }) => {
      const key = setMarkKey(custodian, setId)
      return mark === null
        ? { type: 'del' as const, key }
        : { type: 'put' as const, key, value: encode(markSchema, mark) }
    })
    if (operations.length === 0) return
    this.#custodians?.add(custodian)
    await this.#database.batch(operations, { sync: true })
  }
}
