// Every option: its key in the file, its variable, its flag, what it may be and what it is by default.

import {
  formatConfigFile,
  formatOptionValue,
  OPTION_ENTRIES,
  type OptionEntry,
} from '@mooring/node'
import { block, code, GENERATED, markdownTable, paragraphs, plain } from './markdown.ts'

export function configurationPage(): string {
  const sections = [...new Set(OPTION_ENTRIES.map(({ section }) => section))]
  return paragraphs(
    GENERATED,
    '# Configuration',
    `A node reads ${code('config/mooring.toml')} in its home. A flag of ${code('mooring start')} wins over an environment
variable, that over the file, the file over what the profile sets, that over the default. Names are mechanical:
${code('[p2p] max_peers')} is ${code('MOORING_P2P_MAX_PEERS')} and ${code('--p2p-max-peers')}. An unknown key is an error;
${code('mooring config validate')} shows all errors at once with line and column, ${code('mooring config show --origins')}
where each value comes from.`,
    `Durations have a unit (${code('500ms')}, ${code('10s')}, ${code('5m')}, ${code('2h')}, ${code('30d')}), sizes too (${code('64KiB')}, ${code('64MiB')},
${code('2GiB')}). What must be equal on all nodes is no option: it is in the genesis, and changed by vote. The JSON Schema
of the file is [schemas/mooring.toml.json](schemas/mooring.toml.json).`,
    ...sections.map(describeSection),
    '## A file with everything',
    block(formatConfigFile({}).trimEnd().split('\n')),
  )
}

function describeSection(section: string): string {
  const entries = OPTION_ENTRIES.filter((entry) => entry.section === section)
  return paragraphs(
    `## [${section}]`,
    markdownTable(
      ['key', 'value', 'default', 'what it does'],
      entries.map((entry) => [code(entry.key), values(entry), defaults(entry), what(entry)]),
    ),
  )
}

function values(entry: OptionEntry): string {
  const { kind, enum: choices, minimum, maximum, examples } = entry
  if (choices !== undefined) return choices.map(code).join(', ')
  if (minimum !== undefined && maximum !== undefined) {
    const range = [minimum, maximum].map((value) => formatOptionValue(entry, value))
    return `${kind}, ${range.join(' to ')}`
  }
  return examples === undefined ? kind : `${kind}, such as ${code(examples[0])}`
}

function defaults(entry: OptionEntry): string {
  const shown = (value: unknown) => {
    const text = formatOptionValue(entry, value)
    return text === '' ? 'empty' : code(text)
  }
  const others = Object.entries(entry.profiles ?? {}).map(
    ([profile, value]) => `${profile}: ${shown(value)}`,
  )
  return [shown(entry.default), ...others].join('; ')
}

const what = ({ description, variable, flag }: OptionEntry) =>
  `${plain(description)} ${code(variable)} ${code(flag)}`
