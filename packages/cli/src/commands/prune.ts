// What is kept of old blocks, what may go, and who said that nothing may.

import { placeHold, readHolds, releaseHold } from '@mooring/node/holds'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import { planPruningOffline, runPruningOffline } from '@mooring/node/offline'
import { formatRetention } from '@mooring/node/option-values'
import { planOf } from '@mooring/node/storage-answers'
import type { PrunePlan } from '@mooring/api'
import type { Command } from 'commander'
import { stat } from 'node:fs/promises'
import { remote, withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { inHomeOrNode } from '../home-or-node.ts'
import { createOutput, formatCount, formatFields, formatTable, type Output } from '../output.ts'

const LIMITS: Readonly<Record<string, string>> = {
  retention: 'younger than [storage] retention',
  window: 'a transaction of that age could be sent again',
  snapshot: 'who starts from the oldest snapshot here asks for what follows it',
  records: 'anchors of this custodian are still to be looked up',
  hold: 'a legal hold stands',
}

function addPlan(group: Command, context: Context): void {
  const command = remote(group.command('plan')).description(
    'what pruning would drop now, and what holds back more; nothing is dropped',
  )
  withHelp(command, {
    examples: ['mooring prune plan', 'mooring prune plan --json'],
    exits: [3, 4, 11],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const plan = await inHomeOrNode<PrunePlan>(context, options, {
      node: (client) => client.pruning(),
      home: async (own) =>
        planOf(await planPruningOffline(own), formatRetention(own.storage.retention)),
    })
    if (output.isJson) output.json({ schema: 'mooring/prune-plan/v1', ...plan })
    else print(output, plan)
  })
}

function print(output: Output, plan: PrunePlan): void {
  const { height, base, prunedTo, prunableTo, retention, limits, holds } = plan
  const blocks = prunableTo - prunedTo
  output.text(
    formatFields([
      ['height', formatCount(height)],
      ['retention', retention],
      ['kept', keptText(base, prunedTo)],
      [
        'may go',
        blocks === 0
          ? 'nothing'
          : `${formatCount(blocks)} bodies, up to ${formatCount(prunableTo)}`,
      ],
    ]),
  )
  output.text('')
  output.text(
    formatTable(limits, [
      { title: 'kept because', value: ({ limit }) => LIMITS[limit] ?? limit },
      { title: 'above', value: ({ to }) => formatCount(to), align: 'right' },
    ]),
  )
  if (holds.length === 0) return
  output.text('')
  output.text(
    formatTable(holds, [
      { title: 'hold', value: ({ name }) => name },
      { title: 'since', value: ({ placedAt }) => placedAt },
      { title: 'reason', value: ({ reason }) => reason },
    ]),
  )
}

function keptText(base: number, prunedTo: number): string {
  const bodies = prunedTo === 0 ? 'all bodies' : `bodies above ${formatCount(prunedTo)}`
  return base === 0 ? bodies : `${bodies}; the chain here begins above ${formatCount(base)}`
}

function addRun(group: Command, context: Context): void {
  const command = remote(group.command('run')).description(
    'drop now what the plan lets go; headers, certificates and the history stay',
  )
  withHelp(command, {
    examples: ['mooring prune run', 'mooring prune run --endpoint 127.0.0.1:7421'],
    exits: [3, 4, 11],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const pruned = await inHomeOrNode(context, options, {
      node: (client) => client.prune(),
      home: async (own) => {
        const { plan, blocks } = await runPruningOffline(own)
        return { blocks, prunedTo: plan.prunableTo }
      },
    })
    if (output.isJson) {
      output.json({ schema: 'mooring/pruned/v1', ...pruned })
      return
    }
    const { blocks, prunedTo } = pruned
    if (blocks === 0) output.text('nothing to drop:   mooring prune plan says why')
    else output.text(`${formatCount(blocks)} bodies dropped, up to block ${formatCount(prunedTo)}`)
  })
}

function addHold(group: Command, context: Context): void {
  const command = group
    .command('hold')
    .description('from now on nothing is dropped in this home, until the hold is released')
    .argument('<name>', 'to release it by')
    .requiredOption('--reason <text>', 'why')
  withHelp(command, {
    examples: [
      'mooring prune hold case-4711 --reason "court order of 20 November"',
      'mooring --home /srv/mooring prune hold audit-2026 --reason "yearly audit"',
    ],
    exits: [3, 7, 11],
  })
  command.action(async (name: string) => {
    const options = command.optsWithGlobals<GlobalOptions & { reason: string }>()
    const output = createOutput(context, options)
    const home = await existingHome(context, options)
    const hold = { name, reason: options.reason, placedAt: context.now().toISOString() }
    await placeHold(home, hold)
    if (output.isJson) output.json({ schema: 'mooring/hold/v1', ...hold })
    else output.text(`held as "${name}" since ${hold.placedAt}: nothing is dropped in ${home}`)
  })
}

function addRelease(group: Command, context: Context): void {
  const command = group
    .command('release')
    .description('end a hold')
    .argument('<name>', 'of the hold')
  withHelp(command, {
    examples: ['mooring prune release case-4711', 'mooring prune release audit-2026 --json'],
    exits: [3, 6, 11],
  })
  command.action(async (name: string) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const home = await existingHome(context, options)
    const hold = await releaseHold(home, name)
    const left = (await readHolds(home)).map((each) => each.name)
    if (output.isJson) {
      output.json({ schema: 'mooring/hold-released/v1', ...hold, left })
      return
    }
    output.text(`released "${name}", which was held since ${hold.placedAt}`)
    if (left.length > 0) output.text(`still held: ${left.join(', ')}`)
  })
}

async function existingHome(context: Context, options: GlobalOptions): Promise<string> {
  const home = homeOf(context, options)
  try {
    await stat(homePaths(home).config)
    return home
  } catch (error) {
    throw new NodeError('home_missing', { home }, { cause: error })
  }
}

export function addPrune(program: Command, context: Context): void {
  const group = program.command('prune').description('bodies of old blocks: retention and holds')
  addPlan(group, context)
  addRun(group, context)
  addHold(group, context)
  addRelease(group, context)
  withHelp(group, {
    examples: ['mooring prune plan', 'mooring prune hold case-4711 --reason "court order"'],
    exits: [3, 4, 6, 7, 11],
  })
}
