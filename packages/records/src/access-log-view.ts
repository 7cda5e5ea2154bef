// The access log of a patient at one hospital, as the patient reads it.
//
// Every access has left lines at several organisations: at the reader, at each holder that witnessed it, and
// of refusals at whoever refused. Here the lines of one access come together, and stand beside what its sealed
// entry says. The entry is the reader's word, the lines are that of the holders: where they differ, the
// difference is shown, and the line counts. An entry that does not open is shown too.
//
// Programs read often, so what they read on one day under one grant for one purpose is one line with a count.
// Nothing of persons, of emergencies, or of what was refused is folded. What is not there is seen by the
// numbers that readers give to their requests under a grant: each missing one is a gap.

import { equalBytes, toHex } from '@mooring/codec'
import type { Access, AccessedRecord } from './audit-event.ts'
import { coversPurpose } from './purpose.ts'

/** The line of one organisation. */
export interface AttestedAccess {
  readonly holder: string
  /** When it heard of it. */
  readonly time: number
  /** Sets that it gave out. */
  readonly served: number
  /** Height of the block that has the line; null while it waits for one. */
  readonly height: number | null
}

export interface LoggedAccess {
  /** Commitment of the entry, by which lines belong together; of a refusal without one, of the note. */
  readonly id: Uint8Array
  /** What the request said to the holders; null where a note is all there is. */
  readonly asked: {
    readonly id: Uint8Array
    readonly reader: string
    readonly purpose: string
    readonly grant: Uint8Array | null
    readonly sets: readonly Uint8Array[]
  } | null
  /** What the entry says; null when there is none, or it opens to nobody here, or to nonsense. */
  readonly event: Access | null
  /** Whether there is an entry that should have opened and did not. */
  readonly isUnreadable: boolean
  readonly refusals: readonly {
    readonly holder: string
    readonly organisation: string
    readonly code: string
    readonly count: number
  }[]
  readonly attested: readonly AttestedAccess[]
}

type AccessKind =
  | 'emergency'
  | 'refused'
  | 'care'
  | 'payer'
  | 'research'
  | 'authority'
  | 'patient'
  | 'other'

export type AccessWarning =
  /** The entry does not open, or is no access. */
  | 'entry_unreadable'
  /** It says something else than the request that holders saw. */
  | 'entry_differs'
  /** One organisation alone knows of it. */
  | 'one_witness'
  /** No line of it is on the chain so far. */
  | 'not_anchored'
  /** Two requests have this number under the grant. */
  | 'number_twice'

export interface AccessLine {
  readonly ids: readonly Uint8Array[]
  readonly kind: AccessKind
  readonly by: 'person' | 'machine'
  /** Organisation. */
  readonly reader: string
  readonly name: string | null
  readonly key: Uint8Array | null
  readonly role: string | null
  readonly purpose: string | null
  readonly grant: Uint8Array | null
  readonly emergency: Uint8Array | null
  readonly outcome: 'read' | 'asked' | 'query' | 'refused'
  /** Codes of the refusals, the commonest first. */
  readonly codes: readonly string[]
  readonly first: number
  readonly last: number
  /** How many accesses are in this line. */
  readonly count: number
  /** Sets that were asked for. */
  readonly sets: readonly Uint8Array[]
  /** Records, as the entries name them. */
  readonly records: readonly AccessedRecord[]
  /** Who knows of it. */
  readonly holders: readonly string[]
  /** Of the block that had the first line of it; null while none has. */
  readonly height: number | null
  readonly warnings: readonly AccessWarning[]
}

export interface AccessGap {
  readonly reader: string
  readonly grant: Uint8Array
  readonly from: number
  readonly to: number
}

interface AccessLogView {
  /** Newest first. */
  readonly lines: readonly AccessLine[]
  readonly gaps: readonly AccessGap[]
}

