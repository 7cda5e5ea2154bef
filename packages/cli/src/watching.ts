// --watch of lists: the same command again and again until Ctrl-C, each time the whole answer. On a
// terminal it takes the place of the one before; elsewhere one follows the other.

import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { isWatchable } from './command-help.ts'
import type { Context, GlobalOptions, Sink } from './context.ts'

const CLEAR = '\u001b[2J\u001b[H'

export function isWatched(command: Command | undefined): command is Command {
  return (
    command !== undefined &&
    isWatchable(command) &&
    command.opts<{ watch?: boolean }>().watch === true
  )
}

// What is written, kept until all of it is there: half an answer would flicker.
function gathering(sink: Sink): Sink & { flush: (before: string) => void } {
  const chunks: Uint8Array[] = []
  return {
    isTTY: sink.isTTY === true,
    ...(sink.columns !== undefined && { columns: sink.columns }),
    write: (chunk) => chunks.push(Buffer.from(chunk)),
    flush: (before) => sink.write(Buffer.concat([Buffer.from(before), ...chunks])),
  }
}

export async function watch(
  context: Context,
  command: Command,
  run: (context: Context) => Promise<unknown>,
): Promise<void> {
  const { interval, json } = command.optsWithGlobals<GlobalOptions & { interval: number }>()
  const stop = new AbortController()
  const forget = context.onInterrupt(() => stop.abort())
  const before = context.stdout.isTTY === true && json !== true ? CLEAR : ''
  try {
    while (!stop.signal.aborted) {
      await pause(interval, undefined, { signal: stop.signal })
      const stdout = gathering(context.stdout)
      await run({ ...context, stdout })
      stdout.flush(before)
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    forget()
  }
}
