// The configuration file: TOML in, a list of settings with the place of each, and every problem at
// once. smol-toml reads the values but keeps no positions, so a small scanner over the same text,
// which is known to be valid by then, finds where each key and value stands.

import { parse, TomlError } from 'smol-toml'
import type { NodeErrorCode } from './node-error.ts'
import { formatDuration, formatSize, nearest } from './option-values.ts'
import { OPTION_ENTRIES, OPTIONS, type OptionEntry } from './options.ts'

export const CONFIG_VERSION = 1

export type OptionProblem = {
  // "12:1" for a place in the file, "env", "flag", or "" for a combination of options.
  where: string
  source: string
  sentence: string
  code?: NodeErrorCode
}

export type FileSetting = { value: unknown; where: string; source: string }

export type ConfigFile = {
  // False when the text is no TOML, so that nothing can be said about what it leaves out.
  isToml: boolean
  settings: ReadonlyMap<string, FileSetting>
  problems: OptionProblem[]
}

type Place = { path: string[]; key: string; value: string; source: string }

const KEY = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.)?/y

// Reads `a.b."c"` from `from` on; gives the parts and the offset after the last one.
function readKey(text: string, from: number): { parts: string[]; end: number } {
  const parts: string[] = []
  KEY.lastIndex = from
  let match = KEY.exec(text)
  let end = from
  while (match !== null) {
    parts.push(match[1] ?? match[2] ?? match[3] ?? '')
    end = KEY.lastIndex
    match = match[4] === undefined ? null : KEY.exec(text)
  }
  return { parts, end }
}

const TOKEN =
  /"""[^]*?"""+|'''[^]*?'''+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|[[{]|[\]}]|\n|[^"'#[{\]}\n]+/y

function endOfValue(text: string, from: number): number {
  let depth = 0
  TOKEN.lastIndex = from
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match
    if (token === '[' || token === '{') depth += 1
    if (token === ']' || token === '}') depth -= 1
    if (token === '\n' && depth === 0) return TOKEN.lastIndex
  }
  return text.length
}

function locate(text: string): Place[] {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)]
  const at = (offset: number) => {
    const line = lineStarts.findLastIndex((start) => start <= offset)
    return `${line + 1}:${offset - (lineStarts[line] ?? 0) + 1}`
  }
  const places: Place[] = []
  let table: string[] = []
  let offset = 0
  while (offset < text.length) {
    const start = offset + (/^[\s]*/.exec(text.slice(offset))?.[0].length ?? 0)
    const lineEnd = text.indexOf('\n', start)
    offset = lineEnd === -1 ? text.length : lineEnd + 1
    if (text[start] === '[') {
      table = readKey(text, text[start + 1] === '[' ? start + 2 : start + 1).parts
      places.push({ path: table, key: at(start), value: at(start), source: `[${table.join('.')}]` })
    } else if (text[start] !== '#' && start < text.length) {
      const { parts, end } = readKey(text, start)
      const value = end + (/^=\s*/.exec(text.slice(end))?.[0].length ?? 0)
      offset = endOfValue(text, value)
      const [firstLine = ''] = text.slice(start, offset).split('\n')
      const source = `${table.length > 0 ? `[${table.join('.')}] ` : ''}${firstLine.trim()}`
      places.push({ path: [...table, ...parts], key: at(start), value: at(value), source })
    }
  }
  return places
}

function unknown(place: Place | undefined, word: string, candidates: string[]): OptionProblem {
  const meant = nearest(word, candidates)
  return {
    where: place?.key ?? '1:1',
    source: place?.source ?? word,
    sentence: `unknown key "${word}".${meant === undefined ? '' : ` Did you mean "${meant}"?`}`,
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}

export function parseConfigFile(text: string): ConfigFile {
  let tree: Record<string, unknown>
  try {
    tree = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const where = `${error.line}:${error.column}`
    const source = (text.split('\n')[error.line - 1] ?? '').trim()
    const [sentence = ''] = error.message.replace('Invalid TOML document: ', '').split('\n')
    return { isToml: false, settings: new Map(), problems: [{ where, source, sentence }] }
  }
  return readTree(tree, locate(text))
}

function readTree(tree: Record<string, unknown>, places: Place[]): ConfigFile {
  const placeOf = (...path: string[]) =>
    places.find((place) => place.path.join('\0') === path.join('\0')) ??
    places.find((place) => place.path[0] === path[0])
  const settings = new Map<string, FileSetting>()
  const problems: OptionProblem[] = []
  const sections = Object.keys(OPTIONS)
  if (tree['config_version'] !== CONFIG_VERSION) {
    const place = placeOf('config_version')
    const sentence =
      tree['config_version'] === undefined
        ? `config_version is missing: the first line must be config_version = ${CONFIG_VERSION}`
        : `this program reads config_version ${CONFIG_VERSION}`
    problems.push({ where: place?.value ?? '1:1', source: place?.source ?? '', sentence })
  }
  for (const [section, group] of Object.entries(tree)) {
    if (section === 'config_version') continue
    const known = OPTION_ENTRIES.filter((entry) => entry.section === section)
    if (known.length === 0) {
      problems.push(unknown(placeOf(section), section, sections))
      continue
    }
    if (!isTable(group)) {
      const place = placeOf(section)
      const sentence = `${section} is a table: write [${section}] and its keys below`
      problems.push({ where: place?.key ?? '1:1', source: place?.source ?? section, sentence })
      continue
    }
    for (const [key, value] of Object.entries(group)) {
      const place = placeOf(section, key)
      if (known.some((entry) => entry.key === key)) {
        const where = place?.value ?? '1:1'
        settings.set(`${section}.${key}`, { value, where, source: place?.source ?? key })
      } else {
        problems.push(
          unknown(
            place,
            key,
            known.map((entry) => entry.key),
          ),
        )
      }
    }
  }
  return { isToml: true, settings, problems }
}

export function formatOptionValue(entry: OptionEntry, value: unknown): string {
  if (entry.kind === 'duration') return formatDuration(Number(value))
  if (entry.kind === 'size') return formatSize(Number(value))
  return Array.isArray(value) ? value.join(',') : String(value)
}

function formatToml(entry: OptionEntry, value: unknown): string {
  if (entry.kind === 'integer') return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
  return JSON.stringify(formatOptionValue(entry, value))
}

// A file with a sentence for every option: what `settings` names is set, the rest is shown as a
// comment with its default.
export function formatConfigFile(settings: Readonly<Record<string, unknown>>): string {
  const lines = ['# Mooring node. Flags and MOORING_* variables win over this file.']
  lines.push(`config_version = ${CONFIG_VERSION}`)
  for (const section of Object.keys(OPTIONS)) {
    lines.push('', `[${section}]`)
    for (const entry of OPTION_ENTRIES.filter((each) => each.section === section)) {
      const setting = settings[entry.name]
      const value = formatToml(entry, setting ?? entry.default)
      lines.push(`# ${entry.description}`)
      lines.push(`${setting === undefined ? '# ' : ''}${entry.key} = ${value}`)
    }
  }
  return `${lines.join('\n')}\n`
}
