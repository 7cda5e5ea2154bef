// The records of one patient at several hospitals as one list, in the order in which they happened.
//
// What orders an entry is when its event began, as the resource says it; where it says nothing, when the
// block that has it was made, and before that when it came in. Among events of the same moment the block
// decides, then the place at the custodian. So the order is the same wherever it is made, from whichever
// side the parts come.
//
// Nothing is left out: a number without an entry is a gap, a correction stands beside what it corrects, and
// two records that claim one place are both there.

import { compareBytes, toHex } from '@mooring/codec'
import { eventStart } from './event-time.ts'

export interface TimelineEntry {
  readonly custodian: string
  /** The record commitment. */
  readonly record: Uint8Array
  /** Its number at the custodian, from 1. */
  readonly sequence: number
  /** `erased`: its custodian has destroyed it; nothing but this line is left. */
  readonly state: 'kept' | 'erased'
  /** Null for bytes that are no FHIR resource, and for what is erased. */
  readonly resourceType: string | null
  readonly class: string
  /** As the resource writes it; empty where it does not. */
  readonly eventAt: string
  readonly receivedAt: number
  readonly supersedes: Uint8Array | null
  readonly isMistake: boolean
  /** The block that has it; null while it waits for one. Without a time where nobody has told it. */
  readonly block: { readonly height: number; readonly time: number | null } | null
}

export interface CustodianTimeline<E extends TimelineEntry = TimelineEntry> {
  readonly custodian: string
  /** How many records there are, as the custodian has signed; null where only a part is shown. */
  readonly count: number | null
  readonly entries: readonly E[]
  /** Commitments that the desk gave receipts for. */
  readonly receipts: readonly Uint8Array[]
}

export interface TimelineLine<E extends TimelineEntry = TimelineEntry> {
  readonly entry: E
  /** Unix milliseconds by which it is ordered. */
  readonly at: number
  /** Whether that is the time of the event, and not only when it was written down. */
  readonly isEventTime: boolean
  /** The entry that supersedes it; null for the newest version. */
  readonly correctedBy: E | null
  /** The entry that it supersedes, where that is here. */
  readonly corrects: E | null
}

export interface TimelineGap {
  readonly custodian: string
  /** Numbers without an entry. */
  readonly from: number
  readonly to: number
}

export type TimelineProblem =
  /** Two records with one number. */
  | { readonly code: 'number_twice'; readonly custodian: string; readonly record: Uint8Array }
  /** Two records that supersede the same one. */
  | { readonly code: 'corrected_twice'; readonly custodian: string; readonly record: Uint8Array }
  /** A number beyond the count that the custodian has signed. */
  | { readonly code: 'beyond_count'; readonly custodian: string; readonly record: Uint8Array }
  /** The desk gave a receipt for a record that is not in the timeline. */
  | { readonly code: 'receipt_missing'; readonly custodian: string; readonly record: Uint8Array }
  /** It tells of something that happens after the block that has it: a clock is wrong, or the record. */
  | { readonly code: 'event_in_future'; readonly custodian: string; readonly record: Uint8Array }

export interface Timeline<E extends TimelineEntry = TimelineEntry> {
  /** Oldest first. */
  readonly lines: readonly TimelineLine<E>[]
  readonly gaps: readonly TimelineGap[]
  readonly problems: readonly TimelineProblem[]
}

/** Clocks of hospitals, and events given to the day in a zone of their own. */
const AHEAD_MS = 26 * 3_600_000

export function mergeTimelines<E extends TimelineEntry>(
  parts: readonly CustodianTimeline<E>[],
): Timeline<E> {
  const entries = parts.flatMap((part) => [...part.entries])
  const byRecord = new Map(entries.map((entry) => [nameOf(entry, entry.record), entry]))
  const corrections = correctionsOf(entries)
  const lines = entries.map((entry): TimelineLine<E> => {
    const { at, isEventTime } = momentOf(entry)
    const before = entry.supersedes
    return {
      entry,
      at,
      isEventTime,
      correctedBy: corrections.get(nameOf(entry, entry.record))?.[0] ?? null,
      corrects: (before && byRecord.get(nameOf(entry, before))) ?? null,
    }
  })
  return {
    lines: lines.toSorted(compareLines),
    gaps: parts.flatMap(gapsOf),
    problems: [...parts.flatMap(problemsOf), ...doubleCorrections(corrections)],
  }
}

function momentOf(entry: TimelineEntry): { at: number; isEventTime: boolean } {
  const event = eventStart(entry.eventAt)
  if (event !== undefined) return { at: event, isEventTime: true }
  return { at: entry.block?.time ?? entry.receivedAt, isEventTime: false }
}

function compareLines(a: TimelineLine, b: TimelineLine): number {
  const [first, second] = [a.entry, b.entry]
  return (
    a.at - b.at ||
    heightOf(first) - heightOf(second) ||
    compareTexts(first.custodian, second.custodian) ||
    first.sequence - second.sequence ||
    compareBytes(first.record, second.record)
  )
}

/** What is in no block comes last among its like. */
function heightOf({ block }: TimelineEntry): number {
  return block?.height ?? Number.MAX_SAFE_INTEGER
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function nameOf({ custodian }: TimelineEntry, record: Uint8Array): string {
  return `${custodian} ${toHex(record)}`
}

/** By what they correct, in the order of their numbers: a custodian counts before it corrects. */
function correctionsOf<E extends TimelineEntry>(entries: readonly E[]): Map<string, E[]> {
  const found = new Map<string, E[]>()
  for (const entry of entries.toSorted((a, b) => a.sequence - b.sequence)) {
    if (entry.supersedes === null) continue
    const name = nameOf(entry, entry.supersedes)
    found.set(name, [...(found.get(name) ?? []), entry])
  }
  return found
}

function doubleCorrections(corrections: ReadonlyMap<string, TimelineEntry[]>): TimelineProblem[] {
  return [...corrections.values()].flatMap((all) =>
    all.slice(1).map(({ custodian, record }) => {
      return { code: 'corrected_twice' as const, custodian, record }
    }),
  )
}

function gapsOf({ custodian, count, entries }: CustodianTimeline): TimelineGap[] {
  const numbers = [...new Set(entries.map(({ sequence }) => sequence))].toSorted((a, b) => a - b)
  const gaps: TimelineGap[] = []
  let next = 1
  for (const number of numbers) {
    if (number > next) gaps.push({ custodian, from: next, to: number - 1 })
    next = Math.max(next, number + 1)
  }
  if (count !== null && count >= next) gaps.push({ custodian, from: next, to: count })
  return gaps
}

function problemsOf({ custodian, count, entries, receipts }: CustodianTimeline): TimelineProblem[] {
  const problems: TimelineProblem[] = []
  const numbers = new Set<number>()
  const records = new Set<string>()
  for (const entry of entries) {
    const { record, sequence, block } = entry
    const add = (code: TimelineProblem['code']) => problems.push({ code, custodian, record })
    if (numbers.has(sequence)) add('number_twice')
    if (count !== null && sequence > count) add('beyond_count')
    const happened = eventStart(entry.eventAt)
    const written = block?.time ?? entry.receivedAt
    if (happened !== undefined && happened > written + AHEAD_MS) add('event_in_future')
    numbers.add(sequence)
    records.add(toHex(record))
  }
  for (const record of receipts) {
    if (!records.has(toHex(record))) problems.push({ code: 'receipt_missing', custodian, record })
  }
  return problems
}
