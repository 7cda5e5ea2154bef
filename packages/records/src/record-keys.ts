// Keys of single records for who may read some of a class and not all of it.
//
// The key of a manifest follows from the class key and the set, and leads back to neither: whoever has it
// opens this record and no other. The custodian seals those that a narrow grant opens to the reader, page
// by page, bound to the question that they answer.

import { bytes, concatBytes, decode, encode, list, struct } from '@mooring/codec'
import { hpkeOpen, hpkeSeal } from '@mooring/crypto'

export const RECORD_KEYS_MAX = 1_000
const recordKeySchema = struct({ setId: bytes(32), key: bytes(32) })
const recordKeysSchema = list(recordKeySchema, RECORD_KEYS_MAX)
const ENC_BYTES = 32
export const SEALED_RECORD_KEYS_BYTES_MAX = 128 + RECORD_KEYS_MAX * 72

const INFO = new TextEncoder().encode('record-keys/v1')

export interface RecordKey {
  readonly setId: Uint8Array
  /** See manifestKeyOf. */
  readonly key: Uint8Array
}

/** `question` names the request that is answered; `ephemeral` is 32 random bytes for this alone. */
export function sealRecordKeys(
  keys: readonly RecordKey[],
  {
    recipient,
    question,
    ephemeral,
  }: { recipient: Uint8Array; question: Uint8Array; ephemeral: Uint8Array },
): Uint8Array {
  const plaintext = encode(recordKeysSchema, [...keys])
  const { enc, ciphertext } = hpkeSeal({
    recipient,
    info: INFO,
    aad: question,
    plaintext,
    ephemeral,
  })
  return concatBytes(enc, ciphertext)
}

/** Undefined when it is not sealed to this secret for this question. @throws CodecError */
export function openRecordKeys(
  sealed: Uint8Array,
  { secret, question }: { secret: Uint8Array; question: Uint8Array },
): RecordKey[] | undefined {
  if (sealed.length < ENC_BYTES || sealed.length > SEALED_RECORD_KEYS_BYTES_MAX) return undefined
  const plaintext = hpkeOpen({
    secret,
    enc: sealed.subarray(0, ENC_BYTES),
    info: INFO,
    aad: question,
    ciphertext: sealed.subarray(ENC_BYTES),
  })
  return plaintext && decode(recordKeysSchema, plaintext)
}
