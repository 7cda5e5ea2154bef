// Class keys, sealed to those who may read: the patient, the custodian, and whom a grant names.
//
// A class key is 32 random bytes of one patient, class and epoch at one custodian. It is sealed to each
// reader (HPKE), and the sealed copies go as one deposit to n holders, whole at each: losing the
// custodian loses no key. A holder cannot tell whose they are, to whom they are sealed, or which sets they
// open; an owner finds its own by trying. All wraps have one size, whatever the class is called.

import {
  bytes,
  concatBytes,
  decode,
  encode,
  type Infer,
  list,
  uint,
  versioned,
} from '@mooring/codec'
import { AEAD_TAG_BYTES, hpkeOpen, hpkeSeal } from '@mooring/crypto'
import { recordClassSchema } from './classes.ts'
import { padded, unpadded } from './padding.ts'
import { organisationIdSchema } from './placement.ts'

export const CLASS_KEY_MARK_BYTES = 16

export const classKeyContentSchema = versioned(2, {
  class: recordClassSchema,
  epoch: uint(0xffff_ffff),
  /** The patient's pairwise signing key under which the records of this class key stand. */
  patientKey: bytes(32),
  /** The pairwise sealing key that belongs to it, public. */
  logKey: bytes(32),
  classKey: bytes(32),
  /** Of the custodian: by it a class key that comes back from holders is known for its own. */
  mark: bytes(CLASS_KEY_MARK_BYTES),
})

export type ClassKeyContent = Infer<typeof classKeyContentSchema>

const ENC_BYTES = 32
const CONTENT_BYTES = 192
export const CLASS_KEY_WRAP_BYTES = ENC_BYTES + CONTENT_BYTES + AEAD_TAG_BYTES
export const CLASS_KEY_WRAPS_MAX = 64
export const KEY_DEPOSIT_BYTES_MAX = 16 * 1024

export const keyDepositSchema = versioned(1, {
  /** Random. */
  id: bytes(32),
  custodian: organisationIdSchema,
  wraps: list(bytes(CLASS_KEY_WRAP_BYTES), CLASS_KEY_WRAPS_MAX),
})

export type KeyDeposit = Infer<typeof keyDepositSchema>

const INFO = new TextEncoder().encode('class-key/v1')

/** `ephemeral` is 32 random bytes for this wrap alone, `aad` what it belongs to (a deposit's id). */
export function wrapClassKey(
  content: ClassKeyContent,
  { recipient, aad, ephemeral }: { recipient: Uint8Array; aad: Uint8Array; ephemeral: Uint8Array },
): Uint8Array {
  const plaintext = padded(encode(classKeyContentSchema, content), CONTENT_BYTES)
  const { enc, ciphertext } = hpkeSeal({ recipient, info: INFO, aad, plaintext, ephemeral })
  return concatBytes(enc, ciphertext)
}

/** Undefined when it is not sealed to this X25519 secret. @throws CodecError */
export function openClassKeyWrap(
  wrap: Uint8Array,
  { secret, aad }: { secret: Uint8Array; aad: Uint8Array },
): ClassKeyContent | undefined {
  if (wrap.length !== CLASS_KEY_WRAP_BYTES) return undefined
  const enc = wrap.subarray(0, ENC_BYTES)
  const ciphertext = wrap.subarray(ENC_BYTES)
  const plaintext = hpkeOpen({ secret, enc, info: INFO, aad, ciphertext })
  return plaintext && decode(classKeyContentSchema, unpadded(plaintext))
}

/** One class key, sealed to each of these X25519 keys. `random` gives the id and what the wraps need. */
export function createKeyDeposit(
  content: ClassKeyContent,
  recipients: readonly Uint8Array[],
  { custodian, random }: { custodian: string; random: (length: number) => Uint8Array },
): KeyDeposit {
  const id = random(32)
  const wraps = recipients.map((recipient) =>
    wrapClassKey(content, { recipient, aad: id, ephemeral: random(32) }),
  )
  return { id, custodian, wraps }
}

/** The class key in a deposit, when one of its wraps is for this secret. @throws CodecError */
export function openKeyDeposit(
  deposit: KeyDeposit,
  secret: Uint8Array,
): ClassKeyContent | undefined {
  for (const wrap of deposit.wraps) {
    const content = openClassKeyWrap(wrap, { secret, aad: deposit.id })
    if (content !== undefined) return content
  }
  return undefined
}

export function encodeKeyDeposit(deposit: KeyDeposit): Uint8Array {
  return encode(keyDepositSchema, deposit)
}

/** @throws CodecError */
export function decodeKeyDeposit(encoded: Uint8Array): KeyDeposit {
  return decode(keyDepositSchema, encoded, KEY_DEPOSIT_BYTES_MAX)
}
