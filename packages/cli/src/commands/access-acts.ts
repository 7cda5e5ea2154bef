// What was done to a node by who runs it: each act is anchored on the chain, and its proof holds without
// the node.

import type { AdminAct } from '@mooring/api'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { type Column, createOutput, formatCount, formatTable } from '../output.ts'
import { upTo } from '../pages.ts'

const COLUMNS: Column<AdminAct>[] = [
  { title: 'time', value: ({ time }) => time },
  { title: 'who', value: ({ caller }) => caller },
  { title: 'act', value: ({ act }) => act },
  { title: 'answer', value: ({ answer }) => String(answer), align: 'right' },
  {
    title: 'block',
    value: ({ height, status }) => (height === null ? status : formatCount(height)),
    align: 'right',
  },
  { title: 'id', value: ({ id }) => id },
]

export function addActs(group: Command, context: Context): void {
  const command = remote(group.command('acts'))
    .description('what was done to the node by who runs it, newest first')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(50, '50'))
  withHelp(command, {
    examples: ['mooring access acts', 'mooring access acts --limit 5 --json'],
    exits: [4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { limit: number }>()
    const output = createOutput(context, options)
    const { limit } = options
    const items = await withNode(context, options, ({ admin }) =>
      upTo(limit, (page) => admin.access.acts(page)),
    )
    if (output.isJson) output.json({ schema: 'mooring/acts/v1', items })
    else if (items.length === 0) output.text('nothing was done to this node')
    else output.text(formatTable(items, COLUMNS))
    if (items.length > 0) output.note('the proof of one:   mooring proof get <id>')
  })
}
