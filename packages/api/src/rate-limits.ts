/**
 * How often one caller may do something: a bucket for each, which fills by a rate and holds some seconds of
 * it.
 *
 * A caller is a token, a certificate, or an address where nobody has shown either; of IPv6 a whole /64,
 * which is what one subscriber has. As many buckets are kept as there is memory set aside for; those that
 * were used longest ago go first, and a bucket that is gone is a full one.
 */

export interface Taken {
  isAllowed: boolean
  limit: number
  remaining: number
  /** Until the bucket is full again. */
  resetSeconds: number
  retryAfterMs: number
}

interface Bucket {
  level: number
  at: number
}

const BUCKETS_MAX = 10_000

export class RateLimits {
  readonly #secondsAtOnce: number
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** `now` in milliseconds, never going back. */
  constructor(secondsAtOnce: number, now: () => number) {
    this.#secondsAtOnce = secondsAtOnce
    this.#now = now
  }

  get size(): number {
    return this.#buckets.size
  }

  take(name: string, perSecond: number): Taken {
    const now = this.#now()
    const limit = Math.max(1, Math.ceil(perSecond * this.#secondsAtOnce))
    const known = this.#buckets.get(name)
    const filled = known === undefined ? 0 : ((now - known.at) * perSecond) / 1_000
    const level = Math.min(limit, (known?.level ?? limit) + filled)
    const isAllowed = level >= 1
    const left = isAllowed ? level - 1 : level
    this.#keep(name, { level: left, at: now })
    return {
      isAllowed,
      limit,
      remaining: Math.floor(left),
      resetSeconds: Math.ceil((limit - left) / perSecond),
      retryAfterMs: isAllowed ? 0 : Math.ceil(((1 - left) / perSecond) * 1_000),
    }
  }

  #keep(name: string, bucket: Bucket): void {
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    if (this.#buckets.size <= BUCKETS_MAX) return
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}

/** What stands for the computer, or the network, that an address belongs to. */
export function addressKey(address: string | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail = ''] = plain.split('::', 2)
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = plain.includes('::') ? Math.max(0, 8 - left.length - right.length) : 0
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}

export function isLoopbackAddress(address: string | undefined): boolean {
  const plain = (address ?? '').replace(/^::ffff:/i, '')
  return plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain)
}
