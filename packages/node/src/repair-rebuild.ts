// The new holder's side of a repair: the shard, from the masked parts of k helpers.
//
// All helpers of a shard are asked at once. One that does not answer or does not help is left out. When
// what the parts add up to is not the shard, one of the helpers has something else than its shard: other
// helpers are tried until the sum is right, and then each of those left over is put to the test, in
// the place of one that is known to be good. Who makes the sum wrong is named and not asked again.
//
// Small shards are made many at a time, a question to each helper for all of them; a large one in
// pieces, so that no more than a piece of each helper is in memory.

import {
  fragmentBytesOf,
  isShard,
  type RepairQuestion,
  type ShardSet,
  ShardCheck,
  sumOfParts,
} from '@mooring/records'

export interface RebuildPlace {
  readonly holder: string
  readonly index: number
}

export interface RebuildItem {
  readonly setId: Uint8Array
  readonly set: ShardSet
  /** Of the shard that is made again. */
  readonly index: number
  readonly places: readonly RebuildPlace[]
}

export interface RebuildModules {
  readonly self: string
  readonly random: (length: number) => Uint8Array
  /** One part for each question, null where the helper does not help; rejects when it does not answer. */
  readonly ask: (
    helper: string,
    questions: readonly RepairQuestion[],
  ) => Promise<readonly (Uint8Array | null)[]>
}

export type Rebuilt = { readonly shard: Uint8Array } | { readonly code: RebuildFailure }
export type RebuildFailure = 'too_few_helpers' | 'helpers_disagree'

const PIECE_BYTES = 3 << 20
/** Of 5 helpers of which 3 are needed there are 10 choices; of more, these many are tried. */
const TRIES_MAX = 24

/** Who gave no part, by item. */
type Silent = Map<RebuildItem, Set<string>>

interface Attempt {
  readonly item: RebuildItem
  readonly helpers: readonly RebuildPlace[]
}

export class Rebuild {
  readonly #modules: RebuildModules
  readonly #liars = new Set<string>()

  constructor(modules: RebuildModules, avoid: readonly string[] = []) {
    this.#modules = modules
    for (const holder of avoid) this.#liars.add(holder)
  }

