// What it takes to start a node, and what one holds that has nothing to do.
//
//   npm run bench -- start [--idle 30] [--nodes 4]
//
// All but one hospital of a network run. The last one is started as anybody starts one, by its command, with
// compiled code kept by an earlier start: first with a home of nothing but keys, so that it fetches the few
// blocks that there are; then again, with its chain. Memory is what the kernel counts after `idle` seconds without a transaction, blocks of the heartbeat aside.

import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { memoryOf, usageOf } from '../../../scripts/bench/processes.ts'
import { runBench } from '../../../scripts/bench/program.ts'
import { endNode, makeHomes, startNode, untilReady } from './bench-node.ts'

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
      const devnet = await makeHomes(dir, options.nodes)
      const [last, ...others] = devnet.nodes.toReversed()
      if (last === undefined) throw new RangeError('no node')
      running.push(...others.map((node) => startNode(node)))
      await Promise.all(others.map(untilReady))
      for (const chain of ['none', 'there'] as const) {
        say(`${last.name}, chain: ${chain}`)
        const began = performance.now()
        const child = startNode(last)
        running.push(child)
        await untilReady(last)
        give('start to ready', 'ms', performance.now() - began, {
          at: { chain },
          target: { under: 1_200 },
        })
        give('CPU until ready', 's', (await usageOf([child])).cpuSeconds, { at: { chain } })
        if (chain === 'none') await endNode(child)
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
      await Promise.all(running.map((child) => endNode(child)))
      await rm(dir, { recursive: true, force: true })
    }
  },
})
