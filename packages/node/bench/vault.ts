// Records into the vault of five processes on this computer, the clients included.
//
//   npm run bench -- records [--resources 30000] [--warm 4000] [--nodes 5]
//
// Every node takes bundles of made-up patients over HTTP, four at a time. The clock runs from the first
// POST until every record is anchored in a final block and receipted by all of its holders. Some records
// come before, uncounted, so that what V8 does when code is new is not measured. A bundle is answered when k
// holders have receipted every record of it.

import { setTimeout as pause } from 'node:timers/promises'
import { generatePatient, readSubmission } from '@mooring/records'
import { quantile } from '../../../scripts/bench/figures.ts'
import {
  loopbackBytes,
  type ThreadKind,
  threadsOf,
  usageOf,
} from '../../../scripts/bench/processes.ts'
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
const THREADS: readonly ThreadKind[] = ['event loop', 'disk and pool', 'V8']
const CONTENT_TYPE = 'application/fhir+json'

interface Load {
  readonly bundles: Uint8Array[]
  readonly resources: number
}

function makeLoad(wanted: number, firstSeed: number): Load {
  const bundles: Uint8Array[] = []
  let resources = 0
  for (let seed = firstSeed; resources < wanted; seed += 1) {
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
      const waiting = readMetric(await metricsOf(urls[index] ?? ''), 'vault_queue_records')
      if (records.anchored === records.accepted && waiting === 0) break
      if (performance.now() > deadline) throw new Error(`${name} is not done: ${waiting} wait`)
      await pause(POLL_MS)
    }
  }
}

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text()
}

function readMetric(text: string, name: string): number {
  return Number(new RegExp(`^mooring_${name} (\\S+)$`, 'm').exec(text)?.[1])
}

/** Counters, so that the difference of two is what was between them. */
async function countersOf({ nodes, devnet }: BenchNetwork) {
  const texts = await Promise.all(
    devnet.nodes.map(({ ports }) => metricsOf(`http://127.0.0.1:${ports.metrics}`)),
  )
  const sum = (name: string) => texts.reduce((total, text) => total + readMetric(text, name), 0)
  const { user, system } = process.cpuUsage()
  return {
    usage: await networkUsage({ nodes }),
    threads: await threadsOf(nodes.map((node) => node.process)),
    each: await Promise.all(nodes.map(async (node) => (await usageOf([node.process])).cpuSeconds)),
    clientSeconds: (user + system) / 1e6,
    wireBytes: await loopbackBytes(),
    chainBytes: readMetric(texts[0] ?? '', 'chain_block_size_bytes_sum'),
    delaySeconds: sum('anchor_delay_seconds_sum'),
    batches: sum('anchor_batch_records_count'),
  }
}

async function measure(network: BenchNetwork, load: Load, give: Give): Promise<void> {
  const { nodes, devnet } = network
  const urls = devnet.nodes.map(({ ports }) => `http://127.0.0.1:${ports.metrics}`)
  const before = await countersOf(network)
  const began = performance.now()
  const took = await submitAll(nodes, load.bundles)
  const answeredMs = performance.now() - began
  await untilDone(nodes, urls)
  const seconds = (performance.now() - began) / 1_000
  const after = await countersOf(network)
  const { resources } = load
  give('sealed, placed, anchored, receipted', '/s', resources / seconds, {
    target: { atLeast: 1_500 },
  })
  give('answered', '/s', resources / (answeredMs / 1_000))
  give('a bundle, submit to receipts, p50', 'ms', quantile(took, 0.5))
  give('a bundle, submit to receipts, p95', 'ms', quantile(took, 0.95))
  const delaySeconds = after.delaySeconds - before.delaySeconds
  give('a resource, received to anchored, mean', 'ms', (delaySeconds * 1_000) / resources)
  const cpuSeconds = after.usage.cpuSeconds - before.usage.cpuSeconds
  const cpu = (used: number) => (used * 1_000) / resources
  give('CPU a resource, all nodes', 'ms', cpu(cpuSeconds))
  for (const [index, { name }] of nodes.entries()) {
    const used = (after.each[index] ?? 0) - (before.each[index] ?? 0)
    give('CPU a resource', 'ms', cpu(used), { at: { process: name } })
  }
  const client = cpu(after.clientSeconds - before.clientSeconds)
  give('CPU a resource', 'ms', client, { at: { process: 'clients' } })
  for (const kind of THREADS) {
    const used = after.threads[kind] - before.threads[kind]
    give('CPU a resource, all nodes', 'ms', cpu(used), { at: { threads: kind } })
  }
  give('cores that were used', '', (cpuSeconds + (client * resources) / 1_000) / seconds)
  give('peak RSS of a node', 'MiB', after.usage.peakRssMiB)
  const diskBytes = after.usage.diskBytes - before.usage.diskBytes
  give('on disk a resource, all nodes', 'B', diskBytes / resources)
  give('on the wire a resource', 'B', (after.wireBytes - before.wireBytes) / resources)
  give('on the chain a resource', 'B', (after.chainBytes - before.chainBytes) / resources, {
    target: { under: 2 },
  })
  give('records in a batch', '', resources / (after.batches - before.batches))
}

await runBench({
  name: 'records',
  what: 'FHIR resources into five processes: sealed, placed, anchored, receipted',
  options: { resources: 30_000, warm: 4_000, nodes: 5 },
  quick: { resources: 300, warm: 30 },
  run: async ({ options, give, say }) => {
    const network = await startBenchNetwork(options.nodes)
    try {
      const urls = network.devnet.nodes.map(({ ports }) => `http://127.0.0.1:${ports.metrics}`)
      const warm = makeLoad(options.warm, 1)
      await submitAll(network.nodes, warm.bundles)
      await untilDone(network.nodes, urls)
      say('warm')
      await measure(network, makeLoad(options.resources, warm.bundles.length + 1), give)
    } finally {
      await network.close()
    }
  },
})
