// `devnet up` after READY: it stays, tells when a node stops, and takes all of them along when it ends.

import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../context.ts'
import type { Output } from '../output.ts'
import { runningNodes } from './make.ts'
import { stopProcesses } from './processes.ts'
import { stopPaths } from './slowing.ts'
import { type DevnetState, readDevnetState, writeDevnetState } from './state.ts'

const LOOK_MS = 500

export async function stopDevnet(
  dir: string,
  output: Output,
  force: Promise<unknown>,
): Promise<string[]> {
  const state = await readDevnetState(dir)
  if (state === null) return []
  const running = await runningNodes(state)
  await stopPaths(state)
  const stubborn = await stopProcesses(running, force)
  for (const node of stubborn) output.note(`${node.name} did not stop in order and was killed`)
  for (const node of state.nodes) {
    node.pid = null
    node.startedAt = null
    delete node.isPaused
    delete node.behaviour
  }
  await writeDevnetState(state)
  return running.map(({ name }) => name)
}

// Says which nodes stopped and which came back since the last look; ends when none is left.
async function watchNodes(first: DevnetState, output: Output, stop: AbortSignal): Promise<void> {
  let seen = new Set(first.nodes.map(({ name }) => name))
  while (!stop.aborted && seen.size > 0) {
    await pause(LOOK_MS, undefined, { signal: stop }).catch((error: unknown) => {
      if (!stop.aborted) throw error
    })
    const state = await readDevnetState(first.dir)
    if (state === null) return
    const now = new Set((await runningNodes(state)).map(({ name }) => name))
    if (stop.aborted) return
    for (const name of seen) if (!now.has(name)) output.note(`${name} stopped`)
    for (const name of now) if (!seen.has(name)) output.note(`${name} runs again`)
    seen = now
  }
}

// `greet` is what there is to say once it is ready; when that fails, the nodes are stopped as well.
export async function stayUntilInterrupted(
  state: DevnetState,
  context: Context,
  output: Output,
  greet: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const forced = Promise.withResolvers<void>()
  const interrupted = Promise.withResolvers<void>()
  const forget = context.onInterrupt(() => {
    if (stop.signal.aborted) forced.resolve()
    stop.abort()
    interrupted.resolve()
  })
  try {
    // An interrupt cuts the greeting short; what becomes of it then is no news any more.
    const greeting = greet()
    await Promise.race([greeting, interrupted.promise])
    greeting.catch(() => undefined)
    await watchNodes(state, output, stop.signal)
    if (stop.signal.aborted) output.note('stopping …  Ctrl-C once more to kill')
    else output.note('no node is left: ended by devnet down, or all of them stopped')
  } finally {
    const stopped = await stopDevnet(state.dir, output, forced.promise)
    forget()
    if (stopped.length > 0) {
      output.note(`stopped ${stopped.join(', ')}; the data stays in ${state.dir}`)
    }
  }
}