  /** Found out by this rebuild, and those that were to be avoided. */
  get liars(): readonly string[] {
    return [...this.#liars]
  }

  /** Shards that fit into one answer, in the order of the items. */
  async small(items: readonly RebuildItem[]): Promise<Rebuilt[]> {
    const results = new Map<RebuildItem, Rebuilt>()
    let left = items
    while (left.length > 0) {
      const silent: Silent = new Map()
      const attempts = left.flatMap((item) => this.#firstAttempt(item) ?? [])
      const sums = await this.#sums(attempts, silent)
      const wrong = new Map<RebuildItem, readonly RebuildPlace[]>()
      for (const [at, { item, helpers }] of attempts.entries()) {
        const sum = sums[at]
        if (sum === undefined) continue
        if (isShard(item.set, item.index, sum)) results.set(item, { shard: sum })
        else wrong.set(item, helpers)
      }
      // One is searched for; whoever it finds out is in the way of the others no more.
      left = left.filter((item) => !results.has(item))
      const [item, ...rest] = left
      if (item === undefined) break
      const known = this.#liars.size
      results.set(item, await this.#search(item, wrong.get(item), silent.get(item) ?? new Set()))
      left = rest
      if (this.#liars.size > known) continue
      for (const each of rest) {
        results.set(each, await this.#search(each, wrong.get(each), silent.get(each) ?? new Set()))
      }
      left = []
    }
    return items.map((item) => results.get(item) ?? { code: 'too_few_helpers' })
  }

  /**
   * A shard of many segments, piece by piece; `take` gets them in order. Undefined: they were the
   * shard. When they were not, the pieces count for nothing, and it begins again with other helpers.
   */
  async large(
    item: RebuildItem,
    take: { begin: () => Promise<void>; piece: (bytes: Uint8Array) => Promise<void> },
  ): Promise<RebuildFailure | undefined> {
    const silent = new Set<string>()
    const failed: (readonly RebuildPlace[])[] = []
    for (const helpers of this.#choices(item, silent)) {
      if (helpers.some(({ holder }) => silent.has(holder) || this.#liars.has(holder))) continue
      await take.begin()
      const outcome = await this.#pieces({ item, helpers }, take.piece, silent)
      if (outcome === 'shard') {
        this.#nameTheOne(failed, helpers)
        return undefined
      }
      if (outcome === 'wrong') failed.push(helpers)
    }
    return failed.length > 0 ? 'helpers_disagree' : 'too_few_helpers'
  }

  /** Other helpers until the sum is right. */
  async #search(
    item: RebuildItem,
    wrong: readonly RebuildPlace[] | undefined,
    silent: Set<string>,
  ): Promise<Rebuilt> {
    const failed = wrong === undefined ? [] : [wrong]
    for (const helpers of this.#choices(item, silent)) {
      if (helpers.some(({ holder }) => silent.has(holder) || this.#liars.has(holder))) continue
      if (failed.some((each) => areSame(each, helpers))) continue
      const [sum] = await this.#sums([{ item, helpers }], new Map([[item, silent]]))
      if (sum === undefined) continue
      if (isShard(item.set, item.index, sum)) {
        await this.#test(item, { good: helpers, failed, silent })
        return { shard: sum }
      }
      failed.push(helpers)
    }
    return { code: failed.length > 0 ? 'helpers_disagree' : 'too_few_helpers' }
  }

  /** Each helper of a wrong sum, beside helpers that are good. */
  async #test(
    item: RebuildItem,
    {
      good,
      failed,
      silent,
    }: {
      good: readonly RebuildPlace[]
      failed: readonly (readonly RebuildPlace[])[]
      silent: Set<string>
    },
  ): Promise<void> {
    const goodNames = new Set(good.map(({ holder }) => holder))
    const suspects = new Map(
      failed
        .flat()
        .flatMap((place) =>
          goodNames.has(place.holder) || this.#liars.has(place.holder)
            ? []
            : [[place.holder, place] as const],
        ),
    )
    for (const suspect of suspects.values()) {
      const helpers = [suspect, ...good.slice(1)]
      const [sum] = await this.#sums([{ item, helpers }], new Map([[item, silent]]))
      if (sum !== undefined && !isShard(item.set, item.index, sum)) this.#liars.add(suspect.holder)
    }
  }

  /** Of a large shard: only when there is no doubt, for a test costs as much as the shard. */
  #nameTheOne(failed: readonly (readonly RebuildPlace[])[], good: readonly RebuildPlace[]): void {
    const isGood = new Set(good.map(({ holder }) => holder))
    for (const helpers of failed) {
      const suspects = helpers.filter(({ holder }) => !isGood.has(holder))
      const [only] = suspects
      if (suspects.length === 1 && only !== undefined) this.#liars.add(only.holder)
    }
  }

  async #pieces(
    { item, helpers }: Attempt,
    take: (bytes: Uint8Array) => Promise<void>,
    silent: Set<string>,
  ): Promise<'shard' | 'wrong' | 'silent'> {
    const { set, index } = item
    const check = new ShardCheck(set)
    const step = Math.max(1, Math.floor(PIECE_BYTES / fragmentBytesOf(set, 0)))
    for (let from = 0; from < set.segmentCount; from += step) {
      const count = Math.min(step, set.segmentCount - from)
      const [sum] = await this.#sums([{ item, helpers }], new Map([[item, silent]]), {
        from,
        count,
      })
      if (sum === undefined) return 'silent'
      if (!check.push(sum)) return 'wrong'
      await take(sum)
    }
    return check.isShard(index) ? 'shard' : 'wrong'
  }

  #firstAttempt(item: RebuildItem): Attempt | undefined {
    const [helpers] = this.#choices(item, new Set())
    return helpers && { item, helpers }
  }

  *#choices(item: RebuildItem, silent: ReadonlySet<string>): Generator<readonly RebuildPlace[]> {
    const usable = item.places.filter(
      ({ holder, index }) =>
        index !== item.index && !silent.has(holder) && !this.#liars.has(holder),
    )
    let tries = 0
    for (const helpers of subsetsOf(usable, item.set.k)) {
      if (tries >= TRIES_MAX) return
      tries += 1
      yield helpers
    }
  }

  /** What the parts add up to, in the order of the attempts; undefined where a helper gave none. */
  async #sums(
    attempts: readonly Attempt[],
    silent: Silent,
    range?: { from: number; count: number },
  ): Promise<(Uint8Array | undefined)[]> {
    const questions = attempts.map(({ item, helpers }): RepairQuestion => {
      return {
        nonce: this.#modules.random(16),
        setId: item.setId,
        index: item.index,
        recipient: this.#modules.self,
        helpers: helpers.map(({ holder, index }) => ({ holder, index })),
        from: range?.from ?? 0,
        count: range?.count ?? item.set.segmentCount,
      }
    })
    const parts: Uint8Array[][] = attempts.map(() => [])
    const names = new Set(attempts.flatMap(({ helpers }) => helpers.map(({ holder }) => holder)))
    await Promise.all(
      Array.from(names, async (holder) => {
        const mine = [...attempts.keys()].filter((at) =>
          attempts[at]?.helpers.some((helper) => helper.holder === holder),
        )
        const asked = mine.flatMap((at) => questions[at] ?? [])
        const answers = await this.#modules.ask(holder, asked).catch(() => [])
        for (const [position, at] of mine.entries()) {
          const part = answers[position] ?? null
          const item = attempts[at]?.item
          if (part !== null) parts[at]?.push(part)
          else if (item !== undefined) addTo(silent, item, holder)
        }
      }),
    )
    return attempts.map(({ helpers }, at) => sumOf(parts[at] ?? [], helpers.length))
  }
}

function sumOf(parts: readonly Uint8Array[], count: number): Uint8Array | undefined {
  const [first] = parts
  if (first === undefined || parts.length !== count) return undefined
  return parts.every(({ length }) => length === first.length) ? sumOfParts(parts) : undefined
}

function addTo(silent: Silent, item: RebuildItem, holder: string): void {
  const known = silent.get(item) ?? new Set()
  known.add(holder)
  silent.set(item, known)
}

function areSame(a: readonly RebuildPlace[], b: readonly RebuildPlace[]): boolean {
  return a.length === b.length && a.every(({ holder }, at) => holder === b[at]?.holder)
}

function* subsetsOf<T>(items: readonly T[], size: number): Generator<T[]> {
  if (size === 0) {
    yield []
    return
  }
  for (const [at, first] of items.entries()) {
    for (const rest of subsetsOf(items.slice(at + 1), size - 1)) yield [first, ...rest]
  }
}
