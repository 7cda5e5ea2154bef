// Flag, environment, file, profile, default: the first that speaks decides, and where a value came
// from is kept. Every problem of every source is collected before anything is said.

import { faultOfSchedule } from './backup-schedule.ts'
import type { ConfigFile, OptionProblem } from './config-file.ts'
import { formatOptionValue } from './config-file.ts'
import {
  isLoopback,
  nearest,
  type Parsed,
  parseDuration,
  parseHostPort,
  parseInteger,
  parseLogLevels,
  parseRetention,
  parseSize,
} from './option-values.ts'
import { type OptionKind, type Profile, PROFILES } from './option-kinds.ts'
import { isOptionValue, OPTION_ENTRIES, type OptionEntry, type OptionValues } from './options.ts'

export type Origin = {
  from: 'flag' | 'env' | 'file' | 'profile' | 'default'
  // The flag, the variable, the line:column, or the profile's name.
  where: string
}

export type OptionSources = {
  flags: Readonly<Record<string, string | readonly string[] | undefined>>
  env: Readonly<Record<string, string | undefined>>
  file: ConfigFile | null
}

export type ResolvedOptions = {
  values: OptionValues
  origins: Readonly<Record<string, Origin>>
  problems: OptionProblem[]
}

type Candidate = { raw: unknown; origin: Origin; source: string; written: 'text' | 'toml' }

function expectation(entry: OptionEntry): string {
  if (entry.hint !== undefined) return entry.hint
  if (entry.enum !== undefined) return `expected one of ${entry.enum.join(', ')}`
  if (entry.minimum === undefined) return 'expected a text in quotes'
  const low = formatOptionValue(entry, entry.minimum)
  const high = formatOptionValue(entry, entry.maximum)
  return `expected ${entry.kind === 'integer' ? 'an integer' : `a ${entry.kind}`} ${low}..${high}`
}

function checked(parsed: Parsed<unknown>, text: string): Parsed<unknown> {
  return 'value' in parsed ? { value: text } : parsed
}

const asWritten = (text: string): Parsed<unknown> => ({ value: text })

const PARSERS: Record<OptionKind, (text: string, entry: OptionEntry) => Parsed<unknown>> = {
  text: asWritten,
  path: asWritten,
  choice: asWritten,
  integer: (text, entry) => {
    const parsed = parseInteger(text)
    return 'value' in parsed ? parsed : { expected: expectation(entry) }
  },
  duration: parseDuration,
  size: parseSize,
  list: (text) => ({ value: text === '' ? [] : text.split(',').map((item) => item.trim()) }),
  address: (text, entry) =>
    text === '' && entry.name !== 'http.listen'
      ? { value: text }
      : checked(parseHostPort(text), text),
  levels: (text) => checked(parseLogLevels(text), text),
  retention: (text) => checked(parseRetention(text), text),
}

function parseCandidate(entry: OptionEntry, candidate: Candidate): Parsed<unknown> {
  const { raw, written } = candidate
  if (written === 'toml') {
    if (entry.kind === 'list' || entry.kind === 'integer') return { value: raw }
    if (typeof raw === 'string') return PARSERS[entry.kind](raw, entry)
    if (entry.unit === undefined || typeof raw !== 'number') return { expected: expectation(entry) }
    return { expected: `needs a unit, for example ${entry.unit === 'ms' ? '"20s"' : '"64MiB"'}` }
  }
  return Array.isArray(raw)
    ? { value: raw.flatMap((item) => String(item).split(',')) }
    : PARSERS[entry.kind](String(raw), entry)
}

// As a person types it, in a flag or a variable.
export function parseOptionText(entry: OptionEntry, raw: string): Parsed<unknown> {
  return read(entry, { raw, origin: { from: 'flag', where: '' }, source: raw, written: 'text' })
}

function read(entry: OptionEntry, candidate: Candidate): Parsed<unknown> {
  const parsed = parseCandidate(entry, candidate)
  if ('expected' in parsed) return parsed
  return isOptionValue(entry, parsed.value) ? parsed : { expected: expectation(entry) }
}

