import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationArgument, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { devnetCommand, type DevnetOptions, lookAt } from '../devnet/command.ts'
import { Loading, type LoadReport } from '../devnet/loading.ts'
import { createOutput, formatCount, formatFields, formatSeconds } from '../output.ts'

const RATE_MAX = 1_000

export function rateArgument(text: string): number {
  const [, count] = /^(\d{1,4}(?:\.\d{1,3})?)(?:\/s)?$/.exec(text) ?? []
  const rate = Number(count)
  if (rate > 0 && rate <= RATE_MAX) return rate
  throw new InvalidArgumentError(`expected a rate such as "5/s", at most ${RATE_MAX}/s.`)
}

export function formatLoad(report: LoadReport): string {
  const { submitted, final, open, refused, heldBack, finalP50Ms, finalP95Ms } = report
  const times =
    finalP50Ms === null || finalP95Ms === null
      ? '–'
      : `p50 ${formatSeconds(finalP50Ms)}, p95 ${formatSeconds(finalP95Ms)}`
  const reasons = Object.entries(refused).map(([code, count]) => `${formatCount(count)} ${code}`)
  return formatFields([
    ['submitted', formatCount(submitted)],
    ['final', `${formatCount(final)}  after ${times}`],
    ['not final yet', formatCount(open)],
    ['refused', reasons.length === 0 ? '0' : reasons.join(', ')],
    ['held back', formatCount(heldBack)],
  ])
}

export function addLoad(group: Command, context: Context): void {
  const command = devnetCommand(group, 'load')
    .description('submit made-up measurements to all nodes in turn, until Ctrl-C')
    .addOption(new Option('--rate <rate>', 'how many').argParser(rateArgument).default(5, '5/s'))
    .addOption(
      new Option('--duration <duration>', 'for so long (until Ctrl-C)').argParser(durationArgument),
    )
  withHelp(command, {
    examples: [
      'mooring devnet load',
      'mooring devnet load --rate 20/s --duration 30s',
      'mooring devnet load --duration 10s --json',
    ],
    exits: [6],
  })
  command.action(async () => {
    type Options = DevnetOptions & { rate: number; duration?: number }
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const state = await lookAt(context, options)
    const stop = new AbortController()
    const forget = context.onInterrupt(() => stop.abort())
    const timer =
      options.duration === undefined ? undefined : setTimeout(() => stop.abort(), options.duration)
    output.note(`${options.rate} measurements a second; Ctrl-C ends it`)
    try {
      const report = await new Loading(state, context).run(options.rate, stop.signal)
      if (output.isJson) output.json({ schema: 'mooring/devnet-load/v1', ...report })
      else output.text(formatLoad(report))
    } finally {
      clearTimeout(timer)
      forget()
    }
  })
}
