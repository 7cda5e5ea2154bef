// Things of one kind that a node keeps for itself, sealed as they rest on the disk.
//
// A value opens only under the namespace and the key that it was written with. Keys are seen by who has
// the disk: what would name a patient is given to `name` first.

import { concatBytes, decode, encode, equalBytes, type Schema } from '@mooring/codec'
import type { PrivateOperation, PrivateValues } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'

const PAGE = 256
const utf8 = new TextEncoder()

export interface SealedEntry<T> {
  readonly key: Uint8Array
  readonly value: T
}

export class SealedValues<T> {
  readonly #store: PrivateValues
  readonly #atRest: AtRest
  readonly #namespace: string
  readonly #schema: Schema<T>

  constructor(store: PrivateValues, atRest: AtRest, namespace: string, schema: Schema<T>) {
    this.#store = store
    this.#atRest = atRest
    this.#namespace = namespace
    this.#schema = schema
  }

  /** A key that only this node can make of these parts. */
  name(...parts: Uint8Array[]): Uint8Array {
    return this.#atRest.name('private', utf8.encode(`${this.#namespace}\0`), ...parts)
  }

  get(key: Uint8Array): T | undefined {
    const sealed = this.#store.get(this.#namespace, key)
    return sealed === undefined ? undefined : this.#open(key, sealed)
  }

  /** In the order of their keys, behind one of them or from the first. */
  async list(after: Uint8Array | null, limit: number): Promise<SealedEntry<T>[]> {
    const found = await this.#store.list(this.#namespace, after, limit)
    return found.map(({ key, value }) => ({ key, value: this.#open(key, value) }))
  }

  all(): AsyncGenerator<SealedEntry<T>> {
    return this.#behind(null)
  }

  /** Those whose keys begin with this and go on, in the order of their keys. */
  async under(prefix: Uint8Array): Promise<SealedEntry<T>[]> {
    const found: SealedEntry<T>[] = []
    for await (const entry of this.#behind(prefix)) {
      if (!equalBytes(entry.key.subarray(0, prefix.length), prefix)) break
      found.push(entry)
    }
    return found
  }

  async *#behind(first: Uint8Array | null): AsyncGenerator<SealedEntry<T>> {
    let after = first
    while (true) {
      const page: SealedEntry<T>[] = await this.list(after, PAGE)
      yield* page
      after = page.at(-1)?.key ?? null
      if (page.length < PAGE) return
    }
  }

  /** To be written together with what belongs to it, by `put` of the store; a null value takes it out. */
  operation(key: Uint8Array, value: T | null): PrivateOperation {
    const namespace = this.#namespace
    if (value === null) return { namespace, key, value: null }
    const plaintext = encode(this.#schema, value)
    return {
      namespace,
      key,
      value: this.#atRest.seal('private', plaintext, this.#context(key)),
    }
  }

  /** Durable when this resolves, unless it says otherwise. */
  async put(key: Uint8Array, value: T, { sync } = { sync: true }): Promise<void> {
    await this.#store.put([this.operation(key, value)], { sync })
  }

  /** Durable when this resolves. */
  async delete(key: Uint8Array): Promise<void> {
    await this.#store.delete(this.#namespace, key)
  }

  /** Durable when this resolves; the files of the database have what was there before no more. */
  async replace(key: Uint8Array, value: T): Promise<void> {
    await this.#store.replace(this.operation(key, value))
  }

  /** Durable when this resolves; the files of the database have what was there no more. */
  async purge(keys: readonly Uint8Array[]): Promise<void> {
    await this.#store.purge(this.#namespace, keys)
  }

  #open(key: Uint8Array, sealed: Uint8Array): T {
    return decode(this.#schema, this.#atRest.open('private', sealed, this.#context(key)))
  }

  #context(key: Uint8Array): Uint8Array {
    return concatBytes(utf8.encode(`${this.#namespace}\0`), key)
  }
}
