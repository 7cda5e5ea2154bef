// What it costs that one authority of four is down for good: the same load before and after, by the same
// three clients, in one run.
//
//   npm run bench -- dead-leader [--transactions 12000] [--rate 50] [--seconds 10] [--silent]
//
// The last authority is killed, or with --silent frozen: its connections stay open and nothing comes, as
// from a computer without power. It is measured in two networks. With full blocks the cores are the bound,
// and a dead node leaves its share of this computer to the others: nothing may be lost. With small blocks
// the bound is how soon leaders follow one another: a quarter of the views have a leader that is not there,
// so three quarters are what is left if passing one over costs as much as a block, and all if it is free.

import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Parameters } from '@mooring/ledger'
import { quantile } from '../../../scripts/bench/figures.ts'
import { Load } from '../../../scripts/bench/load/load.ts'
import { contactOf } from '../../../scripts/bench/peers/mooring.ts'
import { runBench } from '../../../scripts/bench/program.ts'
import { atRate, saturating } from './bench-consensus.ts'
import { type BenchNode, startBenchNetwork } from './bench-network.ts'

const AUTHORITIES = 4
const LIVING = [0, 1, 2]
/** A silent authority is missed after some seconds; the cost of that moment is not the steady one. */
const MISSED_MS = 8_000
const SMALL_BLOCK = 20
const WINDOW = 2_000

interface Options {
  readonly transactions: number
  readonly rate: number
  readonly seconds: number
  readonly silent: boolean
}

await runBench({
  name: 'dead-leader',
  what: 'one authority of four down',
  options: { transactions: 12_000, rate: 50, seconds: 10, silent: false },
  quick: { transactions: 600, seconds: 1 },
  run: async ({ options, give, say }) => {
    for (const [blocks, parameters] of [
      ['full', {}],
      ['small', { blockTransactionsMax: SMALL_BLOCK }],
    ] as const) {
      say(`${blocks} blocks`)
      const transactions = options.transactions / (blocks === 'full' ? 1 : 4)
      const { before, after } = await compare({ ...options, transactions }, parameters)
      const at = { blocks }
      const isBound = blocks === 'full'
      for (const [when, figures] of Object.entries({ before, after })) {
        give('committed', 'tx/s', figures.perSecond, { at: { ...at, when } })
        give('final, p50', 'ms', figures.p50Ms, { at: { ...at, when } })
        give('final, p95', 'ms', figures.p95Ms, { at: { ...at, when } })
      }
      give('throughput, after by before', 'x', after.perSecond / before.perSecond, {
        at,
        ...(isBound ? { target: { atLeast: 0.8 } } : {}),
      })
      give('final p50, after by before', 'x', after.p50Ms / before.p50Ms, {
        at,
        ...(isBound ? { target: { under: 2 } } : {}),
      })
    }
  },
})

async function measure(load: Load, { transactions, rate, seconds }: Options) {
  const { latencies } = await load.run(atRate(LIVING, rate, seconds))
  const saturated = await load.run(saturating(LIVING, { transactions, window: WINDOW }))
  return {
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
    perSecond: saturated.final / saturated.seconds,
  }
}

async function end({ process: child }: BenchNode, isSilent: boolean): Promise<void> {
  if (isSilent) {
    child.kill('SIGSTOP')
    await pause(MISSED_MS)
    return
  }
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function compare(options: Options, parameters: Partial<Parameters>) {
  const network = await startBenchNetwork(AUTHORITIES, parameters)
  const last = network.nodes.at(-1)
  if (last === undefined) throw new RangeError('no last node')
  try {
    const load = await Load.start(contactOf(network))
    try {
      await load.run(saturating(LIVING, { transactions: options.transactions / 4, window: WINDOW }))
      const before = await measure(load, options)
      await end(last, options.silent)
      return { before, after: await measure(load, options) }
    } finally {
      await load.close()
    }
  } finally {
    last.process.kill('SIGCONT')
    await network.close()
  }
}
