// A node of a devnet that misbehaves on purpose: its real process ends in order, and another one takes its
// home, keys and place.

import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour } from '@mooring/node'
import type { Context } from '../context.ts'
import { stopProcesses } from './processes.ts'
import { askAll } from './progress.ts'
import { type DevnetNodeState, type DevnetState, writeDevnetState } from './state.ts'
import { failIfEnded, startNodes } from './up.ts'

const POLL_MS = 200

export const EFFECTS: Record<Behaviour, string> = {
  equivocate: 'votes for two blocks in each view; the others keep it as evidence',
  withhold: 'votes for nothing and answers nobody; the others go on without it',
  flood: 'sends nonsense as fast as it may; the others cut it off, again and again',
  lie: 'claims blocks that nobody made; the others believe no word without a certificate',
}

/** True once it answers as its new self. */
export async function becomes(
  state: DevnetState,
  node: DevnetNodeState,
  behaviour: Behaviour | undefined,
  { context, timeoutMs }: { context: Context; timeoutMs: number },
): Promise<boolean> {
  await stopProcesses([node], Promise.withResolvers<void>().promise)
  Object.assign(node, { pid: null, startedAt: null })
  delete node.isPaused
  delete node.behaviour
  if (behaviour !== undefined) {
    node.behaviour = behaviour
    state.misbehaved = [...new Set([...(state.misbehaved ?? []), node.name])]
  }
  await writeDevnetState(state)
  const started = await startNodes(state, [node], context)
  const deadline = performance.now() + timeoutMs
  for (;;) {
    await failIfEnded(state, started, behaviour ?? 'restart')
    const [report] = await askAll([node])
    if (report?.status !== null) return true
    if (performance.now() >= deadline) return false
    await pause(POLL_MS)
  }
}
