// Any k good answers of the holders of a set, for several sets at a time, as soon as k are there.
//
// For each set k holders are asked, the rest stand by: one that fails, refuses, has no shard or has
// another one is replaced at once, one that is slow after a short while. What a slow one answers in the
// end still counts. Sets that want the same holder share a question.

import type { Clock } from './clock.ts'
import { cutToSize } from './cut-to-size.ts'

export interface ShardPlace {
  readonly holder: string
  readonly index: number
}

export interface Wanted<T> {
  readonly k: number
  /** Where its shards are, those to be asked first in front. */
  readonly places: readonly ShardPlace[]
  /** Size of one answer, by which questions are cut. */
  readonly bytes: number
  /** What the answer of one place is worth; undefined when it is not what the set says. */
  readonly check: (index: number, answer: T) => boolean
}

export interface Asked<T> {
  readonly wanted: Wanted<T>
  readonly index: number
}

export interface CollectHow<T> {
  readonly clock: Pick<Clock, 'after'>
  /** So long a holder may take before another one is asked as well. */
  readonly hedgeMs: number
  /** One answer for each, null where the holder has none; rejects when it cannot be asked. */
  readonly ask: (holder: string, items: readonly Asked<T>[]) => Promise<readonly (T | null)[]>
  readonly onBad: (fault: BadShard<T>) => void
  readonly signal: AbortSignal
}

export interface BadShard<T> {
  readonly wanted: Wanted<T>
  readonly place: ShardPlace
  readonly code: 'shard_missing' | 'shard_wrong'
}

export interface Collected<T> {
  readonly wanted: Wanted<T>
  /** k of them when it succeeded, fewer otherwise. */
  readonly good: ReadonlyMap<number, T>
  /** Why holders could not be asked, when too few were good. */
  readonly failures: readonly { readonly holder: string; readonly error: unknown }[]
}

/** The other side bounds a question and an answer. */
const ANSWER_MAX = { itemsMax: 64, bytesMax: 4 << 20 }

interface Collecting<T> {
  readonly wanted: Wanted<T>
  readonly good: Map<number, T>
  readonly failures: { holder: string; error: unknown }[]
  next: number
  /** Questions that are not late. */
  open: number
  /** All questions. */
  unanswered: number
}

export function collectShards<T>(
  wants: readonly Wanted<T>[],
  how: CollectHow<T>,
): Promise<Collected<T>[]> {
  const all = wants.map((wanted): Collecting<T> => {
    return { wanted, good: new Map(), failures: [], next: 0, open: 0, unanswered: 0 }
  })
  const { promise, resolve, reject } = Promise.withResolvers<Collected<T>[]>()
  const isSettled = (each: Collecting<T>): boolean =>
    each.good.size >= each.wanted.k ||
    (each.unanswered === 0 && each.next >= each.wanted.places.length)
  const goOn = (): void => {
    if (how.signal.aborted) return
    for (const [holder, asked] of nextQuestions(all)) ask(holder, asked)
    if (all.every((each) => isSettled(each))) resolve(all)
  }
  const ask = (holder: string, asked: readonly Question<T>[]): void => {
    let isLate = false
    const beLate = (): void => {
      if (isLate) return
      isLate = true
      for (const { collecting } of asked) collecting.open -= 1
    }
    const cancel = how.clock.after(how.hedgeMs, () => {
      beLate()
      goOn()
    })
    const items = asked.map(({ collecting, place: { index } }) => {
      return { wanted: collecting.wanted, index }
    })
    how
      .ask(holder, items)
      .then(
        (answers) => take(asked, answers, how.onBad),
        (error: unknown) => {
          for (const { collecting } of asked) collecting.failures.push({ holder, error })
        },
      )
      .then(() => {
        cancel()
        beLate()
        for (const { collecting } of asked) collecting.unanswered -= 1
        goOn()
      })
      .catch(reject)
  }
  const onAbort = (): void => reject(how.signal.reason)
  if (how.signal.aborted) onAbort()
  how.signal.addEventListener('abort', onAbort)
  goOn()
  return promise.finally(() => how.signal.removeEventListener('abort', onAbort))
}

interface Question<T> {
  readonly collecting: Collecting<T>
  readonly place: ShardPlace
}

/** What is to be asked now, by holder and cut to size; counts as open from here on. */
function nextQuestions<T>(all: readonly Collecting<T>[]): [string, Question<T>[]][] {
  const byHolder = new Map<string, Question<T>[]>()
  for (const collecting of all) {
    const { k, places } = collecting.wanted
    while (collecting.good.size + collecting.open < k) {
      const place = places[collecting.next]
      if (place === undefined) break
      collecting.next += 1
      collecting.open += 1
      collecting.unanswered += 1
      const questions = byHolder.get(place.holder) ?? []
      questions.push({ collecting, place })
      byHolder.set(place.holder, questions)
    }
  }
  return [...byHolder].flatMap(([holder, questions]) =>
    cutToSize(questions, ({ collecting: { wanted } }) => wanted.bytes, ANSWER_MAX).map(
      (part): [string, Question<T>[]] => [holder, part],
    ),
  )
}

function take<T>(
  asked: readonly Question<T>[],
  answers: readonly (T | null)[],
  onBad: CollectHow<T>['onBad'],
): void {
  for (const [at, { collecting, place }] of asked.entries()) {
    const { wanted, good } = collecting
    const answer = answers[at] ?? null
    if (answer === null) onBad({ wanted, place, code: 'shard_missing' })
    else if (!wanted.check(place.index, answer)) onBad({ wanted, place, code: 'shard_wrong' })
    else if (good.size < wanted.k) good.set(place.index, answer)
  }
}
