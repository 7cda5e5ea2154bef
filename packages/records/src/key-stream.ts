// Bytes under the key stream of the cipher: the same key takes them out again. Nothing is authentic by it.

import { AEAD_NONCE_BYTES, aeadSeal } from '@mooring/crypto'

const NOTHING = new Uint8Array(0)
// Every key makes one stream.
const NONCE = new Uint8Array(AEAD_NONCE_BYTES)

export function underKeyStream(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return underKeyStreamWithRoom(key, bytes).subarray(0, bytes.length)
}

/** The same with AEAD_TAG_BYTES behind them that say nothing: room for what comes with them. */
export function underKeyStreamWithRoom(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return aeadSeal(key, NONCE, NOTHING, bytes)
}
