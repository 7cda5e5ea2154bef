// How many entries this reader has made under each grant, so that every entry has its number.
//
// A number is durable before the entry with it is made, and never given twice: what a crash loses between
// the two is a gap, which the patient sees, and never two entries of one number.

import { struct, uint } from '@mooring/codec'
import type { Grant } from '@mooring/records'
import type { SealedValues } from './sealed-values.ts'

export const sequenceSchema = struct({ last: uint() })

const utf8 = new TextEncoder()

export class AccessSequences {
  readonly #values: SealedValues<{ last: number }>
  /** Numbers of one grant are given one after the other. */
  readonly #lines = new Map<string, Promise<number>>()

  constructor(values: SealedValues<{ last: number }>) {
    this.#values = values
  }

  /** Durable when it resolves. */
  async next({ custodian, id }: Pick<Grant, 'custodian' | 'id'>): Promise<number> {
    const key = this.#values.name(utf8.encode(`${custodian}\0`), id)
    const name = key.join()
    const before = this.#lines.get(name) ?? Promise.resolve(0)
    const given = before.catch(() => 0).then(() => this.#take(key))
    this.#lines.set(name, given)
    try {
      return await given
    } finally {
      if (this.#lines.get(name) === given) this.#lines.delete(name)
    }
  }

  async #take(key: Uint8Array): Promise<number> {
    const last = (this.#values.get(key)?.last ?? 0) + 1
    await this.#values.put(key, { last })
    return last
  }
}
