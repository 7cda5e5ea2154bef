// How the access log of a patient looks: newest first, who and why, what is odd about it, and what is missing.

import type { EmergencyStatus, Question } from '@mooring/api'
import { toHex } from '@mooring/codec'
import type { AccessGap, AccessLine, AccessWarning } from '@mooring/records'
import { formatAmount, formatTable, type Output, shortDigest } from './output.ts'

type EmergencyNotice = EmergencyStatus['notices'][number]

export type HospitalLog = {
  organisation: string
  lines: readonly AccessLine[]
  gaps: readonly AccessGap[]
  silent: readonly string[]
  questions: readonly Question[]
  // Sets that were opened; the trace of these is on the chain itself.
  emergencies: readonly EmergencyNotice[]
}

type Row = {
  at: number
  when: string
  who: string
  why: string
  of: string
  what: string
  by: string
  block: string
  entry: string
  remarks: string
}

const WARNINGS: Record<AccessWarning, string> = {
  entry_unreadable: 'its entry does not open',
  entry_differs: 'its entry says something else than the request',
  one_witness: 'one organisation alone knows of it',
  not_anchored: 'on no chain yet',
  number_twice: 'its number is given twice',
}

export function printAccessLog(logs: readonly HospitalLog[], output: Output): void {
  const rows = logs.flatMap((log) => {
    const traced = new Set(log.lines.flatMap(({ emergency }) => emergency ?? []).map(toHex))
    // Trustees may be away that have the line of one that the hospital was told of.
    const untraced = log.emergencies.filter(({ requestId }) => !traced.has(requestId))
    return [
      ...log.lines.map((line) => lineRow(log, line, output)),
      ...untraced.map((notice) => emergencyRow(log, notice, output)),
    ]
  })
  if (rows.length === 0) output.text('nobody has asked for records of yours')
  else {
    output.text(
      formatTable(
        rows.toSorted((a, b) => b.at - a.at),
        [
          { title: 'when', value: ({ when }) => when },
          { title: 'who', value: ({ who }) => who },
          { title: 'why', value: ({ why }) => why },
          { title: 'records of', value: (row) => row.of },
          { title: 'what happened', value: ({ what }) => what },
          { title: 'attested by', value: ({ by }) => by },
          { title: 'block', value: ({ block }) => block, align: 'right' },
          { title: 'entry', value: ({ entry }) => entry },
          { title: '', value: ({ remarks }) => remarks },
        ],
      ),
    )
  }
  for (const { organisation, gaps, silent, questions } of logs) {
    for (const gap of gaps) output.text(output.bad(gapText(organisation, gap)))
    for (const member of silent)
      output.note(`${member} did not answer ${organisation}: its lines may be missing`)
    for (const question of questions) output.text(questionText(question))
  }
}

function lineRow(
  { organisation, emergencies }: HospitalLog,
  line: AccessLine,
  output: Output,
): Row {
  const emergency = line.emergency && toHex(line.emergency)
  const notice = emergencies.find(({ requestId }) => requestId === emergency)
  const remarks = [remarksText(line, output), notice === undefined ? '' : noticeText(notice)]
  return {
    at: line.last,
    when: whenText(line),
    who: whoText(line),
    why: line.purpose ?? '–',
    of: organisation,
    what: outcomeText(line, output),
    by: line.holders.join(', '),
    block: blockText(line),
    entry: entryText(line),
    remarks: remarks.filter((remark) => remark !== '').join('; '),
  }
}

function emergencyRow(
  { organisation: home }: HospitalLog,
  notice: EmergencyNotice,
  output: Output,
): Row {
  const { requestId, organisation, time, as } = notice
  const whose = as === 'patient' ? 'the summary' : 'the summary of somebody who trusts you'
  return {
    at: Date.parse(time),
    when: `${time.slice(0, 19)}Z`,
    who: `${organisation}, a person`,
    why: 'BTG',
    of: home,
    what: output.bad(`EMERGENCY opened ${whose}`),
    by: 'the chain',
    block: '–',
    entry: requestId.slice(0, 12),
    remarks: noticeText(notice),
  }
}

function noticeText({ reason, written, verdict, late }: EmergencyNotice): string {
  return [
    reason,
    written === null ? 'no written reason yet' : JSON.stringify(written),
    ...(verdict === null ? [] : [`${verdict.reviewer} calls it ${verdict.verdict}`]),
    ...(late ? ['told late: it was opened without the network'] : []),
  ].join('; ')
}

function whenText({ first, last, count }: AccessLine): string {
  const start = new Date(first).toISOString().slice(0, 19)
  return count > 1 && last !== first
    ? `${start} to ${new Date(last).toISOString().slice(11, 19)}Z`
    : `${start}Z`
}

function whoText({ reader, name, by, role }: AccessLine): string {
  const person = name === null ? (by === 'person' ? 'a person' : 'a program') : JSON.stringify(name)
  return `${reader}, ${person}${role === null ? '' : ` (${role})`}`
}

function outcomeText({ kind, outcome, codes, count, sets }: AccessLine, output: Output): string {
  const times = count > 1 ? ` × ${count}` : ''
  if (outcome === 'refused') return output.bad(`refused ${codes.join(', ')}${times}`)
  const isSummary = kind === 'emergency' && sets.length === 0
  const what = isSummary ? 'the emergency summary' : formatAmount(sets.length, 'record')
  const records = outcome === 'query' ? 'the list' : what
  const text = `${outcome === 'query' ? 'asked for' : outcome} ${records}${times}`
  return kind === 'emergency' ? output.bad(`EMERGENCY ${text}`) : text
}

function blockText({ height }: AccessLine): string {
  return height === null ? 'waits' : String(height)
}

function entryText({ ids: [first] }: AccessLine): string {
  return first === undefined ? '–' : toHex(first).slice(0, 12)
}

function remarksText({ warnings }: AccessLine, output: Output): string {
  return output.bad(warnings.map((warning) => WARNINGS[warning]).join(', '))
}

function gapText(organisation: string, { reader, grant, from, to }: AccessGap): string {
  const which = from === to ? `request ${from}` : `requests ${from} to ${to}`
  const short = shortDigest(toHex(grant))
  return `${organisation}: ${which} of ${reader} under grant ${short} are not in the log`
}

export function questionText({ access, question, answer, askedAt }: Question): string {
  const asked = `${askedAt.slice(0, 10)}  asked of ${access.slice(0, 12)}: ${harmless(question)}`
  return `${asked}\n            ${answer === null ? 'no answer yet' : harmless(answer)}`
}

// What others wrote is shown and does not steer the terminal.
function harmless(text: string): string {
  return JSON.stringify(text)
}

export function logDocument(log: HospitalLog): object {
  const { organisation, lines, gaps, silent, questions, emergencies } = log
  return {
    organisation,
    silent,
    items: lines.map(({ ids, key, grant, emergency, sets, records, first, last, ...line }) => ({
      ...line,
      entries: ids.map(toHex),
      key: key && toHex(key),
      grant: grant && toHex(grant),
      emergency: emergency && toHex(emergency),
      records: records.map(({ recordCommit, class: recordClass }) => {
        return { id: toHex(recordCommit), class: recordClass }
      }),
      sets: sets.length,
      first: new Date(first).toISOString(),
      last: new Date(last).toISOString(),
    })),
    gaps: gaps.map((gap) => ({ ...gap, grant: toHex(gap.grant) })),
    emergencies,
    questions,
  }
}
