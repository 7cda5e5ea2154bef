// How long transactions take from the door of this node until they are final: for the histogram, and
// for the two numbers of the status, over the recent past.

import { toHex } from '@mooring/codec'
import type { Clock } from './clock.ts'
import type { CommittedBlock } from './committer.ts'
import type { Mempool } from './mempool.ts'

const SAMPLES_MAX = 1_000
const RECENT_MS = 600_000

export interface FinalityModules {
  clock: Clock
  mempool: Pick<Mempool, 'receivedAt'>
  observe: (origin: 'local' | 'remote', seconds: number) => void
  /** A revocation that was handed in here is final. */
  onRevoked?: (seconds: number) => void
}

export interface FinalityTimes {
  /** Null when no transaction of this node became final lately. */
  p50Ms: number | null
  p95Ms: number | null
}

export class Finality {
  readonly #modules: FinalityModules
  #samples: { at: number; ms: number }[] = []

  constructor(modules: FinalityModules) {
    this.#modules = modules
  }

  /** To be told when blocks are durable, and before the mempool forgets their transactions. */
  note(blocks: readonly Pick<CommittedBlock, 'receipts'>[]): void {
    const { clock, mempool, observe, onRevoked } = this.#modules
    const now = clock.monotonic()
    for (const { receipts } of blocks) {
      for (const { kind, transaction } of receipts) {
        const received = mempool.receivedAt(toHex(transaction))
        if (received === undefined) continue
        const ms = now - received.at
        if (kind === 'grant.revoke' && received.isLocal) onRevoked?.(ms / 1_000)
        observe(received.isLocal ? 'local' : 'remote', ms / 1_000)
        if (received.isLocal) this.#samples.push({ at: now, ms })
      }
    }
    this.#samples = this.#samples.slice(-SAMPLES_MAX)
  }

  times(): FinalityTimes {
    const oldest = this.#modules.clock.monotonic() - RECENT_MS
    const recent = this.#samples.filter(({ at }) => at >= oldest)
    const sorted = recent.map(({ ms }) => ms).toSorted((a, b) => a - b)
    return { p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) }
  }
}

/** The smallest value that is not below so many of all. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? null
}
