// The daemon: options, a node, one line that says what runs, and an orderly stop. A first signal
// drains; a second one, or a drain that takes too long, ends the process as it is. A node that asks to
// be started again, because the chain has given it new keys, is started again in this process.

import { failureOf, formatFailure } from '@mooring/node/error-text'
import { loadNodeOptions, type NodeOptions } from '@mooring/node/load-options'
import { NodeRestart } from '@mooring/node/membership-watch'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { addOptionFlags, flagsOf } from '../option-flags.ts'
import { addHolder } from '../home-holder.ts'
import { hold } from '../holding.ts'
import { reportCrash, watchNode } from '../leaving-traces.ts'
import { createOutput, formatFields, type Output } from '../output.ts'
import type { Result } from '../program.ts'
import type { RunningNode, StartHow } from '../start-node.ts'
import { readVersion } from './version.ts'

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const

type Signal = keyof typeof SIGNAL_CODES

function announce(context: Context, options: NodeOptions, node: RunningNode): void {
  const version = readVersion()
  const height = node.height()
  const isPretty =
    options.log.format === 'pretty' ||
    (options.log.format === 'auto' && context.stdout.isTTY === true)
  if (isPretty) {
    const parts = [`mooring ${version}`, options.networkId, `height ${height}`, options.name]
    context.stdout.write(`${[...parts, node.role(), node.api].join('  ')}\n`)
    return
  }
  const { networkId: network, name } = options
  const role = node.role()
  const time = context.now().toISOString()
  const fields = { level: 'info', time, version, network, height, name, role, api: node.api }
  context.stdout.write(`${JSON.stringify({ ...fields, message: 'node started' })}\n`)
}

// The first request to stop, and the second, which forces.
function watchSignals(context: Context) {
  const first = Promise.withResolvers<Signal>()
  const second = Promise.withResolvers<Signal>()
  let isFirst = true
  const forget = context.onInterrupt((signal) => {
    if (isFirst) first.resolve(signal)
    else second.resolve(signal)
    isFirst = false
  })
  return {
    first: first.promise,
    second: second.promise,
    reload: (): void => undefined,
    forget,
  }
}

