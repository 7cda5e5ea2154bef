// How soon a newcomer is in a network whose chain is long: real processes over the loopback.
//
//   npm run bench -- snapshot [--sizes 10000,100000,1000000] [--rate 100] [--block 1000]
//
// Four hospitals, in one process, have the chain and a snapshot of it, and a few blocks above. The newcomer is
// started by its command with nothing but its keys and `--sync-mode snapshot`; it has no vote yet and follows. The clock stands when it answers for
// the head with the digest that the head has. By then it has verified the finality of the snapshot's block from
// genesis on, every value of the state under its state root and the blocks that could still matter under the
// history root, and executed the blocks above. The chain is made before (long-chain.ts), which takes longest.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from '@mooring/api/client'
import { toHex } from '@mooring/codec'
import { folderBytes, loopbackBytes, usageOf } from '../../../scripts/bench/processes.ts'
import { runBench } from '../../../scripts/bench/program.ts'
import {
  createDevnet,
  createNewcomer,
  type DevnetNode,
  findPortBlock,
  writeDevnetConfigs,
} from '../src/devnet.ts'
import type { LongChainPeers } from './long-chain-peers.ts'
import type { LongChainSize } from './long-chain.ts'

const MOORING = fileURLToPath(new URL('../../cli/bin/mooring.js', import.meta.url))
const PEERS = fileURLToPath(new URL('./long-chain-peers.ts', import.meta.url))
const NODES = 4
const PORTS_EACH = 10
const ABOVE = 10
const WAIT_MS = 120_000
const POLL_MS = 20
const TARGET_AT = 1_000_000
const TARGET_SECONDS = 15
const PROFILE = process.env['PROFILE'] !== undefined

interface Held extends LongChainPeers {
  readonly dir: string
  readonly newcomer: DevnetNode
  readonly peers: ChildProcess
}

const held = new Map<number, Held>()

try {
  await runBench({
    name: 'snapshot',
    what: 'a newcomer joins by a snapshot, by length of the chain',
    options: { sizes: '10000,100000,1000000', rate: 100, block: 1_000 },
    quick: { sizes: '500', block: 50 },
    run: async ({ options, give, say, note }) => {
      for (const transactions of options.sizes.split(',').map(Number)) {
        const blocks = Math.ceil(transactions / options.block)
        const blockMs = (1_000 * options.block) / options.rate
        const size = { blocks, blockMs, perBlock: options.block, above: ABOVE }
        const chain = held.get(transactions) ?? (await make(size))
        held.set(transactions, chain)
        say(`${transactions} transactions in ${blocks} blocks`)
        await joinBySnapshot(chain, (name, unit, value) => {
          const isTarget = name === 'start to joined' && transactions === TARGET_AT
          const target = isTarget ? { target: { under: TARGET_SECONDS } } : {}
          give(name, unit, value, { at: { transactions }, ...target })
        })
      }
      note(
        `The chain was made by hand, with ${options.rate} transactions a second of its time; all processes are on the same cores.`,
      )
    },
  })
} finally {
  for (const { dir, peers } of held.values()) {
    peers.send('close')
    await once(peers, 'exit')
    await rm(dir, { recursive: true, force: true })
  }
}

async function make(size: LongChainSize): Promise<Held> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-bench-long-'))
  const { basePort } = await findPortBlock(0, NODES + 1)
  const devnet = await createDevnet({
    dir,
    nodes: NODES,
    basePort,
    name: 'bench',
    heartbeatMs: 1_000,
    time: Date.now() - (size.blocks + size.above + 1) * size.blockMs,
  })
  const firstPort = basePort + NODES * PORTS_EACH
  const { node: newcomer } = await createNewcomer(devnet, { index: NODES, firstPort })
  await writeDevnetConfigs({ ...devnet, nodes: [...devnet.nodes, newcomer] })
  const peers = fork(PEERS, [dir, JSON.stringify(size)], { serialization: 'advanced' })
  const [there]: LongChainPeers[] = await once(peers, 'message')
  if (there === undefined) throw new Error('no peers')
  return { ...there, dir, newcomer, peers }
}

async function joinBySnapshot(
  { dir, newcomer, peers, head, snapshotBytes }: Held,
  give: (name: string, unit: string, value: number) => void,
): Promise<void> {
  const home = join(dir, 'newcomer')
  await cp(newcomer.home, home, { recursive: true })
  const [bytes, used] = [await loopbackBytes(), await usageOf([peers])]
  const began = performance.now()
  const child = await start(home)
  try {
    await untilJoined(newcomer, head)
    const seconds = (performance.now() - began) / 1_000
    const { cpuSeconds, peakRssMiB } = await usageOf([child])
    const serving = (await usageOf([peers])).cpuSeconds - used.cpuSeconds
    give('start to joined', 's', seconds)
    give('CPU of the newcomer', 's', cpuSeconds)
    give('CPU of its peers', 's', serving)
    give('peak RSS of the newcomer', 'MiB', peakRssMiB)
    give('snapshot', 'MB', snapshotBytes / 1e6)
    give('over the loopback', 'MB', ((await loopbackBytes()) - bytes) / 1e6)
    give('disk of the newcomer', 'MB', (await folderBytes([home])) / 1e6)
  } finally {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
    await rm(home, { recursive: true, force: true })
  }
}

async function start(home: string): Promise<ChildProcess> {
  const log = await open(join(home, 'output.log'), 'a')
  const words = ['start', '--sync-mode', 'snapshot']
  const profile = PROFILE ? ['--cpu-prof'] : []
  const line = [...profile, MOORING, '--home', home, '--log-level', 'warn', ...words]
  const child = spawn(process.execPath, line, { stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  return child
}

async function untilJoined({ ports }: DevnetNode, head: LongChainPeers['head']): Promise<void> {
  const client = createClient(`http://127.0.0.1:${ports.http}`, { timeoutMs: 10_000 })
  const until = performance.now() + WAIT_MS
  while (performance.now() < until) {
    // Not listening yet; the deadline decides.
    const { chain } = await client.status().catch(() => ({ chain: null }))
    if (chain?.height === head.height && chain.digest === toHex(head.digest)) return
    await pause(POLL_MS)
  }
  throw new Error(`not joined after ${WAIT_MS / 1_000} s`)
}
