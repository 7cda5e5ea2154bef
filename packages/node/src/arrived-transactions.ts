// Transactions that gossip has brought and that wait for their turn to be judged (gossip-turns.ts).
//
// A proposal may name them before that turn comes, for votes and proposals go before gossip. Their bytes are here
// all the same: whoever puts the block together from them verifies them with the block, and asks nobody.

import { toHex } from '@mooring/codec'
import { nameOfTransaction } from './known-bytes.ts'

/** Of one message: more than fit into it, if they are any. */
const NAMED_MAX = 1_024

export class ArrivedTransactions {
  readonly #byName = new Map<string, Uint8Array>()

  /** Of two with one name the first stays. */
  add(batch: readonly Uint8Array[]): void {
    for (const bytes of batch.slice(0, NAMED_MAX)) {
      const name = nameIn(bytes)
      if (!this.#byName.has(name)) this.#byName.set(name, bytes)
    }
  }

  delete(batch: readonly Uint8Array[]): void {
    for (const bytes of batch.slice(0, NAMED_MAX)) {
      const name = nameIn(bytes)
      if (this.#byName.get(name) === bytes) this.#byName.delete(name)
    }
  }

  named(name: Uint8Array): Uint8Array | undefined {
    return this.#byName.get(toHex(name))
  }
}

function nameIn(bytes: Uint8Array): string {
  return toHex(nameOfTransaction(bytes))
}
