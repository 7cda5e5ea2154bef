// `db repair --from-peers`: what is damaged in a stopped home is made again from what is good here, and from
// the other members.

import { followPeers } from '@mooring/node/chain-follow'
import { planRepair, runRepair, type RepairPlan } from '@mooring/node/database-repair'
import { loadNodeKeys } from '@mooring/node/load-options'
import { createLogger } from '@mooring/node/logger'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { durationArgument, withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { createOutput, formatCount, formatTable, type Output } from '../output.ts'
import { printCheck } from '../database-text.ts'
import { stoppedHome } from '../home-or-node.ts'

type RepairOptions = GlobalOptions & {
  fromPeers?: boolean
  dryRun?: boolean
  yes?: boolean
  timeout: number
}

const LINE_MS = 5_000

export function addRepair(group: Command, context: Context): void {
  const command = group
    .command('repair')
    .description(
      'make what is damaged in a stopped home again; what is replaced goes to data/trash',
    )
    .option('--from-peers', 'from what is good here, and from the other members')
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('-y, --yes', 'also where something is given up that nobody gives back')
    .addOption(
      new Option('--timeout <duration>', 'how long the members may take to give the chain')
        .argParser(durationArgument)
        .default(600_000, '10m'),
    )
  withHelp(command, {
    examples: [
      'mooring db repair --from-peers --dry-run',
      'mooring db repair --from-peers',
      'mooring db repair --from-peers --yes',
    ],
    exits: [3, 5, 7, 9, 10, 11, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RepairOptions>()
    const output = createOutput(context, options)
    if (options.fromPeers !== true) {
      const detail = 'Say where from: --from-peers.'
      throw new NodeError('usage', { detail, command: 'db repair ' })
    }
    const home = await stoppedHome(context, options)
    const plan = await planRepair(home)
    if (options.dryRun === true || plan.steps.length === 0) {
      report(output, plan, { done: [], height: null })
      return
    }
    refuseUnasked(plan, options)
    const onHeight = everyFewSeconds(output)
    const repaired = await runRepair(home, plan, { now: context.now(), onHeight })
    for (const line of repaired.done) output.note(line)
    let height: number | null = null
    if (repaired.chain !== null) {
      const logger = createLogger({ levels: { base: 'warn', modules: {} }, format: 'json' })
      const keyed = await loadNodeKeys(home)
      const { needed: to } = repaired.chain
      height = await followPeers(keyed, logger, { to, timeoutMs: options.timeout, onHeight })
    }
    report(output, plan, { done: repaired.done, height })
  })
}

function refuseUnasked({ steps }: RepairPlan, { yes }: RepairOptions): void {
  const losing = steps.filter(({ loses }) => loses !== null)
  if (losing.length === 0 || yes === true) return
  const detail = losing.map(({ database, loses }) => `Of ${database}: ${loses ?? ''}`).join('. ')
  throw new NodeError('repair_needs_consent', { detail })
}

function report(
  output: Output,
  { check, steps, left }: RepairPlan,
  { done, height }: { done: string[]; height: number | null },
): void {
  if (output.isJson) {
    const { damaged } = check
    output.json({ schema: 'mooring/db-repair/v1', damaged, steps, left, done, height })
    return
  }
  if (steps.length === 0) printCheck(output, check)
  else {
    output.text(
      formatTable(steps, [
        { title: 'where', value: ({ database }) => database },
        { title: 'what is done', value: ({ does }) => does },
        { title: 'what is given up', value: ({ loses }) => loses ?? 'nothing' },
      ]),
    )
  }
  for (const line of left) output.text(output.bad(line))
  if (height !== null) output.text(`the chain is whole up to height ${formatCount(height)}`)
  if (done.length === 0) return
  const isOfRecords = steps.some(({ loses }) => loses !== null)
  if (isOfRecords) output.note('start the node, and then:   mooring vault repair')
  else output.note('start the node: it looks for the rest by itself')
}

function everyFewSeconds(output: Output): (height: number) => void {
  let toldAt = performance.now()
  return (height) => {
    if (performance.now() - toldAt < LINE_MS) return
    toldAt = performance.now()
    output.note(`the chain is at ${formatCount(height)}`)
  }
}
