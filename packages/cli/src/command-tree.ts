// The tree of commands as data. The reference page, the pages of the manual and the completions of the
// shells are made from this one walk, so that none of them knows a command that is not there.

import type { Argument, Command, Option } from 'commander'
import { type Help, helpOf } from './command-help.ts'

export type CommandNote = {
  // "record submit"; empty for the program itself.
  path: string
  aliases: readonly string[]
  // Of the first word: "Node", "Records".
  group: string
  usage: string
  description: string
  arguments: readonly ArgumentNote[]
  options: readonly OptionNote[]
  help: Help
  children: readonly CommandNote[]
}

export type ArgumentNote = {
  name: string
  description: string
  choices: readonly string[]
  isVariadic: boolean
}

export type OptionNote = {
  flags: string
  short: string | undefined
  long: string | undefined
  description: string
  choices: readonly string[]
  takesValue: boolean
  // As a person would type it.
  fallback: string | undefined
  // Such as "Settings": what is explained in another place.
  group: string | undefined
}

function fallbackOf(option: Option): string | undefined {
  const { defaultValue, defaultValueDescription } = option
  if (defaultValueDescription !== undefined) return defaultValueDescription
  if (defaultValue === undefined || typeof defaultValue === 'boolean') return undefined
  const text = Array.isArray(defaultValue) ? defaultValue.join(',') : String(defaultValue)
  return text === '' || option.long === '--verbose' ? undefined : text
}

const optionNote = (option: Option): OptionNote => ({
  flags: option.flags,
  short: option.short,
  long: option.long,
  description: option.description,
  choices: option.argChoices ?? [],
  takesValue: option.required || option.optional,
  fallback: fallbackOf(option),
  group: option.helpGroupHeading?.replace(/:$/, ''),
})

const argumentNote = (argument: Argument): ArgumentNote => ({
  name: argument.name(),
  description: argument.description,
  choices: argument.argChoices ?? [],
  isVariadic: argument.variadic,
})

export function describeTree(command: Command, path = '', group = ''): CommandNote {
  const children = command.commands.filter((each) => !isHidden(each))
  return {
    path,
    aliases: command.aliases(),
    group,
    usage: ['mooring', path, command.usage()].filter((word) => word !== '').join(' '),
    description: command.description(),
    arguments: command.registeredArguments.map(argumentNote),
    options: command.options.filter((option) => !option.hidden).map(optionNote),
    help: helpOf(command),
    children: children.map((each) => {
      const heading = path === '' ? each.helpGroup().replace(/:$/, '') : group
      return describeTree(each, `${path} ${each.name()}`.trim(), heading)
    }),
  }
}

// Commander keeps this to itself and shows it only through what its help leaves out.
function isHidden(command: Command): boolean {
  const parent = command.parent
  return parent !== null && !parent.createHelp().visibleCommands(parent).includes(command)
}

// The program first, then each command before what is below it.
export function allNotes(note: CommandNote): CommandNote[] {
  return [note, ...note.children.flatMap(allNotes)]
}
