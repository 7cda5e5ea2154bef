// What members say to each other about emergencies; all of it in requests of the kind `emergency`.

import {
  bytes,
  bytesMax,
  type Infer,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  variant,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { accessEntrySchema } from './access-entry.ts'
import {
  emergencyDepositSchema,
  emergencyHeaderSchema,
  EMERGENCY_SEALED_BYTES_MAX,
  sealedShareSchema,
} from './emergency-header.ts'
import { emergencyRequestSchema } from './emergency-request.ts'
import { organisationIdSchema } from './placement.ts'

/** Of four thousand characters, whatever they are. */
export const REASON_BYTES_MAX = 16 * 1024
export const EMERGENCY_VERDICTS = ['justified', 'questionable', 'unjustified'] as const
export type EmergencyVerdict = (typeof EMERGENCY_VERDICTS)[number]

const digest = bytes(32)

/** Opens the commitment to a written reason. */
const writtenReasonSchema = struct({
  requestId: digest,
  salt: bytes(16),
  text: text(REASON_BYTES_MAX),
})

export const emergencyMessageSchema = variant({
  /** From the patient's hospital to a trustee. */
  deposit: emergencyDepositSchema,
  /** To every member: who keeps this set, and which version is in force? */
  locate: struct({ locatorId: digest }),
  /** For a share; the entry is sealed to the patient, and every trustee writes it down before it gives any. */
  open: struct({ request: emergencyRequestSchema, entry: accessEntrySchema }),
  /** To a hospital of somebody who is to be told: a guardian. */
  notice: struct({ requestId: digest, key: bytes(32) }),
  /** From who opened it to the patient's hospital and to the reviewer. */
  reason: struct({ reason: writtenReasonSchema, setHandle: digest, home: organisationIdSchema }),
  /** From the reviewer to the patient's hospital and to who opened it. */
  review: struct({
    requestId: digest,
    verdict: oneOf(...EMERGENCY_VERDICTS),
    note: text(REASON_BYTES_MAX),
  }),
})

export const emergencyAnswerSchema = variant({
  done: struct({}),
  /** Null: nothing is in force here, because all versions are used up or the patient has opted out. */
  located: struct({ header: nullable(emergencyHeaderSchema), isOptedOut: uint(1) }),
  share: struct({
    header: emergencyHeaderSchema,
    ciphertext: bytesMax(EMERGENCY_SEALED_BYTES_MAX),
    share: sealedShareSchema,
  }),
})

export type EmergencyMessage = Infer<typeof emergencyMessageSchema>
export type EmergencyAnswer = Infer<typeof emergencyAnswerSchema>
export type WrittenReason = Infer<typeof writtenReasonSchema>

const utf8 = new TextEncoder()

/** What stands on the chain for a written reason. */
export function reasonCommit({ requestId, salt, text: words }: WrittenReason): Uint8Array {
  return domainHash('emergency-reason', requestId, salt, utf8.encode(words))
}
