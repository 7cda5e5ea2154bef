// How long a node is away that is started again, by the length of its chain.
//
//   npm run bench -- restart [--lengths 1000,10000,100000] [--rate 50] [--seconds 8]
//
// Four authorities make a chain with that many transactions, each signed, with their journals of votes. Then the
// last one is stopped, and started as anybody starts one; and once more after a kill that it hears nothing of,
// while the others go on with a little traffic. The clock runs from the command: until /readyz says 200, and until
// the node itself tells of a final block that is newer than its start. At last all four are killed at once, and
// started at once on the same cores.

import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@mooring/api/client'
import { Load } from '../../../scripts/bench/load/load.ts'
import { contactOf } from '../../../scripts/bench/peers/mooring.ts'
import { folderBytes, memoryOf, usageOf } from '../../../scripts/bench/processes.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import type { Devnet, DevnetNode } from '../src/devnet.ts'
import { atRate, saturating } from './bench-consensus.ts'
import { endNode, makeHomes, startNode, until, untilReady } from './bench-node.ts'

const AUTHORITIES = 4
/** Those that go on. */
const OTHERS = [0, 1, 2]
const WINDOW = 2_000
/** Signed beforehand, and valid for some minutes. */
const PART = 30_000
const MIB = 1024 * 1024

interface Place {
  readonly nodes: readonly DevnetNode[]
  readonly running: ChildProcess[]
  readonly length: number
  readonly give: Give
}

await runBench({
  name: 'restart',
  what: 'a node stopped or killed comes back, by length of its chain',
  options: { lengths: '1000,10000,100000', rate: 50, seconds: 8 },
  quick: { lengths: '200', seconds: 3 },
  run: async ({ options, give, say }) => {
    for (const length of options.lengths.split(',').map(Number)) {
      say(`${length} transactions`)
      const dir = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
      const running: ChildProcess[] = []
      try {
        const devnet = await makeHomes(dir, AUTHORITIES)
        const place = { nodes: devnet.nodes, running, length, give }
        await restartLast(devnet, place, options)
        await restartAll(place)
      } finally {
        await Promise.all(running.map((child) => endNode(child)))
        await rm(dir, { recursive: true, force: true })
      }
    }
  },
})

async function restartLast(
  devnet: Devnet,
  place: Place,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<void> {
  const { nodes, running, length } = place
  running.push(...nodes.map(startNode))
  await Promise.all(nodes.map(untilReady))
  const load = await Load.start(contactOf({ devnet, nodes }))
  try {
    await grow(load, length)
    for (const how of ['stopped', 'killed'] as const) {
      const traffic = load.run(atRate(OTHERS, rate, seconds))
      await measure(place, how)
      await traffic
    }
  } finally {
    await load.close()
  }
}

async function grow(load: Load, length: number): Promise<void> {
  for (let left = length; left > 0; left -= PART) {
    const transactions = Math.min(left, PART)
    await load.run(saturating(OTHERS, { transactions, window: WINDOW }))
  }
}

async function measure(
  { nodes, running, length, give }: Place,
  how: 'stopped' | 'killed',
): Promise<void> {
  const [witness] = nodes
  const last = nodes.at(-1)
  const child = running.pop()
  if (witness === undefined || last === undefined || child === undefined)
    throw new RangeError('no node')
  await endNode(child, how === 'stopped' ? 'SIGTERM' : 'SIGKILL')
  const before = await heightOf(clientOf(witness))
  const at = { transactions: length, how }
  const began = performance.now()
  const again = startNode(last)
  running.push(again)
  const newer = untilNewer(last, before).then(() => performance.now() - began)
  await untilReady(last)
  give('start to ready', 'ms', performance.now() - began, { at })
  give('CPU until ready', 's', (await usageOf([again])).cpuSeconds, { at })
  give('resident when ready', 'MiB', (await memoryOf(again)).rssMiB, { at })
  give('start to a new final block', 'ms', await newer, { at })
  if (how === 'stopped') return
  give('on disk', 'MiB', (await folderBytes([last.home])) / MIB, { at: { transactions: length } })
}

async function restartAll({ nodes, running, length, give }: Place): Promise<void> {
  const [first] = nodes
  if (first === undefined) throw new RangeError('no node')
  const before = await heightOf(clientOf(first))
  await Promise.all(running.splice(0).map((child) => endNode(child, 'SIGKILL')))
  const began = performance.now()
  running.push(...nodes.map(startNode))
  await untilNewer(first, before + 1)
  give('start to a new final block', 'ms', performance.now() - began, {
    at: { transactions: length, how: 'all killed' },
  })
}

function clientOf({ ports }: DevnetNode): Client {
  return createClient(`http://127.0.0.1:${ports.http}`)
}

async function heightOf(client: Client): Promise<number> {
  return (await client.status()).chain.height
}

async function untilNewer(node: DevnetNode, height: number): Promise<void> {
  const client = clientOf(node)
  await until(`${node.name} has a block behind ${height}`, async () => {
    // Not listening yet.
    const found = await heightOf(client).catch(() => 0)
    return found > height
  })
}
