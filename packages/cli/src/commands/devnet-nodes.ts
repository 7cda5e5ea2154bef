// Single nodes of a devnet: killed, brought back, listened to.

import { open, stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { countArgument, durationArgument, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { untilCaughtUp } from '../devnet/catch-up.ts'
import { devnetCommand, type DevnetOptions, lookAt, showBoard } from '../devnet/command.ts'
import { killProcess, lastLogLines, logFile } from '../devnet/processes.ts'
import { quorumOf } from '../devnet/progress.ts'
import {
  activeNodes,
  type DevnetNodeState,
  type DevnetState,
  memberOf,
  nodeOf,
  writeDevnetState,
} from '../devnet/state.ts'
import { startNodes } from '../devnet/up.ts'
import { createOutput, type Output } from '../output.ts'

const POLL_MS = 200

// "3" or "hospital-3".
function indexArgument(word: string): number {
  return countArgument(word.replace(/^hospital-/, ''))
}

const indices = (word: string, previous: number[] | undefined): number[] => [
  ...(previous ?? []),
  indexArgument(word),
]

async function describeQuorum(state: DevnetState): Promise<string> {
  const { authorities, quorum } = await quorumOf(state)
  const voting = state.nodes.filter(({ name }) => authorities.includes(name))
  const running = voting.filter(({ pid }) => pid !== null).length
  const goesOn = running >= quorum ? 'blocks go on' : 'blocks wait'
  return `${running} of ${authorities.length} run, ${quorum} make a quorum: ${goesOn}`
}

export function addKill(group: Command, context: Context): void {
  const command = devnetCommand(group, 'kill')
    .description('kill nodes at once, as a power cut would')
    .argument('<nodes...>', 'numbers or names', indices)
  withHelp(command, {
    examples: ['mooring devnet kill 3', 'mooring devnet kill 2 3'],
    exits: [6],
  })
  command.action(async (numbers: number[]) => {
    const options = command.optsWithGlobals<DevnetOptions>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    const nodes = numbers.map((index) => nodeOf(state, index))
    const running = nodes.filter(({ pid }) => pid !== null)
    for (const node of running) {
      await killProcess(node)
      node.pid = null
      node.startedAt = null
    }
    await writeDevnetState(state)
    const killed = running.map(({ name }) => name)
    if (output.isJson) {
      output.json({ schema: 'mooring/devnet-kill/v1', killed })
      return
    }
    const what = killed.length === 0 ? 'none of them ran' : `killed ${killed.join(', ')}`
    output.text(`${what}; ${await describeQuorum(state)}`)
  })
}

export function addRestart(group: Command, context: Context): void {
  const command = devnetCommand(group, 'restart')
    .description('start nodes again, and wait until they have caught up')
    .argument('[nodes...]', 'numbers or names; all that do not run when left out', indices)
    .addOption(
      new Option('--timeout <duration>', 'to catch up in')
        .argParser(durationArgument)
        .default(30_000, '30s'),
    )
  withHelp(command, {
    examples: ['mooring devnet restart 3', 'mooring devnet restart'],
    exits: [6, 9],
  })
  command.action(async (numbers: number[] | undefined) => {
    const options = command.optsWithGlobals<DevnetOptions & { timeout: number }>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    const asked = numbers === undefined || numbers.length === 0
    const nodes = asked
      ? activeNodes(state).filter(({ pid }) => pid === null)
      : numbers.map((index) => memberOf(state, index))
    for (const node of nodes) {
      await killProcess(node)
      node.pid = null
      delete node.isPaused
      delete node.behaviour
    }
    const started = await startNodes(state, nodes, context)
    await untilCaughtUp(state, nodes, { started, step: 'restart', timeoutMs: options.timeout })
    await showBoard(state, { context, output })
  })
}

async function logSize(node: DevnetNodeState): Promise<number> {
  try {
    return (await stat(logFile(node))).size
  } catch (error) {
    // It has never been started.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}

// Writes what the file has from `offset` on; gives the offset after it.
async function printFrom(
  node: DevnetNodeState,
  offset: number,
  write: (line: string) => void,
): Promise<number> {
  const size = await logSize(node)
  if (size <= offset) return Math.min(size, offset)
  const file = await open(logFile(node))
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - offset), { position: offset })
    const text = buffer.toString('utf8', 0, bytesRead)
    const end = text.lastIndexOf('\n') + 1
    for (const line of text.slice(0, end).split('\n').slice(0, -1)) write(line)
    return offset + Buffer.byteLength(text.slice(0, end))
  } finally {
    await file.close()
  }
}

export function addLogs(group: Command, context: Context): void {
  const command = devnetCommand(group, 'logs')
    .description('the last lines of its logs')
    .argument('[nodes...]', 'numbers or names; all when left out', indices)
    .option('-f, --follow', 'and what comes, until Ctrl-C')
    .addOption(new Option('--lines <count>', 'of each').argParser(countArgument).default(20))
  withHelp(command, {
    examples: ['mooring devnet logs 2', 'mooring devnet logs -f'],
    exits: [6],
  })
  command.action(async (numbers: number[] | undefined) => {
    type Options = DevnetOptions & { follow?: boolean; lines: number }
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    const chosen = numbers === undefined || numbers.length === 0
    const nodes = chosen ? state.nodes : numbers.map((index) => nodeOf(state, index))
    for (const node of nodes) {
      for (const line of await lastLogLines(node, options.lines)) printLine(output, node, line)
    }
    if (options.follow === true) await follow(context, output, nodes)
  })
}

function printLine(output: Output, node: DevnetNodeState, line: string): void {
  if (output.isJson) output.line({ schema: 'mooring/devnet-log/v1', node: node.name, line })
  else output.text(`${output.dim(node.name)}  ${line}`)
}

async function follow(
  context: Context,
  output: Output,
  nodes: readonly DevnetNodeState[],
): Promise<void> {
  const stop = new AbortController()
  const forget = context.onInterrupt(() => stop.abort())
  const offsets = new Map<string, number>()
  for (const node of nodes) offsets.set(node.name, await logSize(node))
  try {
    while (!stop.signal.aborted) {
      for (const node of nodes) {
        const from = offsets.get(node.name) ?? 0
        const to = await printFrom(node, from, (line) => printLine(output, node, line))
        offsets.set(node.name, to)
      }
      await pause(POLL_MS, undefined, { signal: stop.signal })
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    forget()
  }
}
