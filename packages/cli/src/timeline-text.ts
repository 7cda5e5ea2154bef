// How a timeline looks: oldest first, one line an entry, what is wrong behind it, and below what is missing.

import { toHex } from '@mooring/codec'
import type { Timeline, TimelineGap, TimelineLine, TimelineProblem } from '@mooring/records'
import { formatTable, type Output, shortDigest } from './output.ts'
import type { ProvenEntry } from './timelines.ts'

type Line = TimelineLine<ProvenEntry>

const PROBLEMS: Record<TimelineProblem['code'], string> = {
  number_twice: 'has the number of another record',
  corrected_twice: 'corrects a record that another corrects as well',
  beyond_count: 'has a number beyond the signed count',
  receipt_missing: 'was on the list of the desk, and is not in the timeline',
  event_in_future: 'tells of something after the block that has it',
}

export function printTimeline(timeline: Timeline<ProvenEntry>, output: Output): void {
  const { lines, gaps, problems } = timeline
  if (lines.length === 0) output.text('no records')
  else {
    output.text(
      formatTable(lines, [
        { title: 'when', value: (line) => whenText(line) },
        { title: 'what', value: ({ entry }) => whatText(entry) },
        { title: 'hospital', value: ({ entry }) => entry.custodian },
        { title: 'no.', value: ({ entry }) => String(entry.sequence), align: 'right' },
        { title: 'record', value: ({ entry }) => shortDigest(toHex(entry.record)) },
        {
          title: 'block',
          value: ({ entry }) => (entry.block === null ? 'waits' : String(entry.block.height)),
          align: 'right',
        },
        { title: 'proof', value: ({ entry }) => proofText(entry, output) },
        { title: '', value: (line) => remarkText(line, output) },
      ]),
    )
  }
  for (const gap of gaps) output.text(output.bad(gapText(gap)))
  for (const problem of problems) output.text(output.bad(problemText(problem)))
}

function whenText({ entry, at, isEventTime }: Line): string {
  if (isEventTime) return entry.eventAt
  return at === 0 ? '–' : `(${new Date(at).toISOString().slice(0, 19)}Z)`
}

function whatText({ state, resourceType, contentType }: ProvenEntry): string {
  return state === 'erased' ? 'erased' : (resourceType ?? contentType)
}

function proofText({ fault, block }: ProvenEntry, output: Output): string {
  if (fault !== null) return output.bad(`FAILED ${fault}`)
  return block === null ? '–' : output.good('holds')
}

function remarkText({ entry, correctedBy, corrects }: Line, output: Output): string {
  const remarks = [
    ...(entry.isMistake ? ['entered in error'] : []),
    ...(correctedBy === null ? [] : [`corrected by no. ${correctedBy.sequence}`]),
    ...(corrects === null ? [] : [`corrects no. ${corrects.sequence}`]),
  ]
  return output.dim(remarks.join(', '))
}

export function gapText({ custodian, from, to }: TimelineGap): string {
  return from === to
    ? `${custodian}: no. ${from} is not shown`
    : `${custodian}: no. ${from} to ${to} are not shown`
}

function problemText({ custodian, record, code }: TimelineProblem): string {
  return `${custodian}: record ${shortDigest(toHex(record))} ${PROBLEMS[code]}`
}

// The same for programs.
export function timelineDocument({ lines, gaps, problems }: Timeline<ProvenEntry>): object {
  return {
    items: lines.map(({ entry, at, isEventTime, correctedBy, corrects }) => ({
      id: toHex(entry.record),
      custodian: entry.custodian,
      sequence: entry.sequence,
      state: entry.state,
      resourceType: entry.resourceType,
      resourceId: entry.resourceId,
      class: entry.class,
      contentType: entry.contentType,
      size: entry.size,
      at: new Date(at).toISOString(),
      isEventTime,
      eventAt: entry.eventAt,
      height: entry.block?.height ?? null,
      blockTime: blockTimeOf(entry),
      proved: entry.proof !== null,
      fault: entry.fault,
      mistake: entry.isMistake,
      supersedes: entry.supersedes && toHex(entry.supersedes),
      corrects: corrects && toHex(corrects.record),
      correctedBy: correctedBy && toHex(correctedBy.record),
    })),
    gaps,
    problems: problems.map(({ code, custodian, record }) => {
      return { code, custodian, record: toHex(record) }
    }),
  }
}

function blockTimeOf({ block }: ProvenEntry): string | null {
  const time = block?.time ?? null
  return time === null ? null : new Date(time).toISOString()
}
