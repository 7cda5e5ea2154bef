/** Time as the node's parts see it; a simulation brings its own. */
export interface Clock {
  /** Milliseconds that never go back. */
  monotonic(): number
  /** Milliseconds since the Unix epoch. */
  wall(): number
  /** Runs once after a delay; the answer cancels it. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
