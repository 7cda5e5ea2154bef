// What a custodian says of the records of one patient: how many there are, and which, by one root.
//
// The leaves are the commitments of all records in the order of their numbers, also of those that are erased.
// The custodian signs it with its anchor key. A wallet keeps the newest head that it has seen: a later one
// that does not continue it shows that something was taken out or put in between, and the two signatures
// are the evidence. What is appended may be anything; that it was there is on the chain.

import {
  bytes,
  concatBytes,
  encode,
  equalBytes,
  type Infer,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { domainBytes, type KeyPair, merkleRoot, sign, verify } from '@mooring/crypto'
import { organisationIdSchema } from './placement.ts'

const TIMELINE_RECORDS_MAX = 1_000_000

const timelineHeadSchema = versioned(1, {
  custodian: organisationIdSchema,
  /** By which the patient asked. */
  patientKey: bytes(32),
  /** How many there are. */
  count: uint(TIMELINE_RECORDS_MAX),
  /** RFC 9162 root over the commitments. */
  root: bytes(32),
  /** When it was said. */
  time: uint(),
})

export const signedTimelineHeadSchema = struct({ head: timelineHeadSchema, signature: bytes(64) })

export type TimelineHead = Infer<typeof timelineHeadSchema>
export type SignedTimelineHead = Infer<typeof signedTimelineHeadSchema>

export function signTimelineHead(anchorKey: KeyPair, head: TimelineHead): SignedTimelineHead {
  return { head, signature: sign(anchorKey, messageOf(head)) }
}

export function verifyTimelineHead(
  { head, signature }: SignedTimelineHead,
  anchorKey: Uint8Array,
): boolean {
  return verify(anchorKey, messageOf(head), signature)
}

/** Of the commitments in the order of their numbers. */
export function timelineRoot(commitments: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(commitments)
}

export type TimelineBreak =
  /** The commitments are not those that the head is about. */
  | 'head_differs'
  /** There were more before. */
  | 'records_missing'
  /** Those that were there before are not the same, or not in the same order. */
  | 'records_changed'

/** Whether the commitments are those of the head, and continue what was seen before. */
export function checkTimeline(
  { count, root }: Pick<TimelineHead, 'count' | 'root'>,
  commitments: readonly Uint8Array[],
  before: Pick<TimelineHead, 'count' | 'root'> | null,
): TimelineBreak | undefined {
  if (commitments.length !== count || !equalBytes(timelineRoot(commitments), root))
    return 'head_differs'
  if (before === null) return undefined
  if (before.count > count) return 'records_missing'
  const first = timelineRoot(commitments.slice(0, before.count))
  return equalBytes(first, before.root) ? undefined : 'records_changed'
}

function messageOf(head: TimelineHead): Uint8Array {
  return concatBytes(domainBytes('timeline-head'), encode(timelineHeadSchema, head))
}
