import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createClient } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, durationArgument, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import {
  boardDocument,
  flagsOf,
  formatBoard,
  formatNext,
  formatVaultLine,
} from '../devnet/board.ts'
import { devnetCommand, type DevnetOptions } from '../devnet/command.ts'
import { runDemo } from '../devnet/demo.ts'
import { stayUntilInterrupted, stopDevnet } from '../devnet/foreground.ts'
import { makeDevnet, runningNodes } from '../devnet/make.ts'
import { Loading } from '../devnet/loading.ts'
import { beginWhole } from '../devnet/partition.ts'
import { askAll, quorumOf } from '../devnet/progress.ts'
import { activeNodes, devnetFolder, type DevnetState } from '../devnet/state.ts'
import { bringUp, tick, type Up } from '../devnet/up.ts'
import { createOutput, type Output } from '../output.ts'
import { formatLoad, rateArgument } from './devnet-load.ts'
import { addHospital } from './devnet-node.ts'
import type { Result } from '../program.ts'

type UpCommandOptions = DevnetOptions & {
  nodes?: number
  observers?: number
  signers?: boolean
  load?: number
  basePort: number
  heartbeat?: number
  reset?: boolean
  detach?: boolean
  demo?: number | true
  readyFile?: string
  timeout: number
}

const DEMO_PATIENTS = 3
const INTERRUPTED = 130
const farewell = (flags: string) =>
  `Stop with Ctrl-C.  Logs: npx mooring devnet logs${flags}   Env: eval "$(npx mooring devnet env${flags})"`

async function announce(state: DevnetState, output: Output): Promise<number> {
  const running = await runningNodes(state)
  const active = activeNodes(state)
  const count = active.length
  const head = `mooring devnet "${state.name}"  ${count} ${count === 1 ? 'hospital' : 'hospitals'}  network ${state.networkId}`
  output.note(`${head}  (${state.dir})`)
  if (running.length === count) output.note('it runs already')
  else if (running.length > 0) {
    const away = active.filter((node) => !running.includes(node)).map(({ name }) => name)
    output.note(`${away.join(', ')} ${away.length === 1 ? 'does' : 'do'} not run: starting`)
  }
  return running.length
}

async function present(
  up: Up,
  context: Context,
  output: Output,
  options: UpCommandOptions,
): Promise<void> {
  const { state, reports } = up
  const board = boardDocument(state, reports)
  if (options.readyFile !== undefined) {
    await writeFile(resolve(context.cwd, options.readyFile), `${JSON.stringify(board)}\n`)
  }
  if (!output.isJson) {
    output.text(`\n${formatBoard(reports)}`)
    const [first] = activeNodes(state)
    // A node may be stopped at any moment: the board does not depend on it.
    const vault =
      first &&
      (await createClient(first.api)
        .vault()
        .catch(() => undefined))
    if (vault !== undefined) output.text(`\n${formatVaultLine(vault)}`)
  }
  const patients = options.demo === true ? DEMO_PATIENTS : options.demo
  const demo =
    patients === undefined
      ? undefined
      : await waitingFor(output.note, 'the anchors', runDemo(state, context, output, patients))
  const flags = flagsOf(state, context)
  if (output.isJson) output.json(demo === undefined ? board : { ...board, demo })
  else output.text(`\n${formatNext(state, await quorumOf(state), { output, flags })}`)
}

// Up to READY: undefined when Ctrl-C came first, and then nothing that was started is left.
async function reachReady(
  context: Context,
  options: UpCommandOptions,
  output: Output,
): Promise<{ up: Up; others: number } | undefined> {
  const startedAt = performance.now()
  const interrupted = new AbortController()
  const forget = context.onInterrupt(() => interrupted.abort())
  try {
    const state = await makeDevnet({
      dir: devnetFolder(context, options),
      name: options.name,
      nodes: options.nodes,
      heartbeatMs: options.heartbeat,
      basePort: options.basePort,
      isReset: options.reset === true,
      hasSigners: options.signers === true,
      say: output.note,
    })
    const others = await announce(state, output)
    if (others === 0) await beginWhole(state)
    if (others === 0) tick({ output, startedAt }, 'keys, genesis and configs')
    const limits = { timeoutMs: options.timeout, startedAt, stop: interrupted.signal }
    const up = await bringUp(state, context, output, limits)
    return { up, others }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
    output.note('interrupted: what was started is stopped')
    return undefined
  } finally {
    forget()
  }
}

