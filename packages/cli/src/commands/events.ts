// What happens at a node, as it happens; from a height on, everything final since, without a gap.

import { EVENT_TYPES, type EventType } from '@mooring/api/handlers'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, type Output } from '../output.ts'

type TailOptions = RemoteOptions & { types?: string; from?: number; count?: number }

function typesOf(text: string | undefined): EventType[] | undefined {
  if (text === undefined) return undefined
  return text.split(',').map((word) => {
    const type = EVENT_TYPES.find((each) => each === word.trim())
    if (type !== undefined) return type
    const detail = `There are no "${word}" events; there are ${EVENT_TYPES.join(', ')}.`
    throw new NodeError('usage', { detail, command: 'events tail ' })
  })
}

function printEvent(
  output: Output,
  { type, id, data }: { type: string; id: string | null; data: unknown },
): void {
  if (output.isJson) output.line({ schema: 'mooring/event/v1', type, id, data })
  else output.text(`${type.padEnd(12)} ${(id ?? '–').padEnd(10)} ${JSON.stringify(data)}`)
}

function addTail(group: Command, context: Context): void {
  const command = remote(group.command('tail'))
    .description('events as they come, until Ctrl-C; the stream goes on where it was cut')
    .option('--types <list>', `some of ${EVENT_TYPES.join(', ')}`)
    .addOption(new Option('--from <height>', 'first height').argParser(countArgument))
    .addOption(new Option('--count <events>', 'end after so many').argParser(countArgument))
  withHelp(command, {
    examples: [
      'mooring events tail',
      'mooring events tail --types block,alarm',
      'mooring events tail --from 1 --types transaction --json',
    ],
    exits: [4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<TailOptions>()
    const output = createOutput(context, options)
    const { from, count = Number.POSITIVE_INFINITY } = options
    const types = typesOf(options.types)
    const stop = new AbortController()
    const forget = context.onInterrupt(() => stop.abort())
    try {
      await withNode(context, options, async (client) => {
        // A first question, so that a node that is not there is an error and not a silent wait.
        await client.status()
        const query = { signal: stop.signal, ...(types && { types }) }
        let seen = 0
        for await (const event of client.follow(from === undefined ? query : { ...query, from })) {
          printEvent(output, event)
          seen += 1
          if (seen >= count) return
        }
      })
    } finally {
      stop.abort()
      forget()
    }
  })
}

export function addEvents(program: Command, context: Context): void {
  const group = program.command('events').description('what happens at a node')
  addTail(group, context)
  withHelp(group, {
    examples: ['mooring events tail', 'mooring events tail --types block,alarm'],
    exits: [4, 5],
  })
}