/** Hours after which an access that no chain has is worth a word. */
const ANCHOR_GRACE_MS = 10 * 60_000
const DAY_MS = 86_400_000
const KINDS: readonly (readonly [AccessKind, readonly string[]])[] = [
  ['care', ['TREAT', 'CAREMGT', 'COC']],
  ['payer', ['HPAYMT']],
  ['research', ['HRESCH']],
  ['authority', ['PUBHLTH', 'HLEGAL', 'GOV', 'FRAUD']],
  ['patient', ['PATRQT']],
]

export function viewAccessLog(all: readonly LoggedAccess[], now: number): AccessLogView {
  const twice = numbersGivenTwice(all)
  const folded = new Map<string, AccessLine>()
  for (const access of all.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    const line = lineOf(access, { now, isTwice: twice.has(toHex(access.id)) })
    const name = foldName(line, access)
    const known = folded.get(name)
    folded.set(name, known === undefined ? line : foldedWith(known, line))
  }
  const lines = [...folded.values()].toSorted((a, b) => b.last - a.last)
  return { lines, gaps: gapsOf(all) }
}

function lineOf(
  access: LoggedAccess,
  { now, isTwice }: { now: number; isTwice: boolean },
): AccessLine {
  const { id, asked, event, refusals, attested } = access
  const heights = attested.flatMap(({ height }) => height ?? [])
  const time = timeOf(access)
  const outcome = outcomeOf(access)
  const purpose = asked?.purpose ?? event?.purpose ?? null
  const holders = [...new Set(attested.map(({ holder }) => holder))].toSorted()
  const reader = asked?.reader ?? refusals[0]?.organisation ?? event?.reader ?? ''
  return {
    ids: [id],
    kind: kindOf(purpose, outcome),
    by: event?.by.kind ?? 'machine',
    reader,
    name: event?.by.name ?? null,
    key: event?.by.key ?? null,
    role: event?.by.role ?? null,
    purpose,
    grant: asked?.grant ?? event?.grant ?? null,
    emergency: event?.emergency ?? null,
    outcome,
    codes: codesOf(refusals),
    first: time,
    last: time,
    count: Math.max(1, ...refusals.map(({ count }) => count)),
    sets: asked?.sets ?? [],
    records: event?.records ?? [],
    holders,
    height: heights.length === 0 ? null : Math.min(...heights),
    warnings: warningsOf(access, { now, isTwice, outcome }),
  }
}

function outcomeOf({ asked, refusals, attested }: LoggedAccess): AccessLine['outcome'] {
  if (attested.some(({ served }) => served > 0)) return 'read'
  if (refusals.length > 0) return 'refused'
  return asked !== null && asked.sets.length === 0 ? 'query' : 'asked'
}

function kindOf(purpose: string | null, outcome: AccessLine['outcome']): AccessKind {
  if (purpose === 'BTG') return 'emergency'
  if (outcome === 'refused') return 'refused'
  if (purpose === null) return 'other'
  return KINDS.find(([, purposes]) => coversPurpose(purposes, purpose))?.[0] ?? 'other'
}

function warningsOf(
  { asked, event, isUnreadable, attested, refusals }: LoggedAccess,
  { now, isTwice, outcome }: { now: number; isTwice: boolean; outcome: AccessLine['outcome'] },
): AccessWarning[] {
  const warnings: AccessWarning[] = []
  if (isUnreadable) warnings.push('entry_unreadable')
  if (event !== null && asked !== null && differs(event, asked)) warnings.push('entry_differs')
  const holders = new Set(attested.map(({ holder }) => holder))
  if (outcome === 'read' && holders.size < 2) warnings.push('one_witness')
  const isOld = attested.every(({ time }) => time < now - ANCHOR_GRACE_MS)
  const isAnchored = attested.some(({ height }) => height !== null)
  if (!isAnchored && isOld && attested.length + refusals.length > 0) warnings.push('not_anchored')
  if (isTwice) warnings.push('number_twice')
  return warnings
}

