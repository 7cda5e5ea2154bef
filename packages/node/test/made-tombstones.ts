// Tombstones as the chain would have them, put there by a test.

import { toHex } from '@mooring/codec'
import { type Tombstone, tombstoneItem } from '@mooring/ledger'

export class MadeTombstones {
  height = 1
  readonly #known = new Map<string, Tombstone>()

  put(custodian: string, setId: Uint8Array, salt: Uint8Array): void {
    const batchRoot = new Uint8Array(32)
    const reason = 'patient_request' as const
    this.#known.set(nameOf(custodian, setId, salt), { batchRoot, reason, height: this.height })
  }

  tombstone(custodian: string, setId: Uint8Array, salt: Uint8Array): Tombstone | undefined {
    return this.#known.get(nameOf(custodian, setId, salt))
  }
}

function nameOf(custodian: string, setId: Uint8Array, salt: Uint8Array): string {
  return `${custodian} ${toHex(tombstoneItem(setId, salt))}`
}
