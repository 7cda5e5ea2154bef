// Node processes for a benchmark: made in a temporary folder, waited for, and ended whole. PROFILE=hospital-1
// leaves a CPU profile of that node in the current folder.

import { type ChildProcess, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@mooring/api/client'
import type { Parameters } from '@mooring/ledger'
import type { EngineUsage } from '../../../scripts/bench/peers/engine.ts'
import { folderBytes, usageOf } from '../../../scripts/bench/processes.ts'
import { createDevnet, type Devnet, findPortBlock } from '../src/index.ts'

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
const READY_MS = 60_000

export interface BenchNode {
  readonly name: string
  readonly home: string
  readonly client: Client
  readonly process: ChildProcess
}

export interface BenchNetwork {
  readonly devnet: Devnet
  readonly nodes: readonly BenchNode[]
  /** From the first spawn until every node sees every other and height 1 is final everywhere. */
  readonly readyMs: number
  close(): Promise<void>
}

export async function startBenchNetwork(
  size: number,
  parameters: Partial<Parameters> = {},
): Promise<BenchNetwork> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
  const { basePort } = await findPortBlock(0, size)
  const devnet = await createDevnet({
    dir,
    nodes: size,
    basePort,
    name: 'bench',
    heartbeatMs: 1_000,
    parameters,
  })
  const began = performance.now()
  const nodes = devnet.nodes.map(({ name, home, ports }) => {
    const log = openSync(join(dir, `${name}.log`), 'a')
    const profile = process.env['PROFILE'] === name ? ['--cpu-prof'] : []
    const args = [...profile, MAIN, '--home', home, '--log-level', 'warn', 'start']
    return {
      name,
      home,
      client: createClient(`http://127.0.0.1:${ports.http}`, { timeoutMs: 120_000 }),
      process: spawn(process.execPath, args, { stdio: ['ignore', log, log] }),
    }
  })
  const close = async (): Promise<void> => {
    const ends = nodes.map(
      (node) =>
        new Promise<void>((resolve) => {
          if (node.process.exitCode !== null || node.process.signalCode !== null) resolve()
          else node.process.once('exit', () => resolve())
        }),
    )
    for (const node of nodes) node.process.kill('SIGTERM')
    await Promise.all(ends)
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(nodes.map((node) => waitUntilReady(node.client, size)))
  } catch (error) {
    await close()
    throw error
  }
  return { devnet, nodes, readyMs: performance.now() - began, close }
}

async function waitUntilReady(client: Client, size: number): Promise<void> {
  const until = performance.now() + READY_MS
  while (performance.now() < until) {
    try {
      const { chain, peers } = await client.status()
      if (chain.height > 0 && peers.connected === size - 1) return
    } catch {
      // Not listening yet; the deadline decides.
    }
    await pause(50)
  }
  throw new Error(`a node was not ready after ${READY_MS / 1_000} s`)
}

/** Of all nodes that live: what they have used and hold. */
export async function networkUsage({ nodes }: Pick<BenchNetwork, 'nodes'>): Promise<EngineUsage> {
  const living = nodes.filter(({ process: child }) => child.exitCode === null && !child.killed)
  return {
    ...(await usageOf(living.map(({ process: child }) => child))),
    diskBytes: await folderBytes(living.map(({ home }) => home)),
  }
}
