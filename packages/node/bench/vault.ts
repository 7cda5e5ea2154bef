// Records into the vault of five processes on this computer, the clients included.
//
//   npm run bench -- records [--resources 12000] [--nodes 5]
//
// Every node takes bundles of made-up patients over HTTP, four at a time. The clock runs from the first
// POST until every record is anchored in a final block and receipted by all of its holders.

import { setTimeout as pause } from 'node:timers/promises'
import { generatePatient, readSubmission } from '@mooring/records'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import {
  type BenchNetwork,
  type BenchNode,
  networkUsage,
  startBenchNetwork,
} from './bench-network.ts'

const AT_ONCE = 4
const POLL_MS = 100
const DEADLINE_MS = 240_000
const CONTENT_TYPE = 'application/fhir+json'

interface Load {
  readonly bundles: Uint8Array[]
  readonly resources: number
}

function makeLoad(wanted: number): Load {
  const bundles: Uint8Array[] = []
  let resources = 0
  for (let seed = 1; resources < wanted; seed += 1) {
    const bundle = generatePatient(seed)
    bundles.push(bundle)
    resources += readSubmission(bundle).resources.length
  }
  return { bundles, resources }
}

/** Milliseconds that each bundle took until its answer. */
async function submitAll(nodes: readonly BenchNode[], bundles: Uint8Array[]): Promise<number[]> {
  const left = [...bundles]
  const took: number[] = []
  const work = async ({ client }: BenchNode): Promise<void> => {
    for (let bundle = left.pop(); bundle !== undefined; bundle = left.pop()) {
      const began = performance.now()
      await client.submitRecords(bundle, { contentType: CONTENT_TYPE })
      took.push(performance.now() - began)
    }
  }
  await Promise.all(nodes.flatMap((node) => Array.from({ length: AT_ONCE }, () => work(node))))
  return took.toSorted((a, b) => a - b)
}

async function untilDone(nodes: readonly BenchNode[], urls: readonly string[]): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  for (const [index, { client, name }] of nodes.entries()) {
    for (;;) {
      const { records } = await client.status()
      const text = await (await fetch(`${urls[index]}/metrics`)).text()
      const waiting = /^mooring_vault_queue_records (\d+)$/m.exec(text)?.[1]
      if (records.anchored === records.accepted && waiting === '0') break
      if (performance.now() > deadline) throw new Error(`${name} is not done: ${waiting} wait`)
      await pause(POLL_MS)
    }
  }
}

async function chainBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^mooring_chain_block_size_bytes_sum (\S+)$/m.exec(text)?.[1])
}

async function measure(network: BenchNetwork, load: Load, give: Give): Promise<void> {
  const { nodes, devnet } = network
  const urls = devnet.nodes.map(({ ports }) => `http://127.0.0.1:${ports.metrics}`)
  const [firstUrl = ''] = urls
  const before = await networkUsage(network)
  const bytesBefore = await chainBytes(firstUrl)
  const began = performance.now()
  const took = await submitAll(nodes, load.bundles)
  const answeredMs = performance.now() - began
  await untilDone(nodes, urls)
  const seconds = (performance.now() - began) / 1_000
  const after = await networkUsage(network)
  const { resources } = load
  give('sealed, placed, anchored, receipted', '/s', resources / seconds, {
    target: { atLeast: 1_500 },
  })
  give('answered', '/s', resources / (answeredMs / 1_000))
  give('a bundle, p50', 'ms', quantile(took, 0.5))
  give('a bundle, p95', 'ms', quantile(took, 0.95))
  give(
    'CPU a resource, all nodes',
    'ms',
    ((after.cpuSeconds - before.cpuSeconds) * 1_000) / resources,
  )
  give('CPU, all nodes', 's', after.cpuSeconds - before.cpuSeconds)
  give('peak RSS of a node', 'MiB', after.peakRssMiB)
  give('on disk a resource, all nodes', 'B', (after.diskBytes - before.diskBytes) / resources)
  give('on the chain a resource', 'B', ((await chainBytes(firstUrl)) - bytesBefore) / resources, {
    target: { under: 2 },
  })
}

await runBench({
  name: 'records',
  what: 'FHIR resources into five processes: sealed, placed, anchored, receipted',
  options: { resources: 12_000, nodes: 5 },
  quick: { resources: 300 },
  run: async ({ options, give }) => {
    const load = makeLoad(options.resources)
    const network = await startBenchNetwork(options.nodes)
    try {
      await measure(network, load, give)
    } finally {
      await network.close()
    }
  },
})
