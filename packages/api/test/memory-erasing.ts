/** Erasing of the node in memory: one record is restricted, and the others are erased when asked. */

import type { Amendment, Erasure } from '../src/erasure-answers.ts'
import type { ErasureHandlers } from '../src/erasure-handlers.ts'
import { Refusal } from '../src/errors.ts'
import { digestOf, timeOf } from './memory-vault.ts'

export const ERASED: Erasure = {
  record: digestOf('erased record'),
  class: 'general',
  status: 'erased',
  by: 'custodian',
  reason: 'entered_in_error',
  requestedAt: timeOf(1),
  code: null,
  until: null,
  tombstone: {
    item: digestOf('item'),
    batchRoot: digestOf('root'),
    height: 3,
    transactionId: digestOf('tombstone'),
    erasedAt: timeOf(2),
  },
  deletions: [{ holder: 'county', shards: [2], height: 3, signature: 'ab'.repeat(64) }],
  waiting: ['lakeview'],
}

export const AMENDMENT: Amendment = {
  id: 'ab'.repeat(16),
  record: digestOf('record'),
  request: 'The dose is wrong.',
  requestedAt: timeOf(1),
  answer: null,
}

export class MemoryErasing implements ErasureHandlers {
  readonly #erased = new Map<string, Erasure>([[ERASED.record, ERASED]])
  amendment = AMENDMENT

  erase(record: string, reason: Erasure['reason']): Promise<Erasure> {
    const erased = { ...ERASED, record, reason }
    this.#erased.set(record, erased)
    return Promise.resolve(erased)
  }

  withdraw(record: string): Promise<Erasure> {
    return Promise.resolve({ ...ERASED, record, status: 'lifting', tombstone: null })
  }

  erasure(record: string): Erasure | undefined {
    return this.#erased.get(record)
  }

  erasures({ after }: { after: string | null }) {
    const items = after === null ? [ERASED] : []
    return Promise.resolve({ items, next: after === null ? ERASED.record : null })
  }

  hold(record: string, reason: string) {
    return Promise.resolve({ record, reason, since: timeOf(1) })
  }

  release(record: string) {
    return Promise.resolve({ record, erasure: null })
  }

  requestErasure(): Promise<Erasure> {
    const detail = 'The law keeps this record until 2036-01-01T00:00:00.000Z.'
    return Promise.reject(new Refusal('retention_applies', detail))
  }

  ownErasures() {
    return Promise.resolve([ERASED])
  }

  liftRestriction() {
    return Promise.resolve({ ...ERASED, status: 'lifting' as const, tombstone: null })
  }

  requestAmendment(_caller: unknown, { record, request }: { record: string; request: string }) {
    this.amendment = { ...AMENDMENT, record, request }
    return Promise.resolve(this.amendment)
  }

  ownAmendments() {
    return Promise.resolve([this.amendment])
  }

  amendments({ all }: { all: boolean }) {
    return Promise.resolve(all || this.amendment.answer === null ? [this.amendment] : [])
  }

  answerAmendment(id: string, answer: Parameters<ErasureHandlers['answerAmendment']>[1]) {
    this.amendment = { ...this.amendment, id, answer: { ...answer, answeredAt: timeOf(3) } }
    return Promise.resolve(this.amendment)
  }
}
