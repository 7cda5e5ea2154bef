/**
 * The same Idempotency-Key never submits twice (draft-ietf-httpapi-idempotency-key-header-07).
 *
 * A key is bound to a fingerprint of its first request: another request under it is refused, the same
 * one finds the outcome here, and while the first still runs the second is told so. What is kept is
 * the outcome of the submission, not the HTTP answer: who asks again may wait for finality, and then
 * reads how far the records have come since. A refusal is not kept, it would be the same again.
 *
 * Entries live 24 hours; the oldest leave early when there are too many of them or their outcomes grow
 * too large, and then a repetition is an ordinary request again. Nothing of this survives a restart.
 */

import { ApiError } from './errors.ts'
import type { SubmissionOutcome } from './handlers.ts'

export interface IdempotencyLimits {
  lifetimeMs: number
  entriesMax: number
  recordsMax: number
}

/** Of a request that is read as it arrives it is known only after all of it has been read. */
export type Fingerprint = string | (() => Promise<string>)

interface Entry {
  fingerprint: string | null
  expiresAt: number
  outcome: SubmissionOutcome | null
}

const RUNNING_RETRY_MS = 1_000

export class IdempotencyKeys {
  readonly #limits: IdempotencyLimits
  /** In the order of arrival, which is the order of expiry. */
  readonly #entries = new Map<string, Entry>()
  #records = 0

  constructor(limits: IdempotencyLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  /** Runs `work` unless this key has run it before; `now` is monotonic milliseconds. */
  async once(
    key: string,
    fingerprint: Fingerprint,
    now: number,
    work: () => Promise<SubmissionOutcome>,
  ): Promise<SubmissionOutcome> {
    this.#expire(now)
    const earlier = this.#entries.get(key)
    if (earlier !== undefined) return outcomeAgain(earlier, fingerprint)
    const early = typeof fingerprint === 'string' ? fingerprint : null
    const expiresAt = now + this.#limits.lifetimeMs
    const entry: Entry = { fingerprint: early, expiresAt, outcome: null }
    this.#entries.set(key, entry)
    let outcome: SubmissionOutcome
    try {
      outcome = await work()
      if (typeof fingerprint === 'function') entry.fingerprint = await fingerprint()
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
    if (this.#entries.get(key) === entry) this.#keep(entry, outcome)
    return outcome
  }

  #keep(entry: Entry, outcome: SubmissionOutcome): void {
    entry.outcome = outcome
    this.#records += sizeOf(entry)
    for (const [key, oldest] of this.#entries) {
      if (this.#records <= this.#limits.recordsMax) return
      this.#forget(key, oldest)
    }
  }

  #expire(now: number): void {
    for (const [key, oldest] of this.#entries) {
      const hasRoom = this.#entries.size < this.#limits.entriesMax
      if (hasRoom && oldest.expiresAt > now) return
      this.#forget(key, oldest)
    }
  }

  #forget(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#records -= sizeOf(entry)
  }
}

function sizeOf({ outcome }: Entry): number {
  return outcome === null ? 0 : outcome.records.length + outcome.problems.length
}

async function outcomeAgain(entry: Entry, fingerprint: Fingerprint): Promise<SubmissionOutcome> {
  const isRunning = entry.outcome === null
  const isSame =
    typeof fingerprint === 'string' || !isRunning
      ? entry.fingerprint === (await fingerprintOf(fingerprint))
      : entry.fingerprint === null
  if (!isSame) {
    throw new ApiError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before. Use a new key for a new one.',
    )
  }
  if (entry.outcome === null) {
    throw new ApiError('idempotency_in_flight', 'The first request with this key still runs.', {
      retryAfterMs: RUNNING_RETRY_MS,
    })
  }
  return entry.outcome
}

async function fingerprintOf(fingerprint: Fingerprint): Promise<string> {
  return typeof fingerprint === 'string' ? fingerprint : fingerprint()
}
