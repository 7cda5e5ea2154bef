// What the custodian keeps for itself, as it rests on the disk: sealed under a key that follows from the
// local secret, under names that only this node can compute.
//
// Whoever takes the disk without the secret learns how many records and accounts there are and how
// large. With the secret they learn the index; the records themselves stay with their holders.

import { randomFillSync } from 'node:crypto'
import { concatBytes, utf8Bytes } from '@mooring/codec'
import {
  AEAD_NONCE_BYTES,
  aeadOpen,
  aeadSeal,
  hkdfSha256,
  hmacSha256,
  type KeyedHash,
} from '@mooring/crypto'
import { StorageError } from '@mooring/storage'

/** What is sealed or named: one kind never passes for another. */
export type RestKind =
  | 'record'
  | 'account'
  | 'key-deposit'
  | 'upload'
  | 'library'
  | 'access'
  | 'private'
export type NameKind =
  | 'set'
  | 'account'
  | 'account-key'
  | 'account-order'
  | 'resource'
  | 'class-key'
  | 'access-about'
  | 'class-key-mark'
  | 'library'
  | 'private'

const NAME_BYTES = 16
const EMPTY = new Uint8Array(0)

export class AtRest {
  readonly #secret: Uint8Array
  readonly #sealKey: Uint8Array
  readonly #nameOf: KeyedHash

  /** With the secret of loadRecordsSecret. */
  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.#sealKey = hkdfSha256(secret, EMPTY, utf8Bytes('at-rest/v1'), 32)
    this.#nameOf = hmacSha256(hkdfSha256(secret, EMPTY, utf8Bytes('names-at-rest/v1'), 32))
  }

  /** With a context it opens only under the same. */
  seal(kind: RestKind, plaintext: Uint8Array, context: Uint8Array = EMPTY): Uint8Array {
    const nonce = randomFillSync(new Uint8Array(AEAD_NONCE_BYTES))
    const bound = boundTo(kind, context)
    return concatBytes(nonce, aeadSeal(this.#sealKey, nonce, bound, plaintext))
  }

  /** @throws StorageError corrupt: it was sealed with another secret, or is not what was sealed */
  open(kind: RestKind, sealed: Uint8Array, context: Uint8Array = EMPTY): Uint8Array {
    const nonce = sealed.subarray(0, AEAD_NONCE_BYTES)
    const ciphertext = sealed.subarray(AEAD_NONCE_BYTES)
    const isWhole = nonce.length === AEAD_NONCE_BYTES
    const plaintext = isWhole
      ? aeadOpen(this.#sealKey, nonce, boundTo(kind, context), ciphertext)
      : undefined
    if (plaintext === undefined)
      throw new StorageError('corrupt', 'a sealed value does not open with the local secret')
    return plaintext
  }

  /** The seed of an account: who has the secret and the reference has it, also after the disk is lost. */
  accountSeed(reference: string): Uint8Array {
    return hkdfSha256(this.#secret, EMPTY, utf8Bytes(`hosted-account/v1|${reference}`), 32)
  }

  /** Hides which set a tombstone is about; whoever has the secret finds it again, also after the disk is lost. */
  tombstoneSalt(setId: Uint8Array): Uint8Array {
    return hkdfSha256(this.#secret, setId, utf8Bytes('tombstone-salt/v1'), 32)
  }

  /** By which something is found again. */
  name(kind: NameKind, ...parts: Uint8Array[]): Uint8Array {
    return this.#nameOf(utf8Bytes(`${kind}\0`), ...parts).slice(0, NAME_BYTES)
  }
}

function boundTo(kind: RestKind, context: Uint8Array): Uint8Array {
  return context.length === 0 ? utf8Bytes(kind) : concatBytes(utf8Bytes(`${kind}\0`), context)
}
