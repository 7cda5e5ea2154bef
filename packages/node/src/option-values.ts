// Text to values: what a person writes in a flag, a variable or the configuration file becomes a
// number of milliseconds, a number of bytes, an address or a level per module. Every function gives
// the value or one sentence that says what was expected.

export type Parsed<T> = { value: T } | { expected: string }

export type HostPort = { host: string; port: number }

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

export type LogLevels = { base: LogLevel; modules: Readonly<Record<string, LogLevel>> }

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

const DURATION_UNITS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const SIZE_UNITS: Record<string, number> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

// How long bodies of old blocks are kept.
export type Retention =
  | { kind: 'forever' }
  | { kind: 'time'; ms: number }
  | { kind: 'blocks'; count: number }

// "forever", a time such as "90d", or a number of blocks such as "100000".
export function parseRetention(text: string): Parsed<Retention> {
  if (text === 'forever') return { value: { kind: 'forever' } }
  const expected =
    'expected "forever", a time such as "90d", or a number of blocks such as "100000"'
  if (/^[1-9]\d{0,14}$/.test(text)) return { value: { kind: 'blocks', count: Number(text) } }
  if (!/^[1-9]\d{0,8}(s|m|h|d)$/.test(text)) return { expected }
  const parsed = parseDuration(text)
  return 'value' in parsed ? { value: { kind: 'time', ms: parsed.value } } : { expected }
}

export function formatRetention(retention: Retention): string {
  switch (retention.kind) {
    case 'forever':
      return 'forever'
    case 'time':
      return formatDuration(retention.ms)
    case 'blocks':
      return `${retention.count} blocks`
  }
}

// What of the chain is checked at a start: nothing, so many of the newest blocks, or everything.
export type VerifyOnStart = { kind: 'none' } | { kind: 'newest'; blocks: number } | { kind: 'full' }

// "none", "tip", "tip+1000" or "full".
export function parseVerifyOnStart(text: string): Parsed<VerifyOnStart> {
  if (text === 'none' || text === 'full') return { value: { kind: text } }
  const blocks = /^tip(?:\+([1-9]\d{0,8}))?$/.exec(text)
  if (blocks === null) return { expected: 'expected none, tip, tip+1000 or full' }
  return { value: { kind: 'newest', blocks: Number(blocks[1] ?? 0) + 1 } }
}

function parseWithUnit(text: string, units: Record<string, number>, example: string) {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim())
  if (match === null) return { expected: `expected a number with a unit, for example "${example}"` }
  const [, digits = '', unit = ''] = match
  if (unit === '') return { expected: `needs a unit, for example "${example}"` }
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (factor === undefined) {
    return { expected: `unknown unit "${unit}", use one of ${Object.keys(units).join(', ')}` }
  }
  return { value: Math.round(Number(digits) * factor) }
}

export function parseDuration(text: string): Parsed<number> {
  return parseWithUnit(text, DURATION_UNITS, '10s')
}

export function parseSize(text: string): Parsed<number> {
  return parseWithUnit(text, SIZE_UNITS, '64MiB')
}

export function parseInteger(text: string): Parsed<number> {
  const value = /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? { value } : { expected: 'expected an integer' }
}

export function parseHostPort(text: string): Parsed<HostPort> {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[2])
  if (match?.[1] === undefined || !(port <= 65_535)) {
    return { expected: 'expected <host>:<port>, for example "127.0.0.1:7421"' }
  }
  return { value: { host: match[1].replace(/^\[|\]$/g, ''), port } }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

// "info,p2p=debug": a level for everything, then levels for single modules.
export function parseLogLevels(text: string): Parsed<LogLevels> {
  const expected = `expected <level>[,<module>=<level>…], levels ${LOG_LEVELS.join(', ')}`
  let base: LogLevel = 'info'
  const modules: Record<string, LogLevel> = {}
  for (const [index, part] of text.split(',').entries()) {
    const [left = '', right, ...rest] = part.trim().split('=')
    const level = LOG_LEVELS.find((name) => name === (right ?? left))
    const isModule = right !== undefined && /^[a-z0-9-]+$/.test(left) && rest.length === 0
    if (level === undefined || (right !== undefined && !isModule)) return { expected }
    if (right !== undefined) modules[left] = level
    else if (index === 0) base = level
    else return { expected }
  }
  return { value: { base, modules } }
}

export function formatLogLevels({ base, modules }: LogLevels): string {
  return [base, ...Object.entries(modules).map(([name, level]) => `${name}=${level}`)].join(',')
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))}s`
  if (ms < 3_600_000) return `${Number((ms / 60_000).toFixed(1))}m`
  if (ms < 86_400_000) return `${Number((ms / 3_600_000).toFixed(1))}h`
  return `${Number((ms / 86_400_000).toFixed(1))}d`
}

export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number(value.toFixed(1))}${units[unit]}`
}

// Edit distance, to answer a misspelt key with the one that was meant.
function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (const [row, letter] of Array.from(left).entries()) {
    const current = [row + 1]
    for (const [column, other] of Array.from(right).entries()) {
      const kept = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(kept, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous[right.length] ?? 0
}

export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = word.length <= 4 ? 1 : word.length <= 10 ? 2 : 3
  const ranked = candidates
    .map((candidate) => ({ candidate, steps: distance(word, candidate) }))
    .toSorted((a, b) => a.steps - b.steps)
  const best = ranked[0]
  return best !== undefined && best.steps <= limit ? best.candidate : undefined
}