function differs(event: Access, asked: NonNullable<LoggedAccess['asked']>): boolean {
  if (event.reader !== asked.reader || event.purpose !== asked.purpose) return true
  if (!equalBytes(event.id, asked.id)) return true
  const isSameGrant =
    event.grant === null || asked.grant === null
      ? event.grant === asked.grant
      : equalBytes(event.grant, asked.grant)
  if (!isSameGrant || event.records.length !== asked.sets.length) return true
  const sets = new Set(asked.sets.map(toHex))
  return event.records.some(({ setId }) => !sets.has(toHex(setId)))
}

/** When the first who knows heard of it. */
function timeOf({ attested, event }: LoggedAccess): number {
  const times = attested.map(({ time }) => time)
  return times.length === 0 ? (event?.time ?? 0) : Math.min(...times)
}

function codesOf(refusals: LoggedAccess['refusals']): string[] {
  const counts = new Map<string, number>()
  for (const { code, count } of refusals) counts.set(code, (counts.get(code) ?? 0) + count)
  return [...counts].toSorted((a, b) => b[1] - a[1]).map(([code]) => code)
}

/** Names all that a request said: holders that say something else speak of another one. */
export function requestName(asked: NonNullable<LoggedAccess['asked']>): string {
  const { id, reader, purpose, grant, sets } = asked
  return [toHex(id), reader, purpose, grant && toHex(grant), ...sets.map(toHex)].join(' ')
}

function foldName(line: AccessLine, { id, asked }: LoggedAccess): string {
  const { by, kind, reader, purpose, grant, outcome, last, warnings } = line
  const isFolded = by === 'machine' && kind !== 'emergency' && outcome !== 'refused'
  if (!isFolded || warnings.length > 0)
    return `${toHex(id)} ${asked === null ? reader : requestName(asked)}`
  const day = Math.floor(last / DAY_MS)
  return [reader, purpose, grant && toHex(grant), outcome, day].join(' ')
}

function foldedWith(known: AccessLine, line: AccessLine): AccessLine {
  const sets = new Map([...known.sets, ...line.sets].map((setId) => [toHex(setId), setId]))
  const records = new Map(
    [...known.records, ...line.records].map((record) => [toHex(record.recordCommit), record]),
  )
  const heights = [known.height, line.height].flatMap((height) => height ?? [])
  return {
    ...known,
    records: [...records.values()],
    ids: [...known.ids, ...line.ids],
    last: line.last,
    count: known.count + line.count,
    sets: [...sets.values()],
    holders: [...new Set([...known.holders, ...line.holders])].toSorted(),
    height: heights.length === 0 ? null : Math.min(...heights),
  }
}

interface Numbered {
  readonly reader: string
  readonly grant: Uint8Array
  /** Ids of the accesses that have each number. */
  readonly numbers: Map<number, Uint8Array[]>
}

/** By reader and grant, as the entries say. */
function numbered(all: readonly LoggedAccess[]): Numbered[] {
  const found = new Map<string, Numbered>()
  for (const { id, asked, event } of all) {
    if (event === null || event.grant === null || event.sequence === null) continue
    const reader = asked?.reader ?? event.reader
    const name = `${reader} ${toHex(event.grant)}`
    const known = found.get(name) ?? { reader, grant: event.grant, numbers: new Map() }
    const ids = known.numbers.get(event.sequence) ?? []
    known.numbers.set(event.sequence, [...ids, id])
    found.set(name, known)
  }
  return [...found.values()]
}

function numbersGivenTwice(all: readonly LoggedAccess[]): Set<string> {
  const twice = new Set<string>()
  for (const { numbers } of numbered(all)) {
    for (const ids of numbers.values())
      if (ids.length > 1) for (const id of ids) twice.add(toHex(id))
  }
  return twice
}

function gapsOf(all: readonly LoggedAccess[]): AccessGap[] {
  return numbered(all).flatMap(({ reader, grant, numbers }) => {
    const gaps: AccessGap[] = []
    let next = 1
    for (const number of [...numbers.keys()].toSorted((a, b) => a - b)) {
      if (number > next) gaps.push({ reader, grant, from: next, to: number - 1 })
      next = number + 1
    }
    return gaps
  })
}
