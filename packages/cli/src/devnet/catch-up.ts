// Nodes that start later than the others, until they have what those have.

import { setTimeout as pause } from 'node:timers/promises'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import { lastWords, likelyCause, type Started } from './processes.ts'
import { askAll } from './progress.ts'
import { activeNodes, type DevnetNodeState, type DevnetState } from './state.ts'
import { failIfEnded } from './up.ts'

const POLL_MS = 200

export type CatchUp = {
  started: ReadonlyMap<number, Started>
  // What an error names.
  step: string
  timeoutMs: number
}

// Until each of the nodes is as far as the others, or two blocks behind.
export async function untilCaughtUp(
  state: DevnetState,
  nodes: readonly DevnetNodeState[],
  { started, step, timeoutMs }: CatchUp,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    await failIfEnded(state, started, step)
    const reports = await askAll(activeNodes(state))
    const best = Math.max(...reports.map(({ status }) => status?.chain.height ?? 0))
    const behind = reports
      .filter(({ node }) => nodes.includes(node))
      .filter(({ status }) => status === null || status.chain.height < best - 2)
      .map(({ node }) => node)
    const [first] = behind
    if (first === undefined) return
    if (performance.now() >= deadline) {
      const rows = await lastWords(first)
      const detail = `${behind.map(({ name }) => name).join(', ')} behind height ${best}`
      const cause = likelyCause(undefined, rows)
      const data = { timeout: formatDuration(timeoutMs), step, detail, cause }
      throw new NodeError('devnet_not_ready', data, { rows })
    }
    await pause(POLL_MS)
  }
}