/** Those that follow without a vote, admitted by the others like any newcomer; never more than asked for. */
async function withObservers(
  up: Up,
  context: Context,
  options: UpCommandOptions,
  output: Output,
): Promise<Up> {
  const { state } = up
  const there = activeNodes(state).filter(({ isNewcomer }) => isNewcomer === true).length
  const missing = Math.max(0, (options.observers ?? 0) - there)
  if (missing === 0) return up
  try {
    for (let count = 0; count < missing; count += 1) {
      const terms = { role: 'observer' as const, timeout: options.timeout }
      await addHospital({ context, options, output, state }, terms)
    }
  } catch (error) {
    await stopDevnet(state.dir, output, Promise.withResolvers<void>().promise)
    throw error
  }
  return { ...up, reports: await askAll(activeNodes(state)) }
}

async function run(context: Context, options: UpCommandOptions, output: Output): Promise<number> {
  if (options.load !== undefined && options.detach === true) {
    const detail = 'A load needs somebody who submits it: leave out --detach, or use devnet load.'
    throw new NodeError('usage', { detail, command: 'devnet up ' })
  }

  const ready = await reachReady(context, options, output)
  if (ready === undefined) return INTERRUPTED
  const { others } = ready
  const up = await withObservers(ready.up, context, options, output)
  // Nodes that ran before belong to another `up`, or were detached on purpose.
  if (options.detach === true || others > 0) {
    await present(up, context, output, options)
    const flags = flagsOf(up.state, context)
    if (options.load !== undefined)
      output.note(`it ran already: load it with  npx mooring devnet load${flags}`)
    output.note(`it goes on in the background; stop it with:  npx mooring devnet down${flags}`)
    return 0
  }
  await stayUntilInterrupted(up.state, context, output, async () => {
    await present(up, context, output, options)
    output.note(farewell(flagsOf(up.state, context)))
    await loading(up.state, context, options, output)
  })
  return 0
}

/** Until Ctrl-C ends the command. */
async function loading(
  state: DevnetState,
  context: Context,
  { load }: UpCommandOptions,
  output: Output,
): Promise<void> {
  if (load === undefined) return
  output.note(`submitting ${load} measurements a second`)
  const stop = new AbortController()
  const forget = context.onInterrupt(() => stop.abort())
  try {
    const report = await new Loading(state, context).run(load, stop.signal)
    output.note(formatLoad(report))
  } finally {
    forget()
  }
}

export function addUp(group: Command, context: Context, result: Result): void {
  const command = devnetCommand(group, 'up')
    .description('start it, make it first if needed, and wait until all nodes agree')
    .addOption(new Option('-n, --nodes <count>', 'hospitals (4)').argParser(countArgument))
    .addOption(
      new Option(
        '--base-port <port>',
        'node i takes the ports from there + 10·i; 0: any that are free',
      )
        .argParser(countArgument)
        .default(7420),
    )
    .addOption(
      new Option('--heartbeat <duration>', 'a block at least so often (1s)').argParser(
        durationArgument,
      ),
    )
    .addOption(
      new Option('--observers <count>', 'hospitals more that follow without a vote (0)').argParser(
        countArgument,
      ),
    )
    .option('--signers', 'each votes through a signer; decided when the devnet is made')
    .addOption(
      new Option('--load <rate>', 'then submit made-up measurements: 5/s').argParser(rateArgument),
    )
    .option('--reset', 'throw the old one away and make a new one')
    .option('--detach', 'leave it in the background once it is ready')
    .addOption(
      new Option('--demo [patients]', 'then submit made-up patients (3)').argParser(countArgument),
    )
    .option('--ready-file <file>', 'write the board there as JSON once it is ready')
    .addOption(
      new Option('--timeout <duration>', 'to be ready in')
        .argParser(durationArgument)
        .default(60_000, '60s'),
    )
  withHelp(command, {
    examples: [
      'mooring devnet up',
      'mooring devnet up --demo --detach',
      'mooring devnet up -n 7 --name seven --base-port 0',
    ],
    exits: [7, 9, 130],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<UpCommandOptions>()
    result.exitCode = await run(context, options, createOutput(context, options))
  })
}
