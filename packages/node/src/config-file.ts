// The configuration file: TOML in, a list of settings with the place of each, and every problem at
// once.

import { parse, TomlError } from 'smol-toml'
import type { NodeErrorCode } from './node-error.ts'
import {
  formatDuration,
  formatSize,
  nearest,
  type Parsed,
  parseDuration,
  parseSize,
} from './option-values.ts'
import { OPTION_ENTRIES, OPTIONS, type OptionEntry } from './options.ts'
import { locate, type Place } from './toml-places.ts'

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

const isSame = (parsed: Parsed<number>, value: unknown) =>
  'value' in parsed && parsed.value === value

export function formatOptionValue(entry: OptionEntry, value: unknown): string {
  // What is rounded to be read would be another value when it is read back.
  if (entry.kind === 'duration') {
    const text = formatDuration(Number(value))
    return isSame(parseDuration(text), value) ? text : `${Number(value)}ms`
  }
  if (entry.kind === 'size') {
    const text = formatSize(Number(value))
    return isSame(parseSize(text), value) ? text : `${Number(value)}B`
  }
  return Array.isArray(value) ? value.join(',') : String(value)
}

export function formatTomlValue(entry: OptionEntry, value: unknown): string {
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
      const value = formatTomlValue(entry, setting ?? entry.default)
      lines.push(`# ${entry.description}`)
      lines.push(`${setting === undefined ? '# ' : ''}${entry.key} = ${value}`)
    }
  }
  return `${lines.join('\n')}\n`
}
