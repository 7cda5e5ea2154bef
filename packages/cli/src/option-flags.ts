// Options of the configuration as people meet them in commands: each as a flag, by its name, and written
// as the file has it.

import { formatOptionValue } from '@mooring/node/config-file'
import { NodeError } from '@mooring/node/node-error'
import { nearest } from '@mooring/node/option-values'
import { OPTION_ENTRIES, type OptionEntry } from '@mooring/node/options'
import { type Command, Option } from 'commander'
import type { GlobalOptions } from './context.ts'

const GLOBAL_FLAGS = ['--log-level', '--log-format']

function describeDefault(entry: OptionEntry): string {
  const value = Array.isArray(entry.default) ? entry.default.join(',') : String(entry.default)
  return value === '' || entry.unit !== undefined ? '' : ` (${value})`
}

export function addOptionFlags(
  command: Command,
  isWanted: (entry: OptionEntry) => boolean = () => true,
): void {
  for (const entry of OPTION_ENTRIES) {
    if (GLOBAL_FLAGS.includes(entry.flag) || !isWanted(entry)) continue
    const text = `${entry.description}${describeDefault(entry)}`
    const option = new Option(`${entry.flag} <value>`, text).helpGroup('Settings:')
    if (entry.kind === 'list') {
      option.argParser((value: string, previous: string[] | undefined) => [
        ...(previous ?? []),
        value,
      ])
    }
    command.addOption(option)
  }
}

export function flagsOf(options: GlobalOptions): Record<string, string | string[]> {
  const values = new Map(Object.entries(options))
  const flags: Record<string, string | string[]> = {}
  for (const entry of OPTION_ENTRIES) {
    const name = new Option(entry.flag).attributeName()
    const value: unknown = values.get(name)
    if (typeof value === 'string') flags[entry.name] = value
    if (Array.isArray(value)) flags[entry.name] = value.map(String)
  }
  return flags
}

export function optionNamed(name: string): OptionEntry {
  const found = OPTION_ENTRIES.find((entry) => entry.name === name)
  if (found !== undefined) return found
  const names = OPTION_ENTRIES.map((entry) => entry.name)
  const near = nearest(name, names)
  throw new NodeError('option_unknown', { name, meant: near ? ` Did you mean "${near}"?` : '' })
}

// As the file has it: durations and sizes with their unit.
export function written(entry: OptionEntry, value: unknown): unknown {
  return entry.kind === 'integer' || entry.kind === 'list' ? value : formatOptionValue(entry, value)
}
