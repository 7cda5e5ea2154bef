// An entry of the access log: an audit event that the patient alone can open, and its commitment.
//
// The reader makes it before it reads anything, and every holder that is to serve puts it in its own
// log. The commitment is a leaf of a batch of `access.log`; the text ends in spaces up to a whole KiB,
// so that the size does not say what was read.

import {
  bytes,
  bytesMax,
  concatBytes,
  encode,
  type Infer,
  struct,
  text,
  versioned,
} from '@mooring/codec'
import { domainHash, hpkeOpen, hpkeSeal, sha256 } from '@mooring/crypto'
import { type Access, auditEventOf } from './audit-event.ts'
import type { RandomBytes } from './batch.ts'
import type { SealKeyPair } from './patient-keys.ts'

export const ACCESS_ENTRY_BYTES_MAX = 96 * 1024

const STEP_BYTES = 1024
const ENC_BYTES = 32
const NONCE_BYTES = 16
const SPACE = 0x20

export const accessEntrySchema = versioned(1, {
  nonce: bytes(NONCE_BYTES),
  /** Organisation whose records are read: the patient knows by it which key opens this. */
  custodian: text(64),
  sealed: bytesMax(ACCESS_ENTRY_BYTES_MAX),
})

export type AccessEntry = Infer<typeof accessEntrySchema>

const utf8 = new TextEncoder()
const INFO = utf8.encode('access-entry/v1')
const contextSchema = struct({ nonce: bytes(NONCE_BYTES), custodian: text(64) })

/** `logKey` is the patient's pairwise sealing key at the custodian. */
export function sealAccessEntry(
  access: Access,
  logKey: Uint8Array,
  random: RandomBytes,
): AccessEntry {
  const { custodian } = access
  const nonce = random(NONCE_BYTES)
  const { enc, ciphertext } = hpkeSeal({
    recipient: logKey,
    info: INFO,
    aad: encode(contextSchema, { nonce, custodian }),
    plaintext: padded(utf8.encode(auditEventOf(access))),
    ephemeral: random(32),
  })
  return { nonce, custodian, sealed: concatBytes(enc, ciphertext) }
}

/** The AuditEvent as JSON; undefined when it is not sealed to this key. */
export function openAccessEntry(
  { nonce, custodian, sealed }: AccessEntry,
  logKey: SealKeyPair,
): string | undefined {
  const opened = hpkeOpen({
    secret: logKey.secretKey,
    enc: sealed.subarray(0, ENC_BYTES),
    info: INFO,
    aad: encode(contextSchema, { nonce, custodian }),
    ciphertext: sealed.subarray(ENC_BYTES),
  })
  return opened && new TextDecoder().decode(opened).trimEnd()
}

/** What the request commits to, and what stands in the batch. */
export function accessEntryCommit({ nonce, custodian, sealed }: AccessEntry): Uint8Array {
  return domainHash('access-entry', encode(contextSchema, { nonce, custodian }), sha256(sealed))
}

function padded(plaintext: Uint8Array): Uint8Array {
  const steps = Math.ceil(plaintext.length / STEP_BYTES)
  const whole = new Uint8Array(steps * STEP_BYTES).fill(SPACE)
  whole.set(plaintext)
  return whole
}
