// How often something may be done, by whoever does it: so many at once, and so many in a time.

export interface RateLimitOptions {
  /** At once, after a rest. */
  readonly burst: number
  /** One more after so long. */
  readonly everyMs: number
  /** Names that are remembered; those that rested longest go first. */
  readonly namesMax: number
}

export class RateLimit {
  readonly #options: RateLimitOptions
  readonly #now: () => number
  readonly #spent = new Map<string, { count: number; at: number }>()

  /** `now` never goes back. */
  constructor(options: RateLimitOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  /** False when it is too often; that does not count. */
  take(name: string): boolean {
    const { burst, everyMs, namesMax } = this.#options
    const now = this.#now()
    const known = this.#spent.get(name)
    const rested = known === undefined ? burst : Math.floor((now - known.at) / everyMs)
    const count = known === undefined ? 0 : Math.max(0, known.count - rested)
    if (count >= burst) return false
    const at = known === undefined || count === 0 ? now : known.at + rested * everyMs
    this.#spent.delete(name)
    this.#spent.set(name, { count: count + 1, at })
    const [oldest] = this.#spent.keys()
    if (this.#spent.size > namesMax && oldest !== undefined) this.#spent.delete(oldest)
    return true
  }
}
