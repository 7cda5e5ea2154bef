// How an error looks to a person: what, why or where, what to do, and the number to look up. Wrapped
// at 80; commands are never broken. A stack belongs to bugs, and is shown only when asked for.

import type { CatalogEntry } from './error-entry.ts'
import { catalogEntry, entryOf } from './errors.ts'
import { type ErrorData, NodeError } from './node-error.ts'
import type { OptionProblem } from './config-file.ts'

const WIDTH = 80

export type Failure = {
  entry: CatalogEntry
  code: string
  // What happened, when it says more than the title.
  what: string
  where: string
  // Lines that are shown as they are, one finding each.
  rows: readonly string[]
  fix: readonly string[]
  stack: string | undefined
}

// Words are kept whole; every line starts with `indent`.
export function wrap(text: string, indent: string, width = WIDTH): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === ''
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `${indent}${word}`
    } else {
      line = isFirst ? `${line}${word}` : `${line} ${word}`
    }
  }
  return [...lines, line]
}

export function fillText(text: string, data: ErrorData): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(data[name] ?? whole))
}

function formatProblems(problems: readonly OptionProblem[]): string[] {
  const place = Math.max(...problems.map((problem) => problem.where.length))
  const source = Math.min(40, Math.max(...problems.map((problem) => problem.source.length)))
  return problems.flatMap((problem) => {
    const head = `${problem.where.padEnd(place)}  ${problem.source.padEnd(source)}`.trimEnd()
    const line = `${head.padEnd(place + source + 2)}  ${problem.sentence}`
    const tail = wrap(problem.sentence, ' '.repeat(place + 6))
    return line.length + 2 <= WIDTH ? [line] : [head, ...tail]
  })
}

function internal(): CatalogEntry {
  const found = catalogEntry('internal')
  if (found === undefined) throw new TypeError('the catalogue has no text for a bug')
  return found
}

function ownFailure(error: NodeError, entry: CatalogEntry): Failure {
  const { code, data, problems, rows, stack } = error
  const fix = entry.fix.map((line) => fillText(line, data))
  if (problems.length === 0) {
    const where = fillText(entry.meaning, data)
    return { entry, code, what: entry.title, where, rows, fix, stack }
  }
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
  const isInFile = problems.some((problem) => /^\d/.test(problem.where))
  const what = `${count} in ${isInFile ? String(data['path']) : 'the options'}`
  return { entry, code, what, where: '', rows: formatProblems(problems), fix, stack }
}

export function failureOf(error: unknown): Failure {
  const known = entryOf(error)
  if (error instanceof NodeError && known !== undefined) return ownFailure(error, known)
  const entry = known ?? internal()
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return {
    entry,
    code: known === undefined ? 'internal' : code,
    what: entry.title,
    where: error instanceof Error ? error.message : String(error),
    rows: [],
    fix: entry.fix,
    stack: error instanceof Error ? error.stack : undefined,
  }
}

// "To talk to that node:   mooring status": a reason and a command, which stays on one line.
function formatFix(text: string): string[] {
  const [reason = '', ...commands] = text.split('   ')
  const command = commands.join('   ')
  const line = `  → ${text}`
  if (command === '') {
    return wrap(reason, '    ').map((each, index) => (index === 0 ? `  → ${each.trim()}` : each))
  }
  return line.length <= WIDTH ? [line] : [`  → ${reason}`, `      ${command}`]
}

// Titles are sentences; behind "error:" they go on in lower case, but not "FHIR" or "API".
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]* ?[a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}

export function formatFailure(failure: Failure, verbosity = 0): string {
  const { entry, what, where, rows, fix, stack } = failure
  const lines = wrap(`error: ${lowerFirst(what)} (${entry.mor})`, '')
  for (const row of rows) lines.push(`  ${row}`)
  if (where !== '') {
    for (const paragraph of where.split('\n')) lines.push(...wrap(paragraph, '  '))
  }
  for (const line of fix) lines.push(...formatFix(line))
  lines.push(`  More: mooring explain ${entry.mor}`)
  if (verbosity >= 2 && stack !== undefined) lines.push('', stack)
  return `${lines.join('\n')}\n`
}

// The same for programs, as RFC 9457 has it.
export function failureDocument(failure: Failure): Record<string, unknown> {
  const { entry, code, what, where, rows } = failure
  return {
    type: `/errors/${entry.mor}`,
    title: what,
    status: entry.status,
    detail: where === '' ? entry.meaning : where,
    code,
    mor: entry.mor,
    exitCode: entry.exitCode,
    ...(rows.length === 0 ? {} : { errors: rows.map((detail) => ({ detail })) }),
  }
}

const shown = (text: string) => text.replaceAll(/\{(\w+)\}/g, '<$1>')

export function formatExplanation(entry: CatalogEntry, codes: readonly string[]): string {
  const lines = [`${entry.mor}  ${entry.title}`, '', ...wrap(shown(entry.meaning), '  '), '']
  for (const line of entry.fix) lines.push(...formatFix(shown(line)))
  lines.push('', `  exit code ${entry.exitCode}, HTTP status ${entry.status}`)
  lines.push(...wrap(`codes: ${codes.join(' ')}`, '  '))
  return `${lines.join('\n')}\n`
}
