import type { Block, BlockSummary } from '@mooring/api'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import {
  type Column,
  createOutput,
  formatCount,
  formatFields,
  formatTable,
  type Output,
  shortDigest,
} from '../output.ts'
import { upTo } from '../pages.ts'

const COLUMNS: Column<BlockSummary>[] = [
  { title: 'height', value: (block) => formatCount(block.height), align: 'right' },
  { title: 'digest', value: (block) => shortDigest(block.digest) },
  { title: 'time', value: (block) => block.time },
  { title: 'proposer', value: (block) => block.proposer },
  { title: 'view', value: (block) => formatCount(block.view), align: 'right' },
  {
    title: 'transactions',
    value: (block) => formatCount(block.transactionCount),
    align: 'right',
  },
]

function print(output: Output, block: Block): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/block/v1', ...block })
    return
  }
  const { finalization: certificate } = block
  output.text(
    formatFields([
      ['block', String(block.height)],
      ['digest', block.digest],
      ['parent', block.parent],
      ['time', block.time],
      ['proposer', `${block.proposer}, epoch ${block.epoch}, view ${block.view}`],
      ['state root', block.stateRoot],
      ['history root', block.historyRoot],
      ['transactions', String(block.transactionCount)],
      [
        'final by',
        certificate === null
          ? 'a later block'
          : `${certificate.signers.join(', ')} (${certificate.signers.length}, need ${certificate.quorum})`,
      ],
    ]),
  )
  for (const id of block.transactions) output.text(`  ${id}`)
}

function addGet(group: Command, context: Context): void {
  const command = remote(group.command('get'))
    .description('one final block')
    .argument('<block>', 'height, digest, or latest')
  withHelp(command, {
    examples: ['mooring block get latest', 'mooring block get 12 --json'],
    exits: [4, 6],
  })
  command.action(async (name: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const block = await withNode(context, options, (client) => client.block(name))
    print(createOutput(context, options), block)
  })
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('the newest final blocks')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(20, '20'))
  withHelp(command, {
    examples: ['mooring block list', 'mooring block list --limit 100 --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { limit: number }>()
    const output = createOutput(context, options)
    const blocks = await withNode(context, options, (client) =>
      upTo(options.limit, (page) => client.blocks(page)),
    )
    if (output.isJson) output.json({ schema: 'mooring/blocks/v1', items: blocks })
    else output.text(formatTable(blocks, COLUMNS))
  })
}

function addTail(group: Command, context: Context): void {
  const command = remote(group.command('tail'))
    .description('blocks as they become final, until Ctrl-C')
    .addOption(new Option('--from <height>', 'first height').argParser(countArgument))
    .addOption(new Option('--count <blocks>', 'end after so many').argParser(countArgument))
  withHelp(command, {
    examples: ['mooring block tail', 'mooring block tail --from 1 --json'],
    exits: [4],
  })
  command.action(async () => {
    type Options = RemoteOptions & { from?: number; count?: number }
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const stop = new AbortController()
    const forget = context.onInterrupt(() => stop.abort())
    try {
      await withNode(context, options, async (client) => {
        // A first question, so that a node that is not there is an error and not a silent wait.
        await client.status()
        const { from, count = Number.POSITIVE_INFINITY } = options
        const query = { types: ['block'] as const, signal: stop.signal }
        let seen = 0
        for await (const event of client.follow(from === undefined ? query : { ...query, from })) {
          printEvent(output, event)
          seen += event.type === 'block' ? 1 : 0
          if (seen >= count) return
        }
      })
    } finally {
      stop.abort()
      forget()
    }
  })
}

type BlockEvent = Pick<BlockSummary, 'height' | 'digest' | 'time'> & Partial<BlockSummary>

function isBlockEvent(data: unknown): data is BlockEvent {
  return typeof data === 'object' && data !== null && 'height' in data && 'digest' in data
}

function printEvent(output: Output, event: { type: string; data: unknown }): void {
  if (event.type === 'gap') output.note('some blocks are not here any more: the list has a gap')
  if (event.type !== 'block' || !isBlockEvent(event.data)) return
  if (output.isJson) {
    output.line({ schema: 'mooring/block-event/v1', ...event.data })
    return
  }
  const { height, digest, time, proposer = '', transactionCount: count } = event.data
  const transactions =
    count === undefined ? '' : `${count} ${count === 1 ? 'transaction' : 'transactions'}`
  const line = `${height}  ${shortDigest(digest)}  ${time}  ${proposer}  ${transactions}`
  output.text(line.trimEnd())
}

export function addBlock(program: Command, context: Context): void {
  const group = program.command('block').description('final blocks')
  addGet(group, context)
  addList(group, context)
  addTail(group, context)
  withHelp(group, { examples: ['mooring block list', 'mooring block tail'], exits: [4, 6] })
}
