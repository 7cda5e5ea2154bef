// The submissions of the recent past, and who waits until their records are anchored.
//
// Answers are kept for as long as somebody may ask: the oldest are forgotten when there are too
// many, unless somebody waits for them. Nothing of this survives the process; whoever submits the
// same bytes again gets the same records.

import { Refusal, type SubmittedRecordAnswer } from '@mooring/api'

interface Tracked {
  readonly answers: SubmittedRecordAnswer[]
  readonly waits: Set<() => void>
  open: number
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

  track(submission: string, answers: readonly SubmittedRecordAnswer[]): void {
    this.#forget(submission)
    const tracked: Tracked = {
      answers: answers.map((each) => ({ ...each })),
      waits: new Set(),
      open: 0,
    }
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
      if (this.#answers <= this.#answersMax || oldest === tracked) return
      if (oldest.waits.size === 0) this.#forget(name)
    }
  }

  anchored(ids: readonly string[], height: number): void {
    for (const id of ids) {
      for (const { tracked, answer } of this.#open.get(id) ?? []) {
        Object.assign(answer, { status: 'anchored', height })
        tracked.open -= 1
        if (tracked.open === 0) endWaits(tracked)
      }
      this.#open.delete(id)
    }
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
    for (const tracked of this.#tracked.values()) endWaits(tracked)
  }

  #forget(submission: string): void {
    const tracked = this.#tracked.get(submission)
    if (tracked === undefined) return
    this.#tracked.delete(submission)
    this.#answers -= tracked.answers.length
    if (tracked.open === 0 || tracked.waits.size > 0) return
    for (const { id } of tracked.answers) {
      const others = this.#open.get(id)?.filter((each) => each.tracked !== tracked) ?? []
      if (others.length === 0) this.#open.delete(id)
      else this.#open.set(id, others)
    }
  }
}

function endWaits({ waits }: Tracked): void {
  for (const end of waits) end()
}
