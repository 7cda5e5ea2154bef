// How the access log of a patient looks: newest first, who and why, what is odd about it, and what is missing.

import type { Question } from '@mooring/api'
import { toHex } from '@mooring/codec'
import type { AccessGap, AccessLine, AccessWarning } from '@mooring/records'
import { formatAmount, formatTable, type Output, shortDigest } from './output.ts'

export type HospitalLog = {
  organisation: string
  lines: readonly AccessLine[]
  gaps: readonly AccessGap[]
  silent: readonly string[]
  questions: readonly Question[]
}

const WARNINGS: Record<AccessWarning, string> = {
  entry_unreadable: 'its entry does not open',
  entry_differs: 'its entry says something else than the request',
  one_witness: 'one organisation alone knows of it',
  not_anchored: 'on no chain yet',
  number_twice: 'its number is given twice',
}

export function printAccessLog(logs: readonly HospitalLog[], output: Output): void {
  const all = logs
    .flatMap(({ organisation, lines }) => lines.map((line) => ({ organisation, line })))
    .toSorted((a, b) => b.line.last - a.line.last)
  if (all.length === 0) output.text('nobody has asked for records of yours')
  else {
    output.text(
      formatTable(all, [
        { title: 'when', value: ({ line }) => whenText(line) },
        { title: 'who', value: ({ line }) => whoText(line) },
        { title: 'why', value: ({ line }) => line.purpose ?? '–' },
        { title: 'records of', value: ({ organisation }) => organisation },
        { title: 'what happened', value: ({ line }) => outcomeText(line, output) },
        { title: 'attested by', value: ({ line }) => line.holders.join(', ') },
        { title: 'block', value: ({ line }) => blockText(line), align: 'right' },
        { title: 'entry', value: ({ line }) => entryText(line) },
        { title: '', value: ({ line }) => remarksText(line, output) },
      ]),
    )
  }
  for (const { organisation, gaps, silent, questions } of logs) {
    for (const gap of gaps) output.text(output.bad(gapText(organisation, gap)))
    for (const member of silent)
      output.note(`${member} did not answer ${organisation}: its lines may be missing`)
    for (const question of questions) output.text(questionText(question))
  }
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
  const records = outcome === 'query' ? 'the list' : formatAmount(sets.length, 'record')
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

export function logDocument({ organisation, lines, gaps, silent, questions }: HospitalLog): object {
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
    questions,
  }
}
