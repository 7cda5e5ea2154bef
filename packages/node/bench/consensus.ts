// Finality and throughput of four processes on this computer, clients and signatures included.
//
//   node packages/node/bench/consensus.ts [--json] [--transactions 24000] [--nodes 4]
//
// Latency: one transaction a second, from the client's POST until the answer that it is final.
// Throughput: transactions signed beforehand, handed to all nodes in lists over HTTP as fast as they
// take them; the clock runs from the first POST until the last transaction is final in every node.

import { parseArgs } from 'node:util'
import {
  measureLatency,
  measureThroughput,
  printFigures,
  quantile,
  signerOf,
} from './bench-load.ts'
import { startBenchNetwork } from './bench-network.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    transactions: { type: 'string', default: '24000' },
    nodes: { type: 'string', default: '4' },
    samples: { type: 'string', default: '15' },
  },
})

const network = await startBenchNetwork(Number(values.nodes))
try {
  const sign = await signerOf(network)
  const latency = await measureLatency(network.nodes, sign, Number(values.samples))
  const throughput = await measureThroughput(network.nodes, sign, Number(values.transactions))
  printFigures(
    {
      bench: 'consensus',
      nodes: network.nodes.length,
      readyMs: network.readyMs,
      finalityP50Ms: quantile(latency, 0.5),
      finalityP95Ms: quantile(latency, 0.95),
      ...throughput,
    },
    values.json,
  )
} finally {
  await network.close()
}
