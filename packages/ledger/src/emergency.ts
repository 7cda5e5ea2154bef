// What the state keeps of emergency access: each opening, when a version of a set was first opened, and
// how often an organisation has done it lately.
//
// The handle of a set names one version of it and says nothing else: who opens it, when, and for which
// reason is public, whose it is is not. An opening lives four hours of block time; trustees compute the end
// from what stands here, so a trustee that was away learns of it without a message. The written reason
// is due after three days, and an opening that lacks it stays visibly open.

import {
  bytes,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { identifierSchema } from './organisation.ts'
import { timeSchema, type UnixMs } from './parameters.ts'
import type { StateDraft, StateReader } from './state.ts'
import { emergencyKey, emergencyRateKey, emergencySetKey } from './state-keys.ts'

export const EMERGENCY_REASONS = [
  'unconscious',
  'life-threatening',
  'cannot-consent',
  'disaster',
] as const

export const EMERGENCY_OUTCOMES = ['treated', 'transferred', 'died', 'not-needed'] as const

export const emergencyReasonSchema = oneOf(...EMERGENCY_REASONS)
export const emergencyOutcomeSchema = oneOf(...EMERGENCY_OUTCOMES)

export type EmergencyReason = (typeof EMERGENCY_REASONS)[number]
export type EmergencyOutcome = (typeof EMERGENCY_OUTCOMES)[number]

const HOUR_MS = 3_600_000

/** How long an opening lets trustees give their shares. */
export const EMERGENCY_OPEN_MS = 4 * HOUR_MS
/** Until when the written reason is due. */
export const EMERGENCY_REASON_MS = 72 * HOUR_MS
/** Openings of one organisation within an hour. */
export const EMERGENCIES_PER_HOUR = 30
export const EMERGENCY_RATE_MS = HOUR_MS

const emergencySchema = versioned(1, {
  organisation: identifierSchema,
  credentialCommit: bytes(32),
  reason: emergencyReasonSchema,
  setHandle: bytes(32),
  openedAt: struct({ height: uint(), time: timeSchema }),
  /** Null until the written reason is there. */
  closed: nullable(
    struct({
      height: uint(),
      time: timeSchema,
      outcome: emergencyOutcomeSchema,
      /** Commitment to the written reason. */
      reasonCommit: bytes(32),
    }),
  ),
})

export type Emergency = Infer<typeof emergencySchema>

const firstSchema = versioned(1, { requestId: bytes(32), time: timeSchema })

/** The first opening of a version of a set. */
export type FirstOpening = Infer<typeof firstSchema>

/** Times of the last openings, oldest first. */
const rateSchema = versioned(1, { openings: list(timeSchema, EMERGENCIES_PER_HOUR) })

export function emergencyOf(state: StateReader, requestId: Uint8Array): Emergency | undefined {
  const value = state.get(emergencyKey(requestId))
  return value && decode(emergencySchema, value)
}

export function setEmergency(draft: StateDraft, requestId: Uint8Array, value: Emergency): void {
  draft.set(emergencyKey(requestId), encode(emergencySchema, value))
}

/** Undefined for a version that nobody has opened. */
export function firstOpeningOf(
  state: StateReader,
  setHandle: Uint8Array,
): FirstOpening | undefined {
  const value = state.get(emergencySetKey(setHandle))
  return value && decode(firstSchema, value)
}

export function setFirstOpening(
  draft: StateDraft,
  setHandle: Uint8Array,
  value: FirstOpening,
): void {
  draft.set(emergencySetKey(setHandle), encode(firstSchema, value))
}

/** Openings of this organisation in the hour before `time`, oldest first. */
export function openingsWithin(
  state: StateReader,
  organisation: string,
  time: UnixMs,
): readonly UnixMs[] {
  const value = state.get(emergencyRateKey(organisation))
  if (value === undefined) return []
  return decode(rateSchema, value).openings.filter((opened) => opened > time - EMERGENCY_RATE_MS)
}

export function countOpening(draft: StateDraft, organisation: string, time: UnixMs): void {
  const openings = [...openingsWithin(draft, organisation, time), time]
  draft.set(emergencyRateKey(organisation), encode(rateSchema, { openings }))
}