// What the sources say about one option, strongest first.
function candidatesOf(entry: OptionEntry, sources: OptionSources): Candidate[] {
  const found: Candidate[] = []
  const flag = sources.flags[entry.name]
  if (flag !== undefined) {
    const source = `${entry.flag}=${typeof flag === 'string' ? flag : flag.join(',')}`
    found.push({ raw: flag, origin: { from: 'flag', where: entry.flag }, source, written: 'text' })
  }
  const variable = sources.env[entry.variable]
  if (variable !== undefined) {
    const origin: Origin = { from: 'env', where: entry.variable }
    found.push({ raw: variable, origin, source: `${entry.variable}=${variable}`, written: 'text' })
  }
  const setting = sources.file?.settings.get(entry.name)
  if (setting !== undefined) {
    const origin: Origin = { from: 'file', where: setting.where }
    found.push({ raw: setting.value, origin, source: setting.source, written: 'toml' })
  }
  return found
}

function problemOf(candidate: Candidate, sentence: string): OptionProblem {
  const { from, where } = candidate.origin
  return { where: from === 'file' ? where : from, source: candidate.source, sentence }
}

// Kubernetes puts variables such as MOORING_HTTP_PORT beside every service of that name, so that an
// unknown variable is a problem only when it is nearly one of ours and cannot be one of those.
const OF_A_SERVICE = /_(PORT|SERVICE_HOST|SERVICE_PORT)(_\w+)?$/

function misspeltVariables(env: OptionSources['env']): OptionProblem[] {
  const known = OPTION_ENTRIES.map((entry) => entry.variable)
  return Object.keys(env)
    .filter((name) => name.startsWith('MOORING_') && !known.includes(name))
    .filter((name) => !OF_A_SERVICE.test(name))
    .flatMap((name) => {
      const meant = nearest(name, known)
      if (meant === undefined) return []
      const sentence = `unknown variable "${name}". Did you mean "${meant}"?`
      return [{ where: 'env', source: `${name}=${env[name] ?? ''}`, sentence }]
    })
}

// Told at the first of the options that the file sets.
function contradictions(
  values: OptionValues,
  origins: Readonly<Record<string, Origin>>,
): OptionProblem[] {
  const problems: OptionProblem[] = []
  const add = (source: string, sentence: string) => {
    const set = source.split(', ').map((name) => origins[name])
    const where = set.find((origin) => origin?.from === 'file')?.where ?? ''
    problems.push({ where, source, sentence })
  }
  if (values.p2p.allow === 'list' && values.p2p.allow_list.length === 0) {
    add('p2p.allow, p2p.allow_list', 'admit nobody: allow is "list" and the list is empty')
  }
  if (values.p2p.allow === 'members' && values.p2p.allow_list.length > 0) {
    add('p2p.allow, p2p.allow_list', 'contradict: set allow to "members+list" to use the list')
  }
  if (values.vault.blobs === 's3' && values.vault.bucket === '') {
    add('vault.blobs, vault.bucket', 'contradict: blobs is "s3" and no bucket is named')
  }
  if (values.vault.blobs === 'local' && values.vault.bucket !== '') {
    add('vault.blobs, vault.bucket', 'contradict: set blobs to "s3" to use the bucket')
  }
  if (values.backup.schedule !== '') {
    const fault = faultOfSchedule(values.backup.schedule)
    if (fault !== undefined) add('backup.schedule', `is no line of cron: ${fault}`)
  }
  for (const [source, sentence] of tlsContradictions(values)) add(source, sentence)
  const api = parseHostPort(values.http.listen)
  const metrics = parseHostPort(values.metrics.listen)
  if ('value' in api && 'value' in metrics && api.value.port !== 0) {
    if (api.value.port === metrics.value.port) {
      add('http.listen, metrics.listen', `both take port ${api.value.port}`)
    }
  }
  return problems
}

// What goes over a network in clear can be read there, tokens too.
function notLoopback(
  values: OptionValues,
  candidates: Readonly<Record<string, Candidate | undefined>>,
): OptionProblem[] {
  return (['http', 'patients'] as const).flatMap((section) => {
    const { listen, tls_cert: cert, tls_terminated: terminated } = values[section]
    const address = parseHostPort(listen)
    const candidate = candidates[`${section}.listen`]
    const isLocal = !('value' in address) || isLoopback(address.value.host)
    if (isLocal || candidate === undefined || cert !== '' || terminated === 'on') return []
    const sentence = 'not a loopback address, and neither tls_cert nor tls_terminated is set'
    return [{ ...problemOf(candidate, sentence), code: 'http_not_loopback' }]
  })
}

