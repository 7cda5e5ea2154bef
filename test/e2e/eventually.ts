// What becomes true some time: asked again and again until it does, or until the time is over.

import { setTimeout as pause } from 'node:timers/promises'

const POLL_MS = 50

// What `ask` gives first that is not undefined. What it throws last is told when the time is over.
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  while (performance.now() < deadline) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      cause = undefined
    } catch (error) {
      cause = error
    }
    await pause(POLL_MS)
  }
  const instead = cause instanceof Error ? `: ${cause.message}` : ''
  throw new Error(`not within ${timeoutMs} ms: ${what}${instead}`, { cause })
}
