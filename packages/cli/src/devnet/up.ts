// From a folder to READY: start what does not run, then wait until all nodes are linked, make blocks
// and agree on one. Each step has a name, so that a failure can say which one it was.

import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import type { Context } from '../context.ts'
import { formatSeconds, type Output, shortDigest } from '../output.ts'
import { lastWords, likelyCause, type Started, startProcess, stopProcesses } from './processes.ts'
import {
  agreeOn,
  askAll,
  describeMissing,
  linksOf,
  type NodeReport,
  proposerOf,
} from './progress.ts'
import {
  activeNodes,
  type DevnetNodeState,
  type DevnetState,
  isRunning,
  writeDevnetState,
} from './state.ts'

const POLL_MS = 100
const GRACE_MS = 3_000
const AGREED_HEIGHT = 3

export type Up = {
  state: DevnetState
  // The nodes that this process started.
  started: ReadonlyMap<number, Started>
  reports: NodeReport[]
}

type Watch = {
  output: Output
  startedAt: number
  deadline: number
  timeoutMs: number
  started: ReadonlyMap<number, Started>
  stop: AbortSignal
}

async function failedStart(node: DevnetNodeState, started: Started, step: string) {
  const ending = started.ending()
  const lines = await lastWords(node)
  const cause = likelyCause(ending, lines)
  const code = ending?.signal ?? `exit code ${ending?.code ?? '?'}`
  const data = { node: node.name, index: node.index, ending: code, step, cause }
  return new NodeError('devnet_start_failed', data, { rows: lines })
}

// Throws when one of the started nodes has ended.
export async function failIfEnded(
  state: DevnetState,
  started: ReadonlyMap<number, Started>,
  step: string,
): Promise<void> {
  for (const [index, process] of started) {
    const node = state.nodes[index]
    if (node !== undefined && process.ending() !== undefined) {
      throw await failedStart(node, process, step)
    }
  }
}

// Asks all nodes again and again until `isDone` gives the rest of the line for this step.
async function untilStep(
  state: DevnetState,
  watch: Watch,
  step: string,
  isDone: (reports: NodeReport[]) => Promise<string | undefined> | string | undefined,
): Promise<NodeReport[]> {
  for (;;) {
    watch.stop.throwIfAborted()
    await failIfEnded(state, watch.started, step)
    const reports = await askAll(activeNodes(state))
    const done = await isDone(reports)
    if (done !== undefined) {
      tick(watch, `${step} ${done}`)
      return reports
    }
    if (performance.now() >= watch.deadline) {
      const slowest = reports.find(({ status }) => status === null)?.node ?? activeNodes(state)[0]
      const rows = slowest === undefined ? [] : await lastWords(slowest)
      const data = {
        timeout: formatDuration(watch.timeoutMs),
        step,
        detail: describeMissing(reports),
        cause: likelyCause(undefined, rows),
      }
      throw new NodeError('devnet_not_ready', data, { rows })
    }
    await pause(POLL_MS, undefined, { signal: watch.stop })
  }
}

// "  ✔ connected 12/12 links      2.3 s"
export function tick(watch: Pick<Watch, 'output' | 'startedAt'>, step: string, after = ''): void {
  const time = formatSeconds(performance.now() - watch.startedAt)
  const line = `  ${watch.output.good('✔')} ${step.padEnd(36)} ${time.padStart(7)}   ${after}`
  watch.output.note(line.trimEnd())
}

function pidsOf(nodes: readonly DevnetNodeState[]): string {
  const pids = nodes.flatMap(({ pid }) => (pid === null ? [] : [pid])).toSorted((a, b) => a - b)
  const [first, last] = [pids.at(0), pids.at(-1)]
  if (first === undefined || last === undefined) return ''
  const isRange = last - first === pids.length - 1 && pids.length > 1
  return isRange ? `pids ${first}-${last}` : `pids ${pids.join(', ')}`
}

// What this process compiles and keeps, the nodes find: otherwise each of them does it at its first start.
async function compileOnce(): Promise<void> {
  await import('@mooring/node/node')
  flushCompileCache()
}

// Starts those of the nodes that do not run; each is on record before the next one starts.
export async function startNodes(
  state: DevnetState,
  nodes: readonly DevnetNodeState[],
  context: Context,
): Promise<Map<number, Started>> {
  const started = new Map<number, Started>()
  if (nodes.length > 1) await compileOnce()
  for (const node of nodes) {
    if (await isRunning(node)) continue
    const process = await startProcess(node, context.env)
    node.pid = process.pid
    node.startedAt = context.now().toISOString()
    started.set(node.index, process)
    await writeDevnetState(state)
  }
  return started
}

async function untilReady(state: DevnetState, watch: Watch): Promise<NodeReport[]> {
  const active = activeNodes(state)
  const count = active.length
  const links = count * (count - 1)
  if (count > 1) {
    await untilStep(state, watch, 'connected', (reports) =>
      linksOf(reports) >= links ? `${links}/${links} links` : undefined,
    )
  }
  const [first] = active
  await untilStep(state, watch, 'first block', async (reports) => {
    if (first === undefined || !reports.every(({ status }) => (status?.chain.height ?? 0) >= 1)) {
      return undefined
    }
    return `by ${await proposerOf(first, 1)}`
  })
  return untilStep(state, watch, `all ${count} agree`, async (reports) => {
    const heights = reports.map(({ status }) => status?.chain.height ?? 0)
    const height = Math.min(...heights)
    if (height < AGREED_HEIGHT) return undefined
    const agreed = await agreeOn(active, height)
    return agreed === undefined ? undefined : `on block ${height}  ${shortDigest(agreed.digest)}`
  })
}

export type UpOptions = { timeoutMs: number; startedAt: number; stop: AbortSignal }

export async function bringUp(
  state: DevnetState,
  context: Context,
  output: Output,
  options: UpOptions,
): Promise<Up> {
  const { timeoutMs, startedAt, stop } = options
  const deadline = startedAt + timeoutMs
  const started = await startNodes(state, activeNodes(state), context)
  const fresh = state.nodes.filter(({ index }) => started.has(index))
  const watch: Watch = { output, startedAt, deadline, timeoutMs, started, stop }
  try {
    const what = `${fresh.length} ${fresh.length === 1 ? 'node' : 'nodes'} started`
    if (fresh.length > 0) tick(watch, what, pidsOf(fresh))
    return { state, started, reports: await untilReady(state, watch) }
  } catch (error) {
    await stopProcesses(fresh, pause(GRACE_MS))
    throw error
  }
}
