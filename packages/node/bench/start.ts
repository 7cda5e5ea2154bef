// What it takes to start a node, and what one holds that has nothing to do.
//
//   npm run bench -- start [--idle 30] [--nodes 4]
//
// All but one hospital of a network run. The last one is started as anybody starts one, by its command, with
// compiled code kept by an earlier start: first with a home of nothing but keys, so that it fetches the few
// blocks that there are; then again, with its chain. Ready is the first answer 200 of /readyz. Memory is what
// the kernel counts after `idle` seconds without a transaction, blocks of the heartbeat aside.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { memoryOf, usageOf } from '../../../scripts/bench/processes.ts'
import { runBench } from '../../../scripts/bench/program.ts'
import { createDevnet, type Devnet, type DevnetNode, findPortBlock } from '../src/devnet.ts'

const MOORING = fileURLToPath(new URL('../../cli/bin/mooring.js', import.meta.url))
const READY_MS = 60_000
const ASK_EVERY_MS = 5

await runBench({
  name: 'start',
  what: 'from the command to ready; memory of an idle node',
  options: { nodes: 4, idle: 30 },
  quick: { idle: 0 },
  runs: 5,
  run: async ({ options, give, say }) => {
    const dir = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
    const running: ChildProcess[] = []
    try {
      const devnet = await makeNetwork(dir, options.nodes)
      const [last, ...others] = devnet.nodes.toReversed()
      if (last === undefined) throw new RangeError('no node')
      running.push(...others.map((node) => start(node)))
      await Promise.all(others.map(untilReady))
      for (const chain of ['none', 'there'] as const) {
        say(`${last.name}, chain: ${chain}`)
        const began = performance.now()
        const child = start(last)
        running.push(child)
        await untilReady(last)
        give('start to ready', 'ms', performance.now() - began, {
          at: { chain },
          target: { under: 1_200 },
        })
        give('CPU until ready', 's', (await usageOf([child])).cpuSeconds, { at: { chain } })
        if (chain === 'none') await end(child)
        else await measureIdle(child, options.idle)
      }
      async function measureIdle(child: ChildProcess, seconds: number): Promise<void> {
        await pause(seconds * 1_000)
        const { rssMiB, pssMiB } = await memoryOf(child)
        give('idle, resident', 'MiB', rssMiB, { target: { under: 110 } })
        give('idle, proportional', 'MiB', pssMiB)
        const before = (await usageOf([child])).cpuSeconds
        await pause(seconds * 1_000)
        const used = (await usageOf([child])).cpuSeconds - before
        if (seconds > 0) give('idle, CPU', '% of a core', (100 * used) / seconds)
      }
    } finally {
      await Promise.all(running.map(end))
      await rm(dir, { recursive: true, force: true })
    }
  },
})

async function makeNetwork(dir: string, nodes: number): Promise<Devnet> {
  const { basePort } = await findPortBlock(0, nodes)
  return createDevnet({ dir, nodes, basePort, name: 'bench', heartbeatMs: 1_000 })
}

function start({ name, home }: DevnetNode): ChildProcess {
  const log = openSync(join(home, '..', `${name}.log`), 'a')
  const words = [MOORING, '--home', home, '--log-level', 'warn', 'start']
  return spawn(process.execPath, words, { stdio: ['ignore', log, log] })
}

async function untilReady({ name, ports }: DevnetNode): Promise<void> {
  const until = performance.now() + READY_MS
  while (performance.now() < until) {
    // Not listening yet; the deadline decides.
    const answer = await fetch(`http://127.0.0.1:${ports.http}/readyz`).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    await pause(ASK_EVERY_MS)
  }
  throw new Error(`${name} was not ready after ${READY_MS / 1_000} s`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}