// True when the node has stopped in order, false when the time was over first.
async function drain(node: RunningNode, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), timeoutMs)
  try {
    return await Promise.race([node.close().then(() => true), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function serve(
  context: Context,
  load: () => Promise<NodeOptions>,
  how: StartHow,
  output: Output,
): Promise<number> {
  const signals = watchSignals(context)
  // While a node starts it reads everything anyway.
  const forget = context.onReload?.(() => signals.reload())
  try {
    const tools = { output, signals }
    let code = await serveOnce(context, { options: await load(), how }, tools)
    while (code instanceof NodeRestart) {
      output.note(`starting again: ${code.why}`)
      code = await serveOnce(context, { options: await load(), how: code.how }, tools)
    }
    return code
  } finally {
    signals.forget()
    forget?.()
  }
}

// The exit code, or why the node is to be started again.
async function serveOnce(
  context: Context,
  start: { options: NodeOptions; how: StartHow },
  tools: { output: Output; signals: ReturnType<typeof watchSignals> },
): Promise<number | NodeRestart> {
  try {
    return await runOnce(context, start, tools)
  } catch (error) {
    const { options } = start
    if (options.shutdown.onFatal === 'hold')
      await hold(context, error, { options, ending: tools.signals.first })
    throw error
  }
}

async function runOnce(
  context: Context,
  { options, how }: { options: NodeOptions; how: StartHow },
  { output, signals }: { output: Output; signals: ReturnType<typeof watchSignals> },
): Promise<number | NodeRestart> {
  const starting = context.startNode(options, how)
  const node = await Promise.race([starting, signals.second])
  if (typeof node === 'string') return SIGNAL_CODES[node]
  announce(context, options, node)
  signals.reload = () => {
    node.reload().catch((error: unknown) => output.note(formatFailure(failureOf(error)).trimEnd()))
  }
  const failed = node.failed.then((failure) => ({ failure }))
  const forget = watchNode(context, { home: options.home, node, output })
  const ending = await Promise.race([signals.first.then((by) => ({ by })), failed])
  if ('by' in ending) output.note(`${ending.by}: stopping in order; once more to force`)
  const forced = signals.second.then(() => false)
  const isDrained = await Promise.race([drain(node, options.shutdown.timeoutMs), forced])
  forget()
  if ('failure' in ending) tellCrash(ending.failure, { context, node, options, output })
  if ('by' in ending) {
    if (!isDrained) output.note('stopped before everything was closed in order')
    return isDrained ? 0 : SIGNAL_CODES[ending.by]
  }
  // A node that did not close still has the home: a second one would find it taken.
  if (ending.failure instanceof NodeRestart && isDrained) return ending.failure
  throw ending.failure instanceof NodeRestart ? new NodeError('restart_failed', {}) : ending.failure
}

function tellCrash(
  failure: unknown,
  start: { context: Context; node: RunningNode; options: NodeOptions; output: Output },
): void {
  const { context, node, options, output } = start
  if (failure instanceof NodeRestart) return
  const place = { home: options.home, now: context.now(), recent: node.recentLog() }
  const path = reportCrash(failure, place)
  if (path !== undefined) output.note(`crash report: ${path}`)
}

export function addStart(program: Command, context: Context, result: Result): void {
  const command = program
    .command('start')
    .description('run the node of this home until SIGTERM or Ctrl-C')
    .option('--check', 'check options, keys and genesis, and end')
    .option('--rejoin', 'begin a new vote journal; observe until no forgotten vote matters')
  addOptionFlags(command)
  withHelp(command, {
    examples: [
      'mooring --home /srv/mooring start',
      'mooring start --check',
      'mooring start --rejoin     after guard/ was lost, and nothing else has this key',
      'mooring start --p2p-max-peers 32 --log-level info,p2p=debug',
    ],
    exits: [3, 10, 11, 12, 13, 14, 130],
  })
  command.action(async () => {
    const given = command.optsWithGlobals<GlobalOptions & { check?: boolean; rejoin?: boolean }>()
    const output = createOutput(context, given)
    const home = homeOf(context, given)
    const format = given.json === true ? { 'log.format': 'json' } : {}
    const askSecret = askedOnce(context.askSecret)
    const load = () =>
      loadNodeOptions({
        home,
        configPath: configOf(context, given),
        flags: { ...format, ...flagsOf(given) },
        env: context.env,
        askSecret,
      })
    if (given.check === true) {
      reportCheck(output, await load())
      return
    }
    try {
      result.exitCode = await serve(context, load, { rejoin: given.rejoin === true }, output)
    } catch (error) {
      throw await addHolder(error, home)
    }
  })
}

// A node that is started again for new keys goes on while nobody is at the terminal.
function askedOnce(ask: Context['askSecret']): Context['askSecret'] {
  let answer: Promise<string> | null = null
  return (
    ask &&
    ((question) => {
      answer ??= ask(question)
      return answer
    })
  )
}

function reportCheck(output: Output, options: NodeOptions): void {
  const { name, role, networkId, configPath, genesisPath, origins } = options
  const set = Object.entries(origins).filter(([, origin]) => origin.from !== 'default')
  if (output.isJson) {
    const schema = 'mooring/start-check/v1'
    output.json({ schema, ok: true, name, role, networkId, configPath, genesisPath, origins })
    return
  }
  output.text(
    formatFields([
      ['node', `${name}  (${role})`],
      ['network', networkId],
      ['configuration', configPath ?? 'none'],
      ['genesis', genesisPath],
      ...set.map(([option, { from, where }]) => [option, `${from} ${where}`] as const),
    ]),
  )
  output.text(output.good('OK'))
}
