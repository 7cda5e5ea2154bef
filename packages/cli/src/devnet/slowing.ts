// Longer paths between the nodes of a devnet. One process listens in the place of each neighbour and hands on
// late; the nodes are told to dial there, as their operator could tell them, and hang up.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { forgetDecided } from '@mooring/node/peer-book'
import { ordering } from './admin.ts'
import type { SlowPath } from './slow-path.ts'
import {
  activeNodes,
  type DevnetNodeState,
  type DevnetState,
  hasProcess,
  writeDevnetState,
} from './state.ts'

const PROGRAM = fileURLToPath(new URL('slow-paths.ts', import.meta.url))
export const PATH_NOTE = 'devnet latency'
const GONE_MS = 5_000
const POLL_MS = 50

type Way = { from: DevnetNodeState; to: DevnetNodeState }

const p2pPort = ({ api }: DevnetNodeState): number => Number(new URL(api).port) - 1

/** Every path between one of these nodes and any other, and the ones before are as they were. */
export async function slowDown(
  state: DevnetState,
  nodes: readonly DevnetNodeState[],
  { delayMs, jitterMs }: { delayMs: number; jitterMs: number },
): Promise<number> {
  await speedUp(state)
  const active = activeNodes(state)
  const ways = active.flatMap((from) =>
    active
      .filter((to) => to !== from && (nodes.includes(from) || nodes.includes(to)))
      .map((to): Way => ({ from, to })),
  )
  const paths = ways.map(({ to }): SlowPath => {
    return { port: 0, target: p2pPort(to), delayMs, jitterMs }
  })
  const { pid, ports } = await startPaths(state.dir, paths)
  state.slowing = { pid, nodes: nodes.map(({ name }) => name), delayMs }
  await writeDevnetState(state)
  for (const [index, { from, to }] of ways.entries()) {
    const address = `/ip4/127.0.0.1/tcp/${ports[index]}`
    if (from.pid !== null) await redirect(from, to.peerId, address)
  }
  return ways.length / 2
}

async function redirect(from: DevnetNodeState, peerId: string, address: string): Promise<void> {
  await ordering(from, async ({ peers }) => {
    await peers.add({ peerId, addresses: [address], note: PATH_NOTE })
    await peers.disconnect(peerId)
  })
}

async function startPaths(dir: string, paths: readonly SlowPath[]) {
  const child = spawn(process.execPath, [PROGRAM, dir, JSON.stringify(paths)], {
    cwd: dir,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process of the slow paths did not start')
  })
  const [line]: string[] = await Promise.race([once(lines, 'line'), ended])
  const ports: number[] = JSON.parse(line ?? '[]')
  lines.close()
  child.stdout.destroy()
  child.unref()
  if (child.pid === undefined) throw new TypeError('a spawned process has a pid')
  return { pid: child.pid, ports }
}

/** Paths are as they were; whether any was slow. */
export async function speedUp(state: DevnetState): Promise<boolean> {
  const { slowing } = state
  if (slowing === undefined) return false
  for (const node of activeNodes(state)) {
    if (node.pid === null || node.isPaused === true) continue
    await ordering(node, async ({ peers }) => {
      const { booked } = await peers.list()
      for (const { peerId, note } of booked) if (note === PATH_NOTE) await peers.remove(peerId)
    })
  }
  await stopPaths(state)
  for (const { pid, home } of state.nodes) if (pid === null) await forgetDecided(home, PATH_NOTE)
  return true
}

/** With the process its connections end, and the nodes dial each other where they are. */
export async function stopPaths(state: DevnetState): Promise<void> {
  const { slowing, dir } = state
  if (slowing === undefined) return
  const isThere = () => hasProcess(slowing.pid, `${PROGRAM} ${dir} `)
  if (await isThere()) process.kill(slowing.pid, 'SIGTERM')
  const deadline = performance.now() + GONE_MS
  while ((await isThere()) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  delete state.slowing
  await writeDevnetState(state)
}
