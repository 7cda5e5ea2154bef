// What a holder lists, page by page, without believing that it ever ends.
//
// Who asks may be all that looks after the vault of a node: a holder that lists for ever would stop it. The
// names of a list ascend, a page goes on behind its last item, and none is empty that promises another; who
// lists otherwise is left. A list of made-up names may keep to all of that, so there is as well a budget
// for each holder, of items and of time, for one pass over all custodians.

import { CodecError, compareBytes } from '@mooring/codec'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { orSilence } from './vault-peers.ts'

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: Uint8Array | null
}

export interface PageBudgetModules {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly logger: Pick<Logger, 'warn'>
}

export interface PageLimits {
  readonly items: number
  readonly ms: number
}

export const PAGE_LIMITS: PageLimits = { items: 4_000_000, ms: 5 * 60_000 }

/** Of one pass. */
export class PageBudget {
  readonly #modules: PageBudgetModules
  readonly #limits: PageLimits
  readonly #spent = new Map<string, { items: number; ms: number }>()
  readonly #left = new Set<string>()

  constructor(modules: PageBudgetModules, limits: PageLimits = PAGE_LIMITS) {
    this.#modules = modules
    this.#limits = limits
  }

  now(): number {
    return this.#modules.clock.monotonic()
  }

  isLeft(holder: string): boolean {
    return this.#left.has(holder)
  }

  /** For the rest of this pass. */
  leave(holder: string, reason: string): void {
    if (this.#left.has(holder)) return
    this.#left.add(holder)
    this.#modules.logger.warn('a list of a holder is not followed any further', { holder, reason })
  }

  /** Time that has brought something is given back, as a negative one. */
  spend(holder: string, { items, ms }: PageLimits): void {
    const before = this.#spent.get(holder) ?? { items: 0, ms: 0 }
    const spent = { items: before.items + items, ms: before.ms + ms }
    this.#spent.set(holder, spent)
    if (spent.items > this.#limits.items) this.leave(holder, 'too_many_items')
    if (spent.ms > this.#limits.ms) this.leave(holder, 'too_slow')
  }
}

export interface PagesHow<T> {
  readonly budget: PageBudget
  readonly onSilent: ((holder: string) => void) | undefined
  /** Null: not told by the item alone. @throws CodecError for what has no name */
  readonly nameOf: ((item: T) => Uint8Array) | null
}

/** Ends as well where the holder does not answer. */
export async function* pagesOf<T>(
  holder: string,
  { budget, onSilent, nameOf }: PagesHow<T>,
  ask: (after: Uint8Array | null) => Promise<Page<T>>,
): AsyncGenerator<readonly T[]> {
  let after: Uint8Array | null = null
  do {
    if (budget.isLeft(holder)) return
    const began = budget.now()
    const page: Page<T> | undefined = await orSilence(ask(after))
    if (page === undefined) return onSilent?.(holder)
    const { items } = page
    const next: Uint8Array | null = page.next
    yield items
    if (next !== null && !isOnward({ items, next }, after, nameOf)) {
      budget.leave(holder, 'list_out_of_order')
    }
    budget.spend(holder, { items: items.length, ms: budget.now() - began })
    after = next
  } while (after !== null)
}

function isOnward<T>(
  { items, next }: { items: readonly T[]; next: Uint8Array },
  after: Uint8Array | null,
  nameOf: ((item: T) => Uint8Array) | null,
): boolean {
  const last = items.at(-1)
  if (last === undefined || (after !== null && compareBytes(next, after) <= 0)) return false
  if (nameOf === null) return true
  try {
    return compareBytes(nameOf(last), next) === 0
  } catch (error) {
    if (error instanceof CodecError) return false
    throw error
  }
}
