// The submissions of the recent past, and who waits until their records are anchored.
//
// Answers are kept for as long as somebody may ask: the oldest are forgotten when there are too
// many, unless somebody waits for them. Nothing of this survives the process; whoever submits the
// same bytes again gets the same records.

import { Refusal, type SubmittedRecordAnswer } from '@mooring/api'

/** A submission and how far its records are. */
export interface Tracked {
  readonly answers: SubmittedRecordAnswer[]
  readonly waits: Set<() => void>
  open: number
  /** Answers that still say `received`. */
  received: number
  readonly accepted: PromiseWithResolvers<void>
}

const ANSWERS_MAX = 200_000

export class SubmissionWaits {
  readonly #tracked = new Map<string, Tracked>()
  /** Answers that change when the record of that id is anchored. */
  readonly #open = new Map<string, { tracked: Tracked; answer: SubmittedRecordAnswer }[]>()
  readonly #answersMax: number
  #answers = 0
  #isClosed = false

  constructor(answersMax = ANSWERS_MAX) {
    this.#answersMax = answersMax
  }

  /** How many answers are kept. */
  get size(): number {
    return this.#answers
  }

  track(submission: string, answers: readonly SubmittedRecordAnswer[]): Tracked {
    this.#forget(submission)
    const tracked: Tracked = {
      answers: answers.map((each) => ({ ...each })),
      waits: new Set(),
      open: 0,
      received: answers.filter(({ status }) => status === 'received').length,
      accepted: Promise.withResolvers(),
    }
    if (tracked.received === 0 || this.#isClosed) tracked.accepted.resolve()
    for (const answer of tracked.answers) {
      if (answer.height !== null) continue
      tracked.open += 1
      const others = this.#open.get(answer.id)
      if (others === undefined) this.#open.set(answer.id, [{ tracked, answer }])
      else others.push({ tracked, answer })
    }
    this.#tracked.set(submission, tracked)
    this.#answers += answers.length
    for (const [name, oldest] of this.#tracked) {
      if (this.#answers <= this.#answersMax || oldest === tracked) break
      if (oldest.waits.size === 0) this.#forget(name)
    }
    return tracked
  }

  accepted(ids: readonly string[]): void {
    for (const id of ids)
      for (const { tracked, answer } of this.#open.get(id) ?? []) countAccepted(tracked, answer)
  }

  anchored(ids: readonly string[], height: number): void {
    for (const id of ids) {
      for (const { tracked, answer } of this.#open.get(id) ?? []) {
        countAccepted(tracked, answer)
        if (answer.status !== 'known') answer.status = 'anchored'
        answer.height = height
        tracked.open -= 1
        if (tracked.open === 0) endWaits(tracked)
      }
      this.#open.delete(id)
    }
  }

  /** When all are accepted, or as far as they came until the other promise. */
  async untilAccepted(tracked: Tracked, until: Promise<void>): Promise<SubmittedRecordAnswer[]> {
    await Promise.race([tracked.accepted.promise, until])
    return tracked.answers.map((answer) => ({ ...answer }))
  }

  /** When all are anchored, or as far as they came at the abort. */
  async wait(submission: string, signal: AbortSignal): Promise<SubmittedRecordAnswer[]> {
    const tracked = this.#tracked.get(submission)
    if (tracked === undefined) {
      const detail = 'Too much was submitted since. Ask for its records one by one.'
      throw new Refusal('unknown_submission', detail)
    }
    if (tracked.open > 0 && !signal.aborted && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>()
      tracked.waits.add(resolve)
      const onAbort = () => resolve()
      signal.addEventListener('abort', onAbort)
      await promise
      signal.removeEventListener('abort', onAbort)
      tracked.waits.delete(resolve)
    }
    return tracked.answers.map((answer) => ({ ...answer }))
  }

  /** Ends all waits, as if their signals had come. */
  close(): void {
    this.#isClosed = true
    for (const tracked of this.#tracked.values()) {
      tracked.accepted.resolve()
      endWaits(tracked)
    }
  }

  #forget(submission: string): void {
    const tracked = this.#tracked.get(submission)
    if (tracked === undefined) return
    this.#tracked.delete(submission)
    this.#answers -= tracked.answers.length
    if (tracked.open === 0 || tracked.waits.size > 0 || tracked.received > 0) return
    for (const { id } of tracked.answers) {
      const others = this.#open.get(id)?.filter((each) => each.tracked !== tracked) ?? []
      if (others.length === 0) this.#open.delete(id)
      else this.#open.set(id, others)
    }
  }
}

function countAccepted(tracked: Tracked, answer: SubmittedRecordAnswer): void {
  if (answer.status !== 'received') return
  answer.status = 'accepted'
  tracked.received -= 1
  if (tracked.received === 0) tracked.accepted.resolve()
}

function endWaits({ waits }: Tracked): void {
  for (const end of waits) end()
}
