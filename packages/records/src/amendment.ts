// A patient asks that a record be corrected, and the custodian answers.
//
// The record itself stays as it is, provably: a correction is a new version that supersedes it. What is
// refused is refused with a reason, and both stay with the record for the patient to see.

import {
  bytes,
  type Infer,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'

/** Of what a patient says, and of what is answered. */
export const AMENDMENT_CHARACTERS_MAX = 4 * 1024

/** Of one patient that are not answered. */
export const OPEN_AMENDMENTS_MAX = 32

const saidSchema = refine(
  text(4 * AMENDMENT_CHARACTERS_MAX),
  (words) => words.trim() !== '',
  'what is said is not empty',
)

export const amendmentSchema = versioned(1, {
  id: bytes(16),
  /** Commitment of the record. */
  record: bytes(32),
  patientKey: bytes(32),
  /** What is wrong, and what would be right. */
  request: saidSchema,
  requestedAt: uint(),
  answer: nullable(
    struct({
      outcome: oneOf('accepted', 'refused'),
      reason: saidSchema,
      /** Commitment of the record that corrects it. */
      correction: nullable(bytes(32)),
      answeredAt: uint(),
    }),
  ),
})

export type Amendment = Infer<typeof amendmentSchema>
export type AmendmentAnswer = NonNullable<Amendment['answer']>
