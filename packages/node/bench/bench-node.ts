// A node as anybody starts one, by its command, with compiled code kept by an earlier start; and when it is ready,
// which is the first answer 200 of /readyz.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createDevnet, type Devnet, type DevnetNode, findPortBlock } from '../src/devnet.ts'

const MOORING = fileURLToPath(new URL('../../cli/bin/mooring.js', import.meta.url))
const READY_MS = 60_000
const ASK_EVERY_MS = 5

export async function makeHomes(dir: string, nodes: number): Promise<Devnet> {
  const { basePort } = await findPortBlock(0, nodes)
  return createDevnet({ dir, nodes, basePort, name: 'bench', heartbeatMs: 1_000 })
}

export function startNode({ name, home }: DevnetNode): ChildProcess {
  const log = openSync(join(home, '..', `${name}.log`), 'a')
  const words = [MOORING, '--home', home, '--log-level', 'warn', 'start']
  return spawn(process.execPath, words, { stdio: ['ignore', log, log] })
}

export async function untilReady({ name, ports }: DevnetNode): Promise<void> {
  await until(`${name} is ready`, async () => {
    // Not listening yet; the deadline decides.
    const answer = await fetch(`http://127.0.0.1:${ports.http}/readyz`).catch(() => null)
    await answer?.arrayBuffer()
    return answer?.status === 200
  })
}

/** Asked again and again, soon after each other. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_MS
  while (performance.now() < deadline) {
    if (await isSo()) return
    await pause(ASK_EVERY_MS)
  }
  throw new Error(`not after ${READY_MS / 1_000} s: ${what}`)
}

export async function endNode(
  child: ChildProcess,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
