// Records into the vault of five processes on this computer, the clients included.
//
//   node packages/node/bench/vault.ts [--json] [--resources 12000] [--nodes 5]
//
// Every node takes bundles of made-up patients over HTTP, four at a time. The clock runs from the first
// POST until every record is anchored in a final block and receipted by all of its holders.

import { parseArgs } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { generatePatient, readSubmission } from '@mooring/records'
import { printFigures, quantile } from './bench-load.ts'
import { type BenchNode, startBenchNetwork, usageOf } from './bench-network.ts'

const AT_ONCE = 4
const POLL_MS = 100
const DEADLINE_MS = 240_000
const CONTENT_TYPE = 'application/fhir+json'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    resources: { type: 'string', default: '12000' },
    nodes: { type: 'string', default: '5' },
  },
})

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

const load = makeLoad(Number(values.resources))
const network = await startBenchNetwork(Number(values.nodes))
try {
  const { nodes, devnet } = network
  const urls = devnet.nodes.map(({ ports }) => `http://127.0.0.1:${ports.metrics}`)
  const before = await Promise.all(nodes.map(({ process }) => usageOf(process)))
  const began = performance.now()
  const took = await submitAll(nodes, load.bundles)
  const answeredMs = performance.now() - began
  await untilDone(nodes, urls)
  const seconds = (performance.now() - began) / 1_000
  const after = await Promise.all(nodes.map(({ process }) => usageOf(process)))
  const cpuSeconds = after.reduce((sum, each, at) => {
    return sum + each.cpuSeconds - (before[at]?.cpuSeconds ?? 0)
  }, 0)
  printFigures(
    {
      bench: 'vault',
      nodes: nodes.length,
      resources: load.resources,
      seconds,
      resourcesPerSecond: load.resources / seconds,
      answeredPerSecond: load.resources / (answeredMs / 1_000),
      bundleP50Ms: quantile(took, 0.5),
      bundleP95Ms: quantile(took, 0.95),
      cpuMsPerResource: (cpuSeconds * 1_000) / load.resources,
      peakRssMiB: Math.max(...after.map(({ rssMiB }) => rssMiB)),
    },
    values.json,
  )
} finally {
  await network.close()
}