function tlsContradictions({ http, patients }: OptionValues): [source: string, sentence: string][] {
  const found: [string, string][] = []
  for (const [section, options] of Object.entries({ http, patients })) {
    const { tls_cert: cert, tls_key: key, tls_terminated: terminated } = options
    const names = `${section}.tls_cert, ${section}.tls_key`
    if ((cert === '') !== (key === '')) found.push([names, 'belong together: set both, or none'])
    if (cert !== '' && terminated === 'on')
      found.push([
        `${names}, ${section}.tls_terminated`,
        'contradict: TLS ends either here or at a proxy',
      ])
  }
  if (http.client_ca !== '' && http.tls_cert === '')
    found.push(['http.client_ca', 'needs tls_cert: certificates of clients are shown over TLS'])
  if (http.client_roles.length > 0 && http.client_ca === '')
    found.push(['http.client_roles', 'needs client_ca: who may issue those certificates'])
  if (http.open === 'loopback' && http.tls_terminated === 'on')
    found.push([
      'http.open, http.tls_terminated',
      'contradict: behind a proxy all clients are local',
    ])
  return found
}

function missing(sources: OptionSources): OptionProblem[] {
  return OPTION_ENTRIES.filter(
    (entry) => entry.name === 'node.name' && candidatesOf(entry, sources).length === 0,
  ).map((entry) => ({
    where: sources.file === null ? '' : '1:1',
    source: entry.name,
    sentence: `is missing: set it in the file, or with ${entry.flag} or ${entry.variable}`,
  }))
}

function profileOf(sources: OptionSources): Profile {
  const entry = OPTION_ENTRIES.find((each) => each.name === 'node.profile')
  const raw = entry === undefined ? undefined : candidatesOf(entry, sources)[0]?.raw
  return PROFILES.find((profile) => profile === raw) ?? 'prod'
}

type ValueTree = Record<string, Record<string, unknown>>

function isComplete(tree: ValueTree): tree is ValueTree & OptionValues {
  return OPTION_ENTRIES.every((entry) => isOptionValue(entry, tree[entry.section]?.[entry.key]))
}

export function resolveOptions(sources: OptionSources): ResolvedOptions {
  const profile = profileOf(sources)
  const problems: OptionProblem[] = [...(sources.file?.problems ?? [])]
  const origins: Record<string, Origin> = {}
  const tree: ValueTree = {}
  const listens: Record<string, Candidate> = {}
  for (const entry of OPTION_ENTRIES) {
    const candidates = candidatesOf(entry, sources)
    const fallback = entry.profiles?.[profile] ?? entry.default
    let value = fallback
    let origin: Origin = { from: 'default', where: '' }
    if (fallback !== entry.default) origin = { from: 'profile', where: profile }
    // From the weakest to the strongest: a bad value is a problem even where a stronger one hides it.
    for (const candidate of candidates.toReversed()) {
      const parsed = read(entry, candidate)
      if ('expected' in parsed) {
        problems.push(problemOf(candidate, parsed.expected))
        continue
      }
      value = parsed.value
      origin = candidate.origin
      if (entry.key === 'listen') listens[entry.name] = candidate
    }
    origins[entry.name] = origin
    tree[entry.section] = { ...tree[entry.section], [entry.key]: value }
  }
  if (!isComplete(tree)) throw new TypeError('a default is no value of its own option')
  const values: OptionValues = tree
  problems.push(...misspeltVariables(sources.env), ...notLoopback(values, listens))
  // What contradicts is only known once every single value is right.
  if (problems.length === 0) problems.push(...contradictions(values, origins))
  if (sources.file?.isToml !== false) problems.push(...missing(sources))
  return { values, origins, problems: problems.toSorted(byPlace) }
}

// Those of the file by line and column, then the rest in the order in which they were found.
function byPlace(left: OptionProblem, right: OptionProblem): number {
  const [leftLine, leftColumn] = placeOf(left)
  const [rightLine, rightColumn] = placeOf(right)
  return leftLine - rightLine || leftColumn - rightColumn
}

function placeOf({ where }: OptionProblem): [line: number, column: number] {
  const match = /^(\d+):(\d+)$/.exec(where)
  return match === null ? [Number.MAX_SAFE_INTEGER, 0] : [Number(match[1]), Number(match[2])]
}
