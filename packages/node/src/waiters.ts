// Who waits for which transactions to become final.
//
// A wait ends with the last block it needs or with its signal, whichever comes first, and leaves
// nothing behind. The number of ids waited for is bounded: beyond it the answer comes at once.

import { toHex } from '@mooring/codec'
import type { CommittedBlock, Committer } from './committer.ts'

const WAITING_MAX = 100_000

export interface WaitersModules {
  committer: Pick<Committer, 'subscribe'>
  /** Of a transaction that is in a durable block. */
  heightOf: (id: string) => number | undefined
}

interface Wait {
  readonly open: Set<string>
  readonly found: Map<string, number>
  readonly end: () => void
}

export class Waiters {
  readonly #heightOf: WaitersModules['heightOf']
  readonly #waiting = new Map<string, Set<Wait>>()
  readonly #unsubscribe: () => void

  constructor({ committer, heightOf }: WaitersModules) {
    this.#heightOf = heightOf
    this.#unsubscribe = committer.subscribe((block) => this.#onBlock(block))
  }

  /** Ids that somebody waits for. */
  get size(): number {
    return this.#waiting.size
  }

  /** Heights in the order of the ids, null for what was not final when the signal came. */
  wait(ids: readonly string[], signal: AbortSignal): Promise<(number | null)[]> {
    const open = new Set<string>()
    const found = new Map<string, number>()
    for (const id of ids) {
      const height = this.#heightOf(id)
      if (height === undefined) open.add(id)
      else found.set(id, height)
    }
    const { promise, resolve } = Promise.withResolvers<(number | null)[]>()
    const end = (): void => {
      signal.removeEventListener('abort', end)
      this.#forget(wait)
      resolve(ids.map((id) => found.get(id) ?? null))
    }
    const wait: Wait = { open, found, end }
    const hasRoom = this.#waiting.size + open.size <= WAITING_MAX
    if (open.size === 0 || signal.aborted || !hasRoom) end()
    else this.#remember(wait, signal)
    return promise
  }

  /** Ends all waits. */
  close(): void {
    this.#unsubscribe()
    for (const waits of this.#waiting.values()) for (const { end } of waits) end()
  }

  #remember(wait: Wait, signal: AbortSignal): void {
    signal.addEventListener('abort', wait.end)
    for (const id of wait.open) {
      const waits = this.#waiting.get(id)
      if (waits === undefined) this.#waiting.set(id, new Set([wait]))
      else waits.add(wait)
    }
  }

  #forget(wait: Wait): void {
    for (const id of wait.open) {
      const waits = this.#waiting.get(id)
      waits?.delete(wait)
      if (waits?.size === 0) this.#waiting.delete(id)
    }
  }

  #onBlock({ height, receipts }: CommittedBlock): void {
    if (this.#waiting.size === 0) return
    for (const { transaction } of receipts) {
      const id = toHex(transaction)
      const waits = this.#waiting.get(id)
      if (waits === undefined) continue
      this.#waiting.delete(id)
      for (const { open, found, end } of waits) {
        open.delete(id)
        found.set(id, height)
        if (open.size === 0) end()
      }
    }
  }
}
