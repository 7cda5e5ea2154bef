// What it costs that one authority of four is down for good: the same work before and after, by the same
// three clients, in one run.
//
//   node packages/node/bench/dead-leader.ts [--json] [--transactions 12000] [--samples 30] [--silent]
//
// The last authority is killed, or with --silent frozen: its connections stay open and nothing comes, as
// from a computer without power. A quarter of all views have a leader that is not there, so three quarters
// of the throughput is what a network bound by its leaders could keep. On a computer whose cores are the
// bound, the dead node also leaves its share of them to the others: read the ratio beside the CPU time.

import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
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

async function measure(nodes: readonly BenchNode[], sign: Signer) {
  const latency = await measureLatency(nodes, sign, Number(values.samples))
  const { perSecond, cpuMicrosecondsPerTransactionAndNode } = await measureThroughput(
    nodes,
    sign,
    Number(values.transactions),
  )
  return {
    p50Ms: quantile(latency, 0.5),
    p95Ms: quantile(latency, 0.95),
    perSecond,
    cpuMicroseconds: cpuMicrosecondsPerTransactionAndNode,
  }
}

async function end({ process: child }: BenchNode): Promise<void> {
  if (values.silent) child.kill('SIGSTOP')
  else {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  await pause(values.silent ? MISSED_MS : 0)
}

const network = await startBenchNetwork(AUTHORITIES)
try {
  const sign = await signerOf(network)
  const living = network.nodes.slice(0, -1)
  const last = network.nodes.at(-1)
  if (last === undefined) throw new RangeError('no last node')
  await measureThroughput(living, sign, Number(values.transactions) / 4)
  const before = await measure(living, sign)
  await end(last)
  const after = await measure(living, sign)
  printFigures(
    {
      bench: 'dead-leader',
      nodes: AUTHORITIES,
      beforeP50Ms: before.p50Ms,
      afterP50Ms: after.p50Ms,
      beforeP95Ms: before.p95Ms,
      afterP95Ms: after.p95Ms,
      beforePerSecond: before.perSecond,
      afterPerSecond: after.perSecond,
      beforeCpuMicrosecondsPerTransactionAndNode: before.cpuMicroseconds,
      afterCpuMicrosecondsPerTransactionAndNode: after.cpuMicroseconds,
      throughputRatio: after.perSecond / before.perSecond,
      p50Ratio: after.p50Ms / before.p50Ms,
    },
    values.json,
  )
  if (values.silent) last.process.kill('SIGCONT')
} finally {
  await network.close()
}
