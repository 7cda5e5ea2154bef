// What it costs that one authority of four is down for good: the same work before and after, by the same
// three clients, in one run.
//
//   node packages/node/bench/dead-leader.ts [--json] [--transactions 12000] [--samples 30] [--silent]
//
// The last authority is killed, or with --silent frozen: its connections stay open and nothing comes, as
// from a computer without power. It is measured in two networks. With full blocks the cores are the bound,
// and a dead node leaves its share of this computer to the others: nothing may be lost. With small blocks
// the bound is how soon leaders follow one another: a quarter of the views have a leader that is not there,
// so three quarters are what is left if passing one over costs as much as a block, and all if it is free.

import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Parameters } from '@mooring/ledger'
import {
  measureLatency,
  measureThroughput,
  printFigures,
  quantile,
  type Signer,
  signerOf,
} from './bench-load.ts'
import { type BenchNode, startBenchNetwork } from './bench-network.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    silent: { type: 'boolean', default: false },
    transactions: { type: 'string', default: '12000' },
    samples: { type: 'string', default: '30' },
  },
})

const AUTHORITIES = 4
/** A silent authority is missed after some seconds; the cost of that moment is not the steady one. */
const MISSED_MS = 8_000
const SMALL_BLOCK = 20

async function measure(nodes: readonly BenchNode[], sign: Signer, transactions: number) {
  const latency = await measureLatency(nodes, sign, Number(values.samples))
  const { perSecond } = await measureThroughput(nodes, sign, transactions)
  return { p50Ms: quantile(latency, 0.5), p95Ms: quantile(latency, 0.95), perSecond }
}

async function end({ process: child }: BenchNode): Promise<void> {
  if (values.silent) {
    child.kill('SIGSTOP')
    await pause(MISSED_MS)
    return
  }
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function compare(transactions: number, parameters: Partial<Parameters>) {
  const network = await startBenchNetwork(AUTHORITIES, parameters)
  const last = network.nodes.at(-1)
  try {
    if (last === undefined) throw new RangeError('no last node')
    const sign = await signerOf(network)
    const living = network.nodes.slice(0, -1)
    await measureThroughput(living, sign, transactions / 4)
    const before = await measure(living, sign, transactions)
    await end(last)
    const after = await measure(living, sign, transactions)
    return {
      p50MsBefore: before.p50Ms,
      p50MsAfter: after.p50Ms,
      p95MsBefore: before.p95Ms,
      p95MsAfter: after.p95Ms,
      perSecondBefore: before.perSecond,
      perSecondAfter: after.perSecond,
      throughputRatio: after.perSecond / before.perSecond,
      p50Ratio: after.p50Ms / before.p50Ms,
    }
  } finally {
    last?.process.kill('SIGCONT')
    await network.close()
  }
}

const transactions = Number(values.transactions)
for (const [blocks, parameters] of [
  ['full', {}],
  ['small', { blockTransactionsMax: SMALL_BLOCK }],
] as const) {
  const count = blocks === 'full' ? transactions : transactions / 4
  const figures = await compare(count, parameters)
  printFigures({ bench: 'dead-leader', nodes: AUTHORITIES, blocks, ...figures }, values.json)
}
