// The configuration of a node: what is in effect and why, whether it is right, and changes to its file
// that keep its comments. Nothing here needs a running node, or a home that is whole.

import { formatOptionValue } from '@mooring/node/config-file'
import { configSchema } from '@mooring/node/config-schema'
import { readConfiguration, refuseProblems, type Configuration } from '@mooring/node/load-options'
import { OPTION_ENTRIES, type OptionEntry } from '@mooring/node/options'
import type { Command } from 'commander'
import { resolve } from 'node:path'
import { withHelp } from '../command-help.ts'
import { addReload } from './config-reload.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { addOptionFlags, flagsOf, optionNamed, written } from '../option-flags.ts'
import type { Result } from '../program.ts'
import { createOutput, formatTable, type Output } from '../output.ts'
import { addConfigMigrate, addConfigSet } from './config-edit.ts'

type ShowOptions = GlobalOptions & { origins?: boolean }

function configurationOf(context: Context, options: GlobalOptions): Promise<Configuration> {
  return readConfiguration({
    home: homeOf(context, options),
    configPath: configOf(context, options),
    flags: flagsOf(options),
    env: context.env,
  })
}

const pathOf = ({ file, configPath }: Configuration) => (file === null ? null : configPath)

function valueOf({ values }: Configuration, { section, key }: OptionEntry): unknown {
  const group = Object.entries(values).find(([name]) => name === section)?.[1] ?? {}
  return Object.entries(group).find(([name]) => name === key)?.[1]
}

function originOf({ origins }: Configuration, { name }: OptionEntry) {
  return origins[name] ?? { from: 'default' as const, where: '' }
}

type Line = { entry: OptionEntry; value: unknown; from: string; where: string }

function linesOf(configuration: Configuration): Line[] {
  return OPTION_ENTRIES.map((entry) => {
    const value = valueOf(configuration, entry)
    return { entry, value, ...originOf(configuration, entry) }
  })
}

function shown({ entry, value }: Pick<Line, 'entry' | 'value'>): string {
  const text = formatOptionValue(entry, value)
  return text === '' ? '""' : text
}

function printOrigins(output: Output, lines: readonly Line[]): void {
  output.text(
    formatTable(lines, [
      { title: 'option', value: ({ entry }) => entry.name },
      { title: 'value', value: shown },
      { title: 'from', value: ({ from, where }) => `${from} ${where}`.trim() },
    ]),
  )
}

function printFile(output: Output, lines: readonly Line[]): void {
  let section = ''
  for (const line of lines) {
    if (line.entry.section !== section) output.text(`[${line.entry.section}]`)
    section = line.entry.section
    output.text(`${line.entry.key} = ${JSON.stringify(written(line.entry, line.value))}`)
  }
}

function addShow(group: Command, context: Context): void {
  const command = group
    .command('show')
    .description('the configuration that a node of this home would start with')
    .option('--origins', 'where each value comes from: flag, variable, line of the file, profile')
  addOptionFlags(command)
  withHelp(command, {
    examples: [
      'mooring config show --origins',
      'MOORING_P2P_MAX_PEERS=32 mooring --home /srv/mooring config show --json',
    ],
    exits: [3],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ShowOptions>()
    const output = createOutput(context, options)
    const configuration = await configurationOf(context, options)
    refuseProblems(configuration)
    const lines = linesOf(configuration)
    if (output.isJson) {
      const values: Record<string, Record<string, unknown>> = {}
      for (const { entry, value } of lines) {
        values[entry.section] = { ...values[entry.section], [entry.key]: written(entry, value) }
      }
      const { origins } = configuration
      output.json({ schema: 'mooring/config/v1', path: pathOf(configuration), values, origins })
    } else if (options.origins === true) printOrigins(output, lines)
    else printFile(output, lines)
    output.note(pathOf(configuration) ?? `there is no ${configuration.configPath}`)
  })
}

