// `db rollback`: the chain of a stopped home set back. It shows what it would do, unless it is told to do it.

import { planRollback, rollBack } from '@mooring/node/chain-rollback'
import { type Command, Option } from 'commander'
import { countArgument, withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { createOutput, formatAmount, formatCount, formatFields } from '../output.ts'
import { stoppedHome } from '../home-or-node.ts'

type RollbackOptions = GlobalOptions & { to: number; dryRun?: boolean; yes?: boolean }

const LINE_MS = 5_000

export function addRollback(group: Command, context: Context): void {
  const command = group
    .command('rollback')
    .description('set the chain back, for a node that must execute what came after once more')
    .addOption(
      new Option('--to <height>', 'the last block that stays')
        .argParser(countArgument)
        .makeOptionMandatory(),
    )
    .option('--dry-run', 'show what would be done, and do nothing (this is what it does by itself)')
    .option('-y, --yes', 'do it')
  withHelp(command, {
    examples: ['mooring db rollback --to 1200', 'mooring db rollback --to 1200 --yes'],
    exits: [3, 7, 10, 11, 13],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RollbackOptions>()
    const output = createOutput(context, options)
    const home = await stoppedHome(context, options)
    const isDone = options.yes === true && options.dryRun !== true
    let toldAt = performance.now()
    const onHeight = (height: number): void => {
      if (performance.now() - toldAt < LINE_MS) return
      toldAt = performance.now()
      output.note(`executing: ${formatCount(height)} of ${formatCount(options.to)}`)
    }
    const plan = isDone
      ? await rollBack(home, options.to, { now: context.now(), onHeight })
      : { ...(await planRollback(home, options.to)), trash: null }
    const { from, to, blocks, start, executed, trash } = plan
    if (output.isJson) {
      const fromSnapshot = start.from === 'snapshot' ? start.height : null
      const document = { from, to, blocks, executed, fromSnapshot, trash }
      output.json({ schema: 'mooring/db-rollback/v1', done: isDone, ...document })
      return
    }
    const base =
      start.from === 'genesis' ? 'genesis' : `the snapshot of ${formatCount(start.height)}`
    output.text(
      formatFields([
        ['chain', `${formatCount(from)} → ${formatCount(to)}`],
        ['goes', `${formatAmount(blocks, 'block')}, into ${trash ?? 'data/trash/'}`],
        ['executes', `${formatAmount(executed, 'block')} again, from ${base}`],
        ['stays', 'guard/: the node votes no other way than it did'],
      ]),
    )
    if (!isDone) output.note('nothing was done; to do it:   add --yes')
    else output.note('start the node: it fetches what went from the other members')
  })
}
