// How answers look: tables, short digests, times, ages, JSON documents. Plain text first; colour only
// marks a verdict on a terminal.

import { type Context, type GlobalOptions, hasColour } from './context.ts'
import { harmless, harmlessLine } from './harmless.ts'
import type { SchemaName } from './schemas/registry.ts'

export type Column<T> = {
  title: string
  value: (row: T) => string
  align?: 'left' | 'right'
}

// Counts code points, which is right for everything these tables hold.
function width(text: string): number {
  return Array.from(text).length
}

function pad(text: string, size: number, align: 'left' | 'right'): string {
  const gap = ' '.repeat(Math.max(0, size - width(text)))
  return align === 'right' ? gap + text : text + gap
}

export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => harmlessLine(column.value(row))))
  const titles = columns.map((column) => column.title)
  const widths = columns.map((_, index) =>
    Math.max(...[titles, ...cells].map((line) => width(line[index] ?? ''))),
  )
  const format = (line: string[]) =>
    line
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
      .join('  ')
      .trimEnd()
  return [titles, ...cells].map((line) => `${format(line)}\n`).join('')
}

// "name  value" lines, the names in one column.
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const size = Math.max(0, ...fields.map(([name]) => width(name)))
  return fields.map(([name, value]) => `${pad(name, size, 'left')}  ${value}`.trimEnd()).join('\n')
}

export function shortDigest(hex: string): string {
  return hex.length <= 9 ? hex : `${hex.slice(0, 4)}…${hex.slice(-2)}`
}

export function shortPeerId(peerId: string): string {
  return peerId.length <= 16 ? peerId : `${peerId.slice(0, 12)}…`
}

export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}

/** "1 record", "3 records" */
export function formatAmount(count: number, thing: string): string {
  return `${formatCount(count)} ${count === 1 ? thing : `${thing}s`}`
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export function formatSeconds(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}

export function formatAge(time: string, now: Date): string {
  const ms = now.getTime() - Date.parse(time)
  return ms < 0 ? 'now' : `${formatSeconds(ms)} ago`
}

export function formatTime(unixMs: number): string {
  return new Date(unixMs).toISOString()
}

// What it may hold is in the schema of that name.
export type JsonDocument = { schema: SchemaName; [field: string]: unknown }

export type Output = {
  isJson: boolean
  // One document, the whole answer; nothing else is written to stdout with --json.
  json: (document: JsonDocument) => void
  // One line of a stream.
  line: (document: JsonDocument) => void
  text: (text: string) => void
  // Progress and remarks, never part of the answer.
  note: (text: string) => void
  good: (text: string) => string
  bad: (text: string) => string
  dim: (text: string) => string
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

export function createOutput(
  context: Pick<Context, 'stdout' | 'stderr' | 'env'>,
  options: GlobalOptions,
): Output {
  const colour = hasColour(context, options)
  const paint = (code: number) => (text: string) =>
    colour ? `\u001b[${code}m${text}\u001b[0m` : text
  const isJson = options.json === true
  return {
    isJson,
    json: (document) =>
      context.stdout.write(`${JSON.stringify(document, null, options.watch === true ? 0 : 2)}\n`),
    line: (document) => context.stdout.write(`${JSON.stringify(document)}\n`),
    text: (text) => context.stdout.write(harmless(ended(text))),
    note: (text) => {
      if (options.quiet !== true) context.stderr.write(harmless(ended(text)))
    },
    good: paint(32),
    bad: paint(31),
    dim: paint(2),
  }
}
