// Transactions that this node has accepted and that no final block contains yet: "accepted" is said
// only when one is here, so a crash forgets none.
//
// Clients wait for the disk in groups: everything kept while one batch is being synced goes into the
// next. Forgetting is not urgent and never syncs: what comes back after a crash is found to be in the
// chain.

import { toHex } from '@mooring/codec'
import { type Database, type DatabaseOperation, put } from './database.ts'
import { pendingTransactionKey } from './keys.ts'

export class PendingTransactions {
  readonly #database: Database
  #waiting: { name: string; operation: DatabaseOperation }[] = []
  #next: Promise<void> | null = null
  #running: Promise<void> = Promise.resolve()
  /** Those that are to be kept and not on the disk yet. */
  readonly #unwritten = new Map<string, Promise<void>>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Resolves when the transaction is on the disk. */
  keep(id: Uint8Array, bytes: Uint8Array): Promise<void> {
    const name = toHex(id)
    this.#waiting.push({ name, operation: put(pendingTransactionKey(id), bytes) })
    this.#next ??= this.#writeNext()
    this.#unwritten.set(name, this.#next)
    return this.#next
  }

  /** What is still to be written is written first: it would come back after it. */
  async forget(ids: readonly Uint8Array[]): Promise<void> {
    const unwritten = ids.flatMap((id) => this.#unwritten.get(toHex(id)) ?? [])
    if (unwritten.length > 0) await Promise.allSettled(unwritten)
    const operations = ids.map((id) => ({ type: 'del' as const, key: pendingTransactionKey(id) }))
    await this.#database.batch(operations, { sync: false })
  }

  async all(): Promise<{ id: Uint8Array; bytes: Uint8Array }[]> {
    const found: { id: Uint8Array; bytes: Uint8Array }[] = []
    const from = pendingTransactionKey(new Uint8Array(0))
    const to = pendingTransactionKey(new Uint8Array(33).fill(0xff))
    for await (const { key, value } of this.#database.iterate({ from, to }))
      found.push({ id: key.subarray(1), bytes: value })
    return found
  }

  async #writeNext(): Promise<void> {
    await this.#running.catch(() => undefined)
    const waiting = this.#waiting
    const written = this.#next
    this.#waiting = []
    this.#next = null
    const operations = waiting.map(({ operation }) => operation)
    this.#running = this.#database.batch(operations, { sync: true })
    try {
      await this.#running
    } finally {
      for (const { name } of waiting)
        if (this.#unwritten.get(name) === written) this.#unwritten.delete(name)
    }
  }
}
