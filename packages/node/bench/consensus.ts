// Finality and throughput of four processes on this computer, clients and signatures included.
//
//   node packages/node/bench/consensus.ts [--json] [--transactions 24000] [--nodes 4]
//
// Latency: one transaction a second, from the client's POST until the answer that it is final.
// Throughput: transactions signed beforehand, handed to all nodes in lists over HTTP as fast as they
// take them; the clock runs from the first POST until the last transaction is final in every node.

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createTransaction } from '@mooring/ledger'
import { homePaths, readKeyFile } from '../src/index.ts'
import { type BenchNetwork, startBenchNetwork, usageOf } from './bench-network.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    transactions: { type: 'string', default: '24000' },
    nodes: { type: 'string', default: '4' },
    samples: { type: 'string', default: '15' },
  },
})

const LIST = 200
const WAIT_MS = 55_000

type Signer = (organisation: number, count: number) => Uint8Array[]

async function signerOf(network: BenchNetwork): Promise<Signer> {
  const { nodes, devnet } = network
  const keys = await Promise.all(
    nodes.map(({ home }) => readKeyFile(join(homePaths(home).keys, 'anchor.json'), 'anchor')),
  )
  const sequences = nodes.map(() => 0)
  return (organisation, count) =>
    Array.from({ length: count }, () => {
      const sequence = (sequences[organisation] ?? 0) + 1
      sequences[organisation] = sequence
      const keyPair = keys[organisation]
      const node = nodes[organisation]
      if (keyPair === undefined || node === undefined) throw new RangeError('no such node')
      return createTransaction({
        genesisDigest: devnet.genesisDigest,
        keyPair,
        kind: 'record.anchor',
        expiresAt: Date.now() + 500_000,
        body: {
          organisation: node.name,
          sequence,
          batchRoot: crypto.getRandomValues(new Uint8Array(32)),
          sizeBucket: 16,
        },
      })
    })
}

async function measureLatency(network: BenchNetwork, sign: Signer): Promise<number[]> {
  const samples: number[] = []
  for (let index = 0; index < Number(values.samples); index += 1) {
    const at = index % network.nodes.length
    const [transaction] = sign(at, 1)
    const client = network.nodes[at]?.client
    if (transaction === undefined || client === undefined) throw new RangeError('no such node')
    const began = performance.now()
    const { status } = await client.submitTransaction(transaction, { waitMs: 10_000 })
    if (status !== 'final') throw new Error('a transaction was not final in 10 s')
    samples.push(performance.now() - began)
    await pause(1_000 - (performance.now() - began))
  }
  return samples.toSorted((a, b) => a - b)
}

async function measureThroughput(network: BenchNetwork, sign: Signer) {
  const each = Math.floor(Number(values.transactions) / network.nodes.length)
  const work = network.nodes.map((node, index) => ({ node, transactions: sign(index, each) }))
  const before = await Promise.all(network.nodes.map((node) => usageOf(node.process)))
  const began = performance.now()
  await Promise.all(
    work.map(async ({ node, transactions }) => {
      for (let at = 0; at < transactions.length; at += LIST) {
        const { results } = await node.client.submitTransactions(transactions.slice(at, at + LIST))
        const refused = results.find(({ status }) => status === 'rejected')
        if (refused !== undefined) throw new Error(`refused: ${JSON.stringify(refused.problem)}`)
      }
    }),
  )
  const submittedMs = performance.now() - began
  await Promise.all(
    work.map(async ({ node, transactions }) => {
      const last = transactions.at(-1)
      if (last === undefined) return
      const { status } = await node.client.submitTransaction(last, { waitMs: WAIT_MS })
      if (status !== 'final') throw new Error('the last transaction was not final in time')
    }),
  )
  const seconds = (performance.now() - began) / 1_000
  const after = await Promise.all(network.nodes.map((node) => usageOf(node.process)))
  const cpu = after.reduce(
    (sum, { cpuSeconds }, i) => sum + cpuSeconds - (before[i]?.cpuSeconds ?? 0),
    0,
  )
  const count = each * network.nodes.length
  return {
    transactions: count,
    seconds,
    perSecond: count / seconds,
    submittedPerSecond: count / (submittedMs / 1_000),
    cpuMicrosecondsPerTransactionAndNode: (cpu * 1e6) / count / network.nodes.length,
    peakRssMiB: Math.max(...after.map(({ rssMiB }) => rssMiB)),
  }
}

const network = await startBenchNetwork(Number(values.nodes))
try {
  const sign = await signerOf(network)
  const latency = await measureLatency(network, sign)
  const throughput = await measureThroughput(network, sign)
  const at = (share: number): number => latency[Math.ceil(latency.length * share) - 1] ?? Number.NaN
  const figures = {
    bench: 'consensus',
    nodes: network.nodes.length,
    readyMs: network.readyMs,
    finalityP50Ms: at(0.5),
    finalityP95Ms: at(0.95),
    ...throughput,
  }
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`)
  else
    for (const [name, value] of Object.entries(figures))
      process.stdout.write(
        `${name.padEnd(40)}${typeof value === 'number' ? value.toFixed(1).padStart(12) : value}\n`,
      )
} finally {
  await network.close()
}
