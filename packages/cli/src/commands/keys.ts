// The keys of a home: what is in use, what waits, what the chain names; and their rotation.

import { toHex } from '@mooring/codec'
import { formatDidKey, formatPeerId } from '@mooring/crypto'
import { KEY_DUTIES, type KeyDuty, type FoundKey } from '@mooring/node/keys'
import { NodeError } from '@mooring/node/node-error'
import { type Command, InvalidArgumentError } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { type KeyState, readKeyStates, standingOf, withChain } from '../home-keys.ts'
import { createOutput, formatFields, formatTable, type Output } from '../output.ts'
import { addKeyFiles } from './keys-files.ts'
import { addRotate } from './keys-rotate.ts'

type ShowOptions = RemoteOptions & { governanceKey?: string }

function nameOf(duty: KeyDuty, { publicKey }: FoundKey): string {
  if (duty === 'seal') return toHex(publicKey)
  return duty === 'transport' ? formatPeerId(publicKey) : formatDidKey(publicKey)
}

const shown = (duty: KeyDuty, key: FoundKey | null) => (key === null ? '–' : nameOf(duty, key))

function describe(state: KeyState): string {
  switch (standingOf(state)) {
    case 'in force':
      return state.next === null ? 'in force' : 'in force; the next one waits'
    case 'next in force':
      return 'the next one is in force'
    case 'other':
      return state.current === null ? 'kept elsewhere' : 'the chain names another one'
    case 'unknown':
      return state.current === null ? 'kept elsewhere' : 'not known: no node says'
  }
}

function documentOf(state: KeyState): object {
  const { duty, path, current, next, chain } = state
  const of = (key: FoundKey | null) =>
    key && { public: toHex(key.publicKey), name: nameOf(duty, key), form: key.form }
  return { duty, file: path, current: of(current), next: of(next), chain, state: standingOf(state) }
}

// Keys are looked at also while no node answers: then nobody says which of them the chain names.
async function look(context: Context, options: ShowOptions, output: Output): Promise<KeyState[]> {
  const states = await readKeyStates(context, options)
  try {
    const { items } = await withNode(context, options, (client) => client.members())
    return withChain(states, items)
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    output.note('no node answers: which keys the chain names is not known')
    return states
  }
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('the key of each duty, and the one that comes next')
    .option('--governance-key <file>', 'where that key is kept (keys/governance.json of the home)')
  withHelp(command, {
    examples: ['mooring keys list', 'mooring --home /srv/mooring keys list --json'],
    exits: [3, 4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ShowOptions>()
    const output = createOutput(context, options)
    const states = await look(context, options, output)
    if (output.isJson) {
      output.json({ schema: 'mooring/keys/v1', items: states.map(documentOf) })
      return
    }
    output.text(
      formatTable(states, [
        { title: 'duty', value: ({ duty }) => duty },
        { title: 'key', value: ({ duty, current }) => shorten(shown(duty, current)) },
        { title: 'form', value: ({ current }) => current?.form ?? '–' },
        { title: 'next', value: ({ duty, next }) => shorten(shown(duty, next)) },
        { title: 'on the chain', value: describe },
      ]),
    )
  })
}

const shorten = (name: string) => (name.length <= 20 ? name : `${name.slice(0, 18)}…`)

function dutyArgument(word: string): KeyDuty {
  const duty = KEY_DUTIES.find((each) => each === word)
  if (duty !== undefined) return duty
  throw new InvalidArgumentError(`expected one of ${KEY_DUTIES.join(', ')}.`)
}

function addShow(group: Command, context: Context): void {
  const command = remote(group.command('show'))
    .description('one key in full; never its secret half')
    .argument('<duty>', KEY_DUTIES.join(', '), dutyArgument)
    .option('--governance-key <file>', 'where that key is kept (keys/governance.json of the home)')
  withHelp(command, {
    examples: ['mooring keys show consensus', 'mooring keys show governance --json'],
    exits: [3, 4, 6],
  })
  command.action(async (duty: KeyDuty) => {
    const options = command.optsWithGlobals<ShowOptions>()
    const output = createOutput(context, options)
    const state = (await look(context, options, output)).find((each) => each.duty === duty)
    if (state === undefined) throw new TypeError(`no state of the ${duty} key`)
    if (output.isJson) {
      output.json({ schema: 'mooring/key/v1', ...documentOf(state) })
      return
    }
    output.text(
      formatFields([
        ['duty', duty],
        ['file', state.path],
        ['key', shown(duty, state.current)],
        ['form', state.current?.form ?? '–'],
        ['made', state.current?.created ?? '–'],
        ['next', shown(duty, state.next)],
        ['on the chain', `${state.chain ?? '–'}  ${describe(state)}`],
      ]),
    )
  })
}

export function addKeys(program: Command, context: Context): void {
  const group = program
    .command('keys')
    .description('the keys of a home: looked at, made, moved, renewed')
  addList(group, context)
  addShow(group, context)
  addRotate(group, context)
  addKeyFiles(group, context)
  withHelp(group, {
    examples: ['mooring keys list', 'mooring keys rotate --type consensus'],
    exits: [3, 4, 5, 6, 7, 9, 10, 13],
  })
}
