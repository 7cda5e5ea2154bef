// Which members answer, and since when the others do not: what is missing for a moment is waited for,
// what is missing for long is made again elsewhere.

import type { Clock } from './clock.ts'

const LOOK_MS = 1_000

export interface ReachModules {
  clock: Clock
  self: string
  organisations: () => readonly { readonly id: string }[]
  isConnected: (organisation: string) => boolean
  /** A member answers again that did not for a while. */
  onReturn: (organisation: string, awayMs: number) => void
}

export class Reach {
  readonly #modules: ReachModules
  readonly #awaySince = new Map<string, number>()
  #cancel: () => void = () => undefined

  constructor(modules: ReachModules) {
    this.#modules = modules
    this.look()
  }

  start(): void {
    this.#cancel = this.#modules.clock.after(LOOK_MS, () => {
      this.look()
      this.start()
    })
  }

  close(): void {
    this.#cancel()
  }

  /** Compares what is connected now with what was; the clock does it every second. */
  look(): void {
    const { clock, self, organisations, isConnected, onReturn } = this.#modules
    const now = clock.monotonic()
    const known = new Set(organisations().map(({ id }) => id))
    for (const id of this.#awaySince.keys()) if (!known.has(id)) this.#awaySince.delete(id)
    for (const id of known) {
      const since = this.#awaySince.get(id)
      if (id === self || isConnected(id)) {
        if (since === undefined) continue
        this.#awaySince.delete(id)
        onReturn(id, now - since)
      } else if (since === undefined) this.#awaySince.set(id, now)
    }
  }

  /** 0: it answers. Counted from when this node first missed it. */
  awayMs(organisation: string): number {
    const { self, isConnected, clock } = this.#modules
    if (organisation === self || isConnected(organisation)) return 0
    const since = this.#awaySince.get(organisation)
    return since === undefined ? 1 : Math.max(1, clock.monotonic() - since)
  }
}
