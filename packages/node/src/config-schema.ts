// The configuration file as a JSON Schema, made from the tables of options: for editors, and for programs
// that write the file.

import { CONFIG_VERSION, formatOptionValue } from './config-file.ts'
import { OPTION_ENTRIES, OPTIONS, type OptionEntry } from './options.ts'
import { LOG_LEVELS } from './option-values.ts'

const DURATION = '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)$'
const SIZE = '^\\d+(\\.\\d+)?\\s*(B|KiB|MiB|GiB)$'
const ADDRESS = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+):\\d{1,5}$'
const RETENTION = '^(forever|[1-9]\\d{0,14}|[1-9]\\d{0,8}(s|m|h|d))$'
const LEVEL = LOG_LEVELS.join('|')
const LEVELS = `^(${LEVEL}|[a-z0-9-]+=(${LEVEL}))(\\s*,\\s*[a-z0-9-]+=(${LEVEL}))*$`

function textForm(entry: OptionEntry): Record<string, unknown> {
  switch (entry.kind) {
    case 'duration':
      return { pattern: DURATION }
    case 'size':
      return { pattern: SIZE }
    case 'retention':
      return { pattern: RETENTION }
    case 'levels':
      return { pattern: LEVELS }
    case 'address':
      return { pattern: entry.default === '' ? `^$|${ADDRESS}` : ADDRESS }
    case 'text':
    case 'path':
    case 'choice':
    case 'integer':
    case 'list':
      return entry.pattern === undefined ? {} : { pattern: entry.pattern }
  }
}

function formOf(entry: OptionEntry): Record<string, unknown> {
  const { kind, enum: choices, minimum, maximum, pattern, examples } = entry
  if (kind === 'integer') return { type: 'integer', minimum, maximum }
  if (kind === 'list') return { type: 'array', items: { type: 'string', pattern }, examples }
  if (choices !== undefined) return { type: 'string', enum: choices }
  return { type: 'string', ...textForm(entry), ...(examples && { examples }) }
}

function propertyOf(entry: OptionEntry): Record<string, unknown> {
  const { kind, description, variable, flag } = entry
  const isAsIs = kind === 'integer' || kind === 'list'
  const fallback = isAsIs ? entry.default : formatOptionValue(entry, entry.default)
  return { description, ...formOf(entry), default: fallback, 'x-env': variable, 'x-flag': flag }
}

export function configSchema(): Record<string, unknown> {
  const sections = Object.keys(OPTIONS).map((section) => {
    const entries = OPTION_ENTRIES.filter((entry) => entry.section === section)
    const properties = Object.fromEntries(entries.map((entry) => [entry.key, propertyOf(entry)]))
    return [section, { type: 'object', properties, additionalProperties: false }]
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'mooring.toml',
    description: 'The configuration of a Mooring node.',
    type: 'object',
    required: ['config_version'],
    properties: { config_version: { const: CONFIG_VERSION }, ...Object.fromEntries(sections) },
    additionalProperties: false,
  }
}