function addGet(group: Command, context: Context): void {
  const command = group
    .command('get')
    .description('one option as it is in effect')
    .argument('<option>', 'its name: section and key, such as p2p.max_peers')
  withHelp(command, {
    examples: ['mooring config get p2p.max_peers', 'mooring config get http.listen --json'],
    exits: [3, 6],
  })
  command.action(async (name: string) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const entry = optionNamed(name)
    const configuration = await configurationOf(context, options)
    refuseProblems(configuration)
    const value = valueOf(configuration, entry)
    if (output.isJson) {
      const { from, where } = originOf(configuration, entry)
      const schema = 'mooring/config-value/v1'
      output.json({ schema, name, value: written(entry, value), from, where })
    } else output.text(formatOptionValue(entry, value))
  })
}

function addValidate(group: Command, context: Context): void {
  const command = group
    .command('validate')
    .description('every problem of file, variables and flags at once; nothing is started')
    .argument('[file]', 'another file than that of the home')
  addOptionFlags(command)
  withHelp(command, {
    examples: ['mooring config validate', 'mooring config validate new.toml --json'],
    exits: [3],
  })
  command.action(async (file: string | undefined) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const chosen = file === undefined ? options : { ...options, config: resolve(context.cwd, file) }
    const configuration = await configurationOf(context, chosen)
    refuseProblems(configuration)
    const path = pathOf(configuration)
    if (output.isJson) output.json({ schema: 'mooring/config-validation/v1', ok: true, path })
    else output.text(`${output.good('OK')}  ${path ?? 'no file: variables and defaults'}`)
  })
}

function addSchema(group: Command, context: Context): void {
  const command = group
    .command('schema')
    .description('the JSON Schema of the configuration file, for editors and programs')
  withHelp(command, {
    examples: ['mooring config schema', 'mooring config schema > mooring.toml.schema.json'],
    exits: [],
  })
  command.action(() => {
    const output = createOutput(context, command.optsWithGlobals<GlobalOptions>())
    output.text(JSON.stringify(configSchema(), null, 2))
  })
}

// Without the environment: what two files say, not what happens to be set here.
function fileAlone(context: Context, options: GlobalOptions, config: string | undefined) {
  const configPath = config === undefined ? undefined : resolve(context.cwd, config)
  const home = homeOf(context, options)
  return readConfiguration({ home, configPath, flags: {}, env: {} })
}

function addDiff(group: Command, context: Context): void {
  const command = group
    .command('diff')
    .description('what differs from the defaults, or from another file')
    .argument('[file]', 'the other file')
  withHelp(command, {
    examples: ['mooring config diff', 'mooring config diff /srv/mooring2/config/mooring.toml'],
    exits: [3],
  })
  command.action(async (file: string | undefined) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const own =
      file === undefined
        ? await configurationOf(context, options)
        : await fileAlone(context, options, configOf(context, options))
    refuseProblems(own)
    const other = file === undefined ? undefined : await fileAlone(context, options, file)
    if (other !== undefined) refuseProblems(other)
    const items = linesOf(own)
      .map((line) => {
        const compared = other === undefined ? line.entry.default : valueOf(other, line.entry)
        return { ...line, compared }
      })
      .filter(({ value, compared }) => JSON.stringify(value) !== JSON.stringify(compared))
    if (output.isJson) {
      const differing = items.map(({ entry, value, compared, from, where }) => ({
        name: entry.name,
        value: written(entry, value),
        other: written(entry, compared),
        from,
        where,
      }))
      output.json({ schema: 'mooring/config-diff/v1', items: differing })
    } else if (items.length === 0) output.text('no difference')
    else
      output.text(
        formatTable(items, [
          { title: 'option', value: ({ entry }) => entry.name },
          { title: 'here', value: shown },
          {
            title: file === undefined ? 'default' : 'there',
            value: ({ entry, compared }) => shown({ entry, value: compared }),
          },
          { title: 'from', value: ({ from, where }) => `${from} ${where}`.trim() },
        ]),
      )
  })
}

export function addConfig(program: Command, context: Context, result: Result): void {
  const group = program.command('config').description('look at, check and change the configuration')
  addShow(group, context)
  addGet(group, context)
  addConfigSet(group, context)
  addValidate(group, context)
  addSchema(group, context)
  addDiff(group, context)
  addConfigMigrate(group, context)
  addReload(group, context, result)
  withHelp(group, {
    examples: ['mooring config show --origins', 'mooring config validate'],
    exits: [3, 6, 7, 13],
  })
}
