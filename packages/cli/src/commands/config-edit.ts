// Changes to the configuration file: one option, or all that a newer version needs. The file of before
// stays beside it as .bak, and nothing is written that would not be valid.

import { copyFile, readFile, stat } from 'node:fs/promises'
import { CONFIG_VERSION, formatOptionValue, parseConfigFile } from '@mooring/node/config-file'
import { replaceFile } from '@mooring/node/durable-files'
import { migrateConfig, setInConfig } from '@mooring/node/edit-config'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import { parseOptionText, resolveOptions } from '@mooring/node/resolve-options'
import type { OptionEntry } from '@mooring/node'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { optionNamed, written } from '../option-flags.ts'
import { createOutput } from '../output.ts'

const pathOf = (context: Context, options: GlobalOptions) =>
  configOf(context, options) ?? homePaths(homeOf(context, options)).configFile

export async function readConfigText(path: string, home: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw isMissing ? new NodeError('config_missing', { path, home }) : error
  }
}

// Whole or not at all, with the rights that the file had.
export async function replaceConfig(path: string, text: string): Promise<string> {
  const backup = `${path}.bak`
  await copyFile(path, backup)
  const { mode } = await stat(path)
  await replaceFile(path, text, mode & 0o777)
  return backup
}

function valueFor(entry: OptionEntry, text: string): unknown {
  const parsed = parseOptionText(entry, text)
  if ('value' in parsed) return parsed.value
  const { name } = entry
  throw new NodeError('option_value_invalid', { name, value: text, expected: parsed.expected })
}

function refuseInvalid(text: string, entry: OptionEntry, value: unknown): void {
  const { problems } = resolveOptions({ flags: {}, env: {}, file: parseConfigFile(text) })
  const [first] = problems
  if (first === undefined) return
  throw new NodeError('config_not_valid_after', {
    name: entry.name,
    value: formatOptionValue(entry, value),
    detail: `${first.source} ${first.sentence}`,
  })
}

export function addConfigSet(group: Command, context: Context): void {
  const command = group
    .command('set')
    .description('write one option into the file; a running node has it after its next start')
    .argument('<option>', 'its name: section and key, such as p2p.max_peers')
    .argument('<value>', 'as a flag would have it; items of a list with commas between')
  withHelp(command, {
    examples: [
      'mooring config set p2p.max_peers 32',
      'mooring --home /srv/mooring config set log.level info,p2p=debug',
    ],
    exits: [3, 6, 7],
  })
  command.action(async (name: string, text: string) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const entry = optionNamed(name)
    const value = valueFor(entry, text)
    const path = pathOf(context, options)
    const edited = setInConfig(await readConfigText(path, homeOf(context, options)), entry, value)
    refuseInvalid(edited, entry, value)
    const backup = await replaceConfig(path, edited)
    if (output.isJson) {
      const schema = 'mooring/config-set/v1'
      output.json({ schema, name, value: written(entry, value), path, backup })
    } else output.text(`${name} = ${formatOptionValue(entry, value)}  (${path}; before: ${backup})`)
  })
}

export function addConfigMigrate(group: Command, context: Context): void {
  const command = group
    .command('migrate')
    .description('bring an older configuration file to the present version; the old one is kept')
  withHelp(command, {
    examples: ['mooring config migrate', 'mooring --home /srv/mooring config migrate --json'],
    exits: [3, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const path = pathOf(context, options)
    const migration = migrateConfig(await readConfigText(path, homeOf(context, options)))
    const backup = migration === undefined ? null : await replaceConfig(path, migration.text)
    const { from = CONFIG_VERSION, steps = [] } = migration ?? {}
    if (output.isJson) {
      const schema = 'mooring/config-migration/v1'
      output.json({ schema, path, from, to: CONFIG_VERSION, steps, backup })
    } else if (backup === null) output.text(`${path} is of version ${CONFIG_VERSION} already`)
    else {
      for (const step of steps) output.text(step)
      output.note(`the file of before is ${backup}; now:   mooring config validate`)
    }
  })
}
