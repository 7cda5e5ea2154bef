// Devnets as folders: made without being started, made anew, thrown away, listed.

import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, durationArgument, watchable, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { boardDocument, flagsOf } from '../devnet/board.ts'
import { devnetCommand, type DevnetOptions } from '../devnet/command.ts'
import { stopDevnet } from '../devnet/foreground.ts'
import { makeDevnet, runningNodes } from '../devnet/make.ts'
import { devnetFolder, readDevnetState, requireDevnet } from '../devnet/state.ts'
import { createOutput, formatTable } from '../output.ts'

type MakeOptions = DevnetOptions & { nodes?: number; basePort: number; heartbeat?: number }

export function addInit(group: Command, context: Context): void {
  const command = devnetCommand(group, 'init')
    .description('make keys, genesis and configurations, and start nothing')
    .addOption(new Option('-n, --nodes <count>', 'hospitals (4)').argParser(countArgument))
    .addOption(
      new Option('--base-port <port>', 'as for devnet up').argParser(countArgument).default(7420),
    )
    .addOption(
      new Option('--heartbeat <duration>', 'a block at least so often (1s)').argParser(
        durationArgument,
      ),
    )
  withHelp(command, {
    examples: ['mooring devnet init', 'mooring devnet init -n 7 --name seven --base-port 0'],
    exits: [7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<MakeOptions>()
    const output = createOutput(context, options)
    const state = await makeDevnet({
      dir: devnetFolder(context, options),
      name: options.name,
      nodes: options.nodes,
      heartbeatMs: options.heartbeat,
      basePort: options.basePort,
      isReset: false,
      say: output.note,
    })
    if (output.isJson) {
      const reports = state.nodes.map((node) => ({ node, status: null }))
      output.json(boardDocument(state, reports))
      return
    }
    const homes = state.nodes.map(({ home }) => home)
    output.text(`made "${state.name}", network ${state.networkId}:\n${homes.join('\n')}`)
    output.note(`start it:  npx mooring devnet up${flagsOf(state, context)}`)
  })
}

/** Before what cannot be taken back. */
function requireYes(options: { yes?: boolean }, words: string): void {
  if (options.yes === true) return
  const detail = 'It deletes every record and key of the devnet: say --yes.'
  throw new NodeError('usage', { detail, command: `devnet ${words} ` })
}

export function addReset(group: Command, context: Context): void {
  const command = devnetCommand(group, 'reset')
    .description('stop its nodes and make it anew: other keys, an empty chain, the same size')
    .option('-y, --yes', 'do not ask')
  withHelp(command, {
    examples: ['mooring devnet reset --yes', 'mooring devnet reset --yes --name other'],
    exits: [6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DevnetOptions & { yes?: boolean }>()
    const output = createOutput(context, options)
    const { dir, name, nodes, heartbeatMs, basePort } = await requireDevnet(context, options)
    requireYes(options, 'reset')
    await stopDevnet(dir, output, new Promise(() => undefined))
    const founders = nodes.filter(({ isNewcomer }) => isNewcomer !== true).length
    const made = { dir, name, nodes: founders, heartbeatMs, basePort, say: output.note }
    const state = await makeDevnet({ ...made, isReset: true })
    const { networkId } = state
    if (output.isJson) output.json({ schema: 'mooring/devnet-reset/v1', name, dir, networkId })
    else output.text(`made "${name}" anew, network ${networkId}`)
  })
}

export function addRemove(group: Command, context: Context): void {
  const command = devnetCommand(group, 'rm')
    .description('stop its nodes and delete its folder')
    .option('-y, --yes', 'do not ask')
  withHelp(command, {
    examples: ['mooring devnet rm --yes', 'mooring devnet rm --yes --name other'],
    exits: [6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DevnetOptions & { yes?: boolean }>()
    const output = createOutput(context, options)
    const { dir, name } = await requireDevnet(context, options)
    requireYes(options, 'rm')
    const stopped = await stopDevnet(dir, output, new Promise(() => undefined))
    await rm(dir, { recursive: true })
    if (output.isJson) output.json({ schema: 'mooring/devnet-rm/v1', name, dir, stopped })
    else output.text(`deleted "${name}"  (${dir})`)
  })
}

type Row = { name: string; dir: string; nodes: number; running: number; networkId: string }

async function foldersOf({ cwd }: Pick<Context, 'cwd'>): Promise<string[]> {
  try {
    const folder = resolve(cwd, '.devnet')
    return (await readdir(folder)).toSorted().map((name) => join(folder, name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export function addList(group: Command, context: Context): void {
  const command = watchable(group.command('ls')).description('the devnets of this folder')
  withHelp(command, { examples: ['mooring devnet ls', 'mooring devnet ls --json'], exits: [] })
  command.action(async () => {
    const output = createOutput(context, command.optsWithGlobals())
    const rows: Row[] = []
    for (const dir of await foldersOf(context)) {
      const state = await readDevnetState(dir)
      if (state === null) continue
      const { name, networkId, nodes } = state
      const running = (await runningNodes(state)).length
      rows.push({ name, dir, nodes: nodes.length, running, networkId })
    }
    if (output.isJson) output.json({ schema: 'mooring/devnets/v1', items: rows })
    else if (rows.length === 0) output.text('no devnet was made in this folder')
    else {
      output.text(
        formatTable(rows, [
          { title: 'name', value: ({ name }) => name },
          { title: 'nodes', value: ({ nodes }) => String(nodes), align: 'right' },
          { title: 'run', value: ({ running }) => String(running), align: 'right' },
          { title: 'network', value: ({ networkId }) => networkId },
          { title: 'folder', value: ({ dir }) => dir },
        ]),
      )
    }
  })
}
