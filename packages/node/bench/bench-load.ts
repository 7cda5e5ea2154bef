// Transactions for a benchmark: signed beforehand, then submitted one a second to see how soon each is
// final, or in lists as fast as the nodes take them to see how many are.

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createTransaction } from '@mooring/ledger'
import { homePaths, readKeyFile } from '../src/index.ts'
import { type BenchNetwork, type BenchNode, usageOf } from './bench-network.ts'

const LIST = 200
const WAIT_MS = 55_000

export type Signer = (organisation: number, count: number) => Uint8Array[]

export async function signerOf(network: BenchNetwork): Promise<Signer> {
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

/** In milliseconds, ascending, over the nodes in turn. */
export async function measureLatency(
  nodes: readonly BenchNode[],
  sign: Signer,
  count: number,
): Promise<number[]> {
  const samples: number[] = []
  for (let index = 0; index < count; index += 1) {
    const at = index % nodes.length
    const [transaction] = sign(at, 1)
    const client = nodes[at]?.client
    if (transaction === undefined || client === undefined) throw new RangeError('no such node')
    const began = performance.now()
    const { status } = await client.submitTransaction(transaction, { waitMs: 10_000 })
    if (status !== 'final') throw new Error('a transaction was not final in 10 s')
    samples.push(performance.now() - began)
    await pause(1_000 - (performance.now() - began))
  }
  return samples.toSorted((a, b) => a - b)
}

export async function measureThroughput(
  nodes: readonly BenchNode[],
  sign: Signer,
  transactions: number,
) {
  const each = Math.floor(transactions / nodes.length)
  const work = nodes.map((node, index) => ({ node, list: sign(index, each) }))
  const before = await Promise.all(nodes.map((node) => usageOf(node.process)))
  const began = performance.now()
  await Promise.all(
    work.map(async ({ node, list }) => {
      for (let at = 0; at < list.length; at += LIST) {
        const { results } = await node.client.submitTransactions(list.slice(at, at + LIST))
        const refused = results.find(({ status }) => status === 'rejected')
        if (refused !== undefined) throw new Error(`refused: ${JSON.stringify(refused.problem)}`)
      }
    }),
  )
  const submittedMs = performance.now() - began
  await Promise.all(
    work.map(async ({ node, list }) => {
      const last = list.at(-1)
      if (last === undefined) return
      const { status } = await node.client.submitTransaction(last, { waitMs: WAIT_MS })
      if (status !== 'final') throw new Error('the last transaction was not final in time')
    }),
  )
  const seconds = (performance.now() - began) / 1_000
  const after = await Promise.all(nodes.map((node) => usageOf(node.process)))
  const cpu = after.reduce(
    (sum, { cpuSeconds }, i) => sum + cpuSeconds - (before[i]?.cpuSeconds ?? 0),
    0,
  )
  const count = each * nodes.length
  return {
    transactions: count,
    seconds,
    perSecond: count / seconds,
    submittedPerSecond: count / (submittedMs / 1_000),
    cpuMicrosecondsPerTransactionAndNode: (cpu * 1e6) / count / nodes.length,
    peakRssMiB: Math.max(...after.map(({ rssMiB }) => rssMiB)),
  }
}

export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.ceil(ascending.length * share) - 1] ?? Number.NaN
}

export function printFigures(figures: Record<string, string | number>, isJson: boolean): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    return
  }
  for (const [name, value] of Object.entries(figures)) {
    const text = typeof value === 'number' ? value.toFixed(value < 10 ? 2 : 1).padStart(12) : value
    process.stdout.write(`${name.padEnd(40)}${text}\n`)
  }
}
