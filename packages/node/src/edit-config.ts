// Changes a configuration file and leaves the rest of its text, comments included, as it was: one value
// at a time, or all that a new version of the file needs.

import { CONFIG_VERSION, formatTomlValue, parseConfigFile } from './config-file.ts'
import { NodeError } from './node-error.ts'
import type { OptionEntry } from './options.ts'
import { locate } from './toml-places.ts'

/** The text with that option set; throws when the file is written so that only a person can tell where. */
export function setInConfig(text: string, entry: OptionEntry, value: unknown): string {
  const edited = editedText(text, entry, formatTomlValue(entry, value))
  const { isToml, settings } = parseConfigFile(edited)
  const found = settings.get(entry.name)
  const expected = JSON.stringify(parseConfigFile(lineOf(entry, value)).settings.get(entry.name))
  if (!isToml || found === undefined || JSON.stringify(found.value) !== valueIn(expected)) {
    throw new NodeError('config_not_editable', { name: entry.name })
  }
  return edited
}

const lineOf = (entry: OptionEntry, value: unknown) =>
  `[${entry.section}]\n${entry.key} = ${formatTomlValue(entry, value)}\n`

function valueIn(setting: string | undefined): string {
  const { value }: { value: unknown } = JSON.parse(setting ?? '{}')
  return JSON.stringify(value)
}

function editedText(text: string, { section, key, name }: OptionEntry, value: string): string {
  const places = locate(text)
  const present = places.find(({ path, isTable }) => !isTable && path.join('.') === name)
  if (present !== undefined) {
    return `${text.slice(0, present.from)}${value}${text.slice(present.to)}`
  }
  const line = `${key} = ${value}\n`
  const header = places.find(({ path, isTable }) => isTable && path.join('.') === section)
  if (header === undefined) {
    const gap = text === '' || text.endsWith('\n') ? '\n' : '\n\n'
    return `${text}${gap}[${section}]\n${line}`
  }
  const next = places.find(({ isTable, start }) => isTable && start > header.start)
  const end = next?.start ?? text.length
  const within = text.slice(header.start, end)
  // The default is there as a comment: what is set takes its place.
  const comment = new RegExp(`^#[ \\t]*${key}[ \\t]*=.*(\\n|$)`, 'm').exec(within)
  const at = header.start + (comment?.index ?? within.indexOf('\n') + 1)
  const lineEnd = comment === null ? at : at + comment[0].length
  const isUnended = comment === null && !within.includes('\n')
  if (isUnended) return `${text.slice(0, end)}\n${line}${text.slice(end)}`
  return `${text.slice(0, at)}${line}${text.slice(lineEnd)}`
}

export type Migration = { text: string; from: number; steps: readonly string[] }

/** What brings an older file to this version. Undefined: it is of this version. */
export function migrateConfig(text: string): Migration | undefined {
  const version = versionOf(text)
  if (version === CONFIG_VERSION) return undefined
  if (version > CONFIG_VERSION) {
    throw new NodeError('config_newer', { version, own: CONFIG_VERSION })
  }
  // Files had no version before the first one.
  const steps = [`config_version = ${CONFIG_VERSION} is now the first line`]
  return { text: `config_version = ${CONFIG_VERSION}\n${text}`, from: version, steps }
}

function versionOf(text: string): number {
  const place = locate(text).find(({ path }) => path.join('.') === 'config_version')
  if (place === undefined) return 0
  const version = Number(text.slice(place.from, place.to))
  if (Number.isSafeInteger(version) && version >= 0) return version
  throw new NodeError('config_version_strange', { place: place.value })
}
