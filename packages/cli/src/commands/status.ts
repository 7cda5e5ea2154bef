import { formatDuration } from '@mooring/node/option-values'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, type Output } from '../output.ts'
import type { Result } from '../program.ts'
import { formatPeers, formatStatus } from '../status-text.ts'

type StatusOptions = RemoteOptions & { watch?: boolean; all?: boolean; interval: number }

const CLEAR = '\u001b[2J\u001b[H'
const STALLED = 9

export function addStatus(program: Command, context: Context, result: Result): void {
  const command = remote(program.command('status'))
    .description('how a node is doing, and why blocks wait when they do')
    .option('--watch', 'again and again, until Ctrl-C')
    .addOption(
      new Option('--interval <duration>', 'with --watch')
        .argParser(durationArgument)
        .default(2_000, '2s'),
    )
    .option('--all', 'with every peer')
  withHelp(command, {
    examples: [
      'mooring status',
      'mooring status --all --watch',
      'mooring status --endpoint http://127.0.0.1:7431 --json',
    ],
    exits: [4, 9],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<StatusOptions>()
    const output = createOutput(context, options)
    const isWatched = options.watch === true
    const stop = new AbortController()
    const forget = context.onInterrupt(() => stop.abort())
    try {
      do {
        const text = await waitingFor(
          output.note,
          'the node',
          ask(context, options, output, result),
        )
        if (isWatched && context.stdout.isTTY === true && !output.isJson)
          context.stdout.write(CLEAR)
        output.text(text)
        if (isWatched) await pause(options.interval, undefined, { signal: stop.signal })
      } while (options.watch === true && !stop.signal.aborted)
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      forget()
    }
  })
}

function ask(
  context: Context,
  options: StatusOptions,
  output: Output,
  result: Result,
): Promise<string> {
  return withNode(context, options, async (client, endpoint) => {
    const status = await client.status()
    const peers = options.all === true ? (await client.peers()).items : undefined
    result.exitCode = status.consensus.stall === null ? 0 : STALLED
    if (output.isJson) {
      const document = { schema: 'mooring/status/v1', ...status, ...(peers && { peerList: peers }) }
      return JSON.stringify(document, null, options.watch === true ? 0 : 2)
    }
    const text = formatStatus(status, output, context.now())
    const more = peers === undefined ? '' : `\n\n${formatPeers(peers)}`
    const again =
      options.watch === true
        ? `\n${output.dim(`every ${formatDuration(options.interval)}, Ctrl-C ends`)}`
        : ''
    return `${text}${more}\n${output.dim(`from ${endpoint.url} (${endpoint.origin})`)}${again}`
  })
}
