// Waiting transactions by their bytes: a block brings the same bytes again, and what was decoded and verified
// at the door is found by them without decoding and hashing.
//
// The name is the end of the signature, which is as good as random for whoever is honest. Who makes two
// transactions with one end only loses this short cut for one of them: all bytes are compared.

import { equalBytes, toHex } from '@mooring/codec'
import { TRANSACTION_NAME_BYTES } from '@mooring/consensus'
import type { DecodedTransaction } from '@mooring/ledger'

export class KnownBytes<E extends { readonly transaction: DecodedTransaction }> {
  readonly #entries = new Map<string, E>()

  add(entry: E): void {
    this.#entries.set(endOf(entry.transaction.bytes), entry)
  }

  find(bytes: Uint8Array): E | undefined {
    const entry = this.#entries.get(endOf(bytes))
    return entry !== undefined && equalBytes(entry.transaction.bytes, bytes) ? entry : undefined
  }

  named(name: Uint8Array): E | undefined {
    return this.#entries.get(toHex(name))
  }

  delete(entry: E): void {
    const end = endOf(entry.transaction.bytes)
    if (this.#entries.get(end) === entry) this.#entries.delete(end)
  }
}

/** A view of the bytes. */
export function nameOfTransaction(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(-TRANSACTION_NAME_BYTES)
}

function endOf(bytes: Uint8Array): string {
  return toHex(nameOfTransaction(bytes))
}
