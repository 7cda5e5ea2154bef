// Names that complete a command line and are in no help: options of the configuration, error numbers,
// nodes of a devnet, members and changes of the network. Nothing of a person is ever among them.

import { allErrors } from '@mooring/node/errors'
import { OPTION_ENTRIES } from '@mooring/node/options'
import type { Client } from '@mooring/api/client'
import type { Command } from 'commander'
import type { Context, GlobalOptions } from './context.ts'
import { devnetFolder, readDevnetState } from './devnet/state.ts'
import { withNode } from './endpoint.ts'

type Ask = (context: Context, options: GlobalOptions) => Promise<readonly string[]> | string[]

const ASK_MS = 150

const optionNames: Ask = () => OPTION_ENTRIES.map(({ name }) => name)

const errorNumbers: Ask = () => allErrors().map(({ entry }) => entry.mor)

const devnetNodes: Ask = async (context) => {
  const state = await readDevnetState(devnetFolder(context, { name: 'default' }))
  return (state?.nodes ?? []).map(({ index }) => String(index))
}

const ofNode =
  (list: (client: Client) => Promise<readonly string[]>): Ask =>
  (context, options) =>
    withNode(context, { ...options, timeout: ASK_MS }, list)

const memberNames = ofNode(async (client) => (await client.members()).items.map(({ id }) => id))

const changeIds = ofNode(async (client) => {
  const { items } = await client.changes({ status: 'open' })
  return items.map(({ id }) => id)
})

const NAMES: Readonly<Record<string, Ask>> = {
  explain: errorNumbers,
  'config get': optionNames,
  'config set': optionNames,
  'devnet kill': devnetNodes,
  'devnet restart': devnetNodes,
  'devnet pause': devnetNodes,
  'devnet resume': devnetNodes,
  'devnet logs': devnetNodes,
  'devnet byzantine': devnetNodes,
  'member show': memberNames,
  'change propose promote': memberNames,
  'change propose demote': memberNames,
  'change propose remove': memberNames,
  'peer show': memberNames,
  'peer ban': memberNames,
  'peer unban': memberNames,
  'peer connect': memberNames,
  'peer disconnect': memberNames,
  'peer ping': memberNames,
  'peer probe': memberNames,
  'change show': changeIds,
  'change status': changeIds,
  'change approve': changeIds,
  'change withdraw': changeIds,
}

export const COMPLETED_COMMANDS: readonly string[] = Object.keys(NAMES)

type Line = { path: string; options: GlobalOptions; last: string }

// What of a line that is still being typed can be understood.
function understand(program: Command, words: readonly string[]): Line {
  let command = program
  let path = ''
  const given = new Map<string, string>()
  for (const [index, word] of words.slice(0, -1).entries()) {
    const next = command.commands.find((each) => [each.name(), ...each.aliases()].includes(word))
    if (next !== undefined) {
      command = next
      path = `${path} ${next.name()}`.trim()
    }
    const value = words[index + 1]
    if (word.startsWith('--') && value !== undefined) given.set(word.slice(2), value)
  }
  const options: GlobalOptions = {}
  for (const name of ['home', 'config', 'endpoint', 'context'] as const) {
    const value = given.get(name)
    if (value !== undefined) options[name] = value
  }
  return { path, options, last: words.at(-1) ?? '' }
}

export async function namesFor(
  program: Command,
  context: Context,
  words: readonly string[],
): Promise<readonly string[]> {
  const { path, options, last } = understand(program, words)
  const names = (await NAMES[path]?.(context, options)) ?? []
  return names.filter((name) => name.startsWith(last) && /^[\w.:@/-]+$/.test(name))
}
