// Nodes that lose their power: killed without a word and started again, over and over. None of them may
// ever end by itself; the functions are those of `devnet kill` and `devnet restart`, without the wait.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { killProcess, lastWords, startProcess } from '../../packages/cli/src/devnet/processes.ts'
import {
  type DevnetNodeState,
  type DevnetState,
  isRunning,
  readDevnetState,
  writeDevnetState,
} from '../../packages/cli/src/devnet/state.ts'
import type { Random } from '../simulation/random.ts'
import { commandEnvironment } from './command.ts'
import type { Devnet } from './devnet.ts'

export type Power = {
  // Off and on again, all named nodes at the same time.
  cut: (indices: readonly number[]) => Promise<void>
  // Fails when a node is not running, with the last words of its log.
  checkAlive: () => Promise<void>
}

export async function controlPower(devnet: Devnet): Promise<Power> {
  const state = await readDevnetState(devnet.dir)
  assert.ok(state !== null)
  return {
    cut: (indices) => cutPower(state, indices),
    checkAlive: async () => {
      for (const node of state.nodes) await checkAlive(node)
    },
  }
}

async function cutPower(state: DevnetState, indices: readonly number[]): Promise<void> {
  const nodes = state.nodes.filter(({ index }) => indices.includes(index))
  for (const node of nodes) await checkAlive(node)
  await Promise.all(nodes.map(killProcess))
  for (const node of nodes) {
    const { pid } = await startProcess(node, commandEnvironment())
    node.pid = pid
  }
  await writeDevnetState(state)
}

async function checkAlive(node: DevnetNodeState): Promise<void> {
  if (await isRunning(node)) return
  assert.fail(`${node.name} ended by itself:\n${(await lastWords(node)).join('\n')}`)
}

export async function pauseBetween(random: Random, lowMs: number, highMs: number): Promise<void> {
  await pause(random.between(lowMs, highMs))
}
