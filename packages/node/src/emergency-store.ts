// What a node keeps about emergencies, sealed as it rests: as a trustee, as the hospital that opens, as the
// home of patients, as a reviewer.

import {
  bool,
  bytes,
  bytesMax,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import {
  accessEntrySchema,
  EMERGENCY_SEALED_BYTES_MAX,
  EMERGENCY_VERDICTS,
  emergencyDepositSchema,
  emergencyHeaderSchema,
  emergencyRequestSchema,
  REASON_BYTES_MAX,
  SPARE_VERSIONS_MAX,
  TRUSTEES_MAX,
} from '@mooring/records'
import type { PrivateValues } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'
import { HandedVersions } from './emergency-handed.ts'
import { SealedValues } from './sealed-values.ts'

const digest = bytes(32)
/** Given shares that a trustee remembers of one set; more do not come within a day. */
export const GIVEN_MAX = 256
export const NOTICES_MAX = 64

/** As a trustee: of one patient, by locator id. */
const heldSetSchema = versioned(1, {
  locatorId: digest,
  ownerKey: digest,
  sequence: uint(),
  home: text(64),
  isOptedOut: bool(),
  /** Those that are not used up, in order. */
  versions: list(
    struct({
      header: emergencyHeaderSchema,
      ciphertext: bytesMax(EMERGENCY_SEALED_BYTES_MAX),
      shareIndex: uint(TRUSTEES_MAX),
      share: bytes(32),
    }),
    SPARE_VERSIONS_MAX,
  ),
  given: list(struct({ organisation: text(64), requestId: digest, time: uint() }), GIVEN_MAX),
})

/** As the hospital that opens: an emergency of its own. */
const openedSchema = versioned(1, {
  request: emergencyRequestSchema,
  role: text(128),
  practitioner: digest,
  setHandle: digest,
  home: text(64),
  /** Sealed to the patient: what every trustee wrote down. Null of what was opened without the network. */
  entry: nullable(accessEntrySchema),
  openedAt: struct({ height: uint(), time: uint(), transaction: digest }),
  closed: nullable(
    struct({ time: uint(), outcome: text(32), salt: bytes(16), text: text(REASON_BYTES_MAX) }),
  ),
  /** Who has the written reason by now. */
  told: list(text(64), 4),
})

/** As the home of a patient, by its key here: what was deposited, and what came of it. */
const homeSetSchema = versioned(1, {
  patientKey: digest,
  locatorId: digest,
  sequence: uint(),
  isOptedOut: bool(),
  /** Deposited versions, in order; those that are used up stay as long as the statement. */
  versions: list(emergencyHeaderSchema, SPARE_VERSIONS_MAX),
  /** Of a hosted patient; a wallet keeps its own. */
  hosted: nullable(struct({ locator: bytes(16), ownerSeed: bytes(32), withSensitive: bool() })),
})

const emergencyNoticeSchema = struct({
  requestId: digest,
  organisation: text(64),
  /** A code. */
  reason: text(32),
  time: uint(),
  /** Codes that say whether the key is the patient's or that of somebody who is told as well. */
  as: oneOf('patient', 'guardian'),
  /** As the opener wrote it. */
  written: nullable(text(REASON_BYTES_MAX)),
  verdict: nullable(
    struct({
      reviewer: text(64),
      verdict: oneOf(...EMERGENCY_VERDICTS),
      note: text(REASON_BYTES_MAX),
    }),
  ),
  /** The emergency was opened without the network, and told late. */
  isLate: bool(),
})

const noticesSchema = versioned(1, { items: list(emergencyNoticeSchema, NOTICES_MAX) })

/** As a reviewer. */
const reviewSchema = versioned(1, {
  requestId: digest,
  organisation: text(64),
  reason: text(32),
  time: uint(),
  /** The patient's hospital; known when the written reason comes. */
  home: nullable(text(64)),
  written: nullable(text(REASON_BYTES_MAX)),
  verdict: nullable(
    struct({ verdict: oneOf(...EMERGENCY_VERDICTS), note: text(REASON_BYTES_MAX), time: uint() }),
  ),
})

/** A deposit that its trustee has not taken so far. */
const outboxSchema = versioned(1, { trustee: text(64), deposit: emergencyDepositSchema })

export type HeldEmergencySet = Infer<typeof heldSetSchema>
export type OpenedByUs = Infer<typeof openedSchema>
export type HomeSet = Infer<typeof homeSetSchema>
export type EmergencyNotice = Infer<typeof emergencyNoticeSchema>
export type EmergencyReview = Infer<typeof reviewSchema>

/** Up to which block emergencies were taken note of. */
const seenSchema = versioned(1, { height: uint() })

export interface EmergencyStore {
  readonly held: SealedValues<HeldEmergencySet>
  readonly opened: SealedValues<OpenedByUs>
  readonly homes: SealedValues<HomeSet>
  readonly handed: HandedVersions
  readonly notices: SealedValues<Infer<typeof noticesSchema>>
  readonly reviews: SealedValues<EmergencyReview>
  readonly outbox: SealedValues<Infer<typeof outboxSchema>>
  readonly seen: SealedValues<Infer<typeof seenSchema>>
}

export function openEmergencyStore(values: PrivateValues, atRest: AtRest): EmergencyStore {
  return {
    held: new SealedValues(values, atRest, 'emergency-held', heldSetSchema),
    opened: new SealedValues(values, atRest, 'emergency-opened', openedSchema),
    homes: new SealedValues(values, atRest, 'emergency-homes', homeSetSchema),
    handed: new HandedVersions(values, atRest),
    notices: new SealedValues(values, atRest, 'emergency-notices', noticesSchema),
    reviews: new SealedValues(values, atRest, 'emergency-reviews', reviewSchema),
    seen: new SealedValues(values, atRest, 'emergency-seen', seenSchema),
    outbox: new SealedValues(values, atRest, 'emergency-outbox', outboxSchema),
  }
}
