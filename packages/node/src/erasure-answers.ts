// What the API answers about erasing, holding and amending records.

import {
  type Amendment as AmendmentAnswer,
  type Erasure as ErasureAnswer,
  type ErasureHandlers,
  Refusal,
} from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import type { Amendment } from '@mooring/records'
import type { Amendments } from './amendments.ts'
import type { Erasure } from './erasure-state.ts'
import type { Erasures } from './erasures.ts'

export interface ErasureAnswersModules {
  readonly erasures: Erasures
  readonly amendments: Amendments
  readonly accountOf: (record: Uint8Array) => Uint8Array | undefined
  readonly referenceOf: (patientKey: Uint8Array) => string | undefined
}

export function createErasureAnswers(modules: ErasureAnswersModules): ErasureHandlers {
  const { erasures, amendments, referenceOf } = modules
  return {
    erase: async (record, reason) => {
      const id = fromHex(record)
      return answerOf(id, await erasures.request({ id, reason, by: 'custodian' }))
    },
    erasure: (record) => {
      const id = fromHex(record)
      const found = erasures.get(id)
      return found && answerOf(id, found)
    },
    erasures: async ({ after, limit }) => {
      const found = await erasures.list(after === null ? null : fromHex(after), limit)
      const last = found.at(-1)
      const items = found.map(({ key, value }) => answerOf(key, value))
      return { items, next: last === undefined || found.length < limit ? null : toHex(last.key) }
    },
    hold: async (record, reason) => {
      const hold = await erasures.hold(fromHex(record), reason)
      return { record, reason: hold.reason, since: timeOf(hold.since) }
    },
    release: async (record) => {
      const id = fromHex(record)
      const erasure = await erasures.release(id)
      return { record, erasure: erasure && answerOf(id, erasure) }
    },
    requestErasure: async ({ patientKey, delegation }, record) => {
      if (delegation?.kind === 'device') {
        throw new Refusal(
          'device_erases_nothing',
          'This device acts for the patient, but not in that.',
        )
      }
      const id = ownRecord(modules, patientKey, record)
      return answerOf(id, await erasures.request({ id, reason: 'patient_request', by: 'patient' }))
    },
    ownErasures: async ({ patientKey }) => {
      const reference = referenceOf(patientKey)
      const found = reference === undefined ? [] : await erasures.ofReference(reference)
      return found.map(({ key, value }) => answerOf(key, value))
    },
    withdraw: async (record) => {
      const id = fromHex(record)
      return answerOf(id, await erasures.lift(id))
    },
    liftRestriction: async ({ patientKey }, record) => {
      const id = ownRecord(modules, patientKey, record)
      return answerOf(id, await erasures.lift(id))
    },
    requestAmendment: async ({ patientKey }, { record, request }) =>
      amendmentOf(await amendments.request(patientKey, fromHex(record), request)),
    ownAmendments: async ({ patientKey }) => (await amendments.of(patientKey)).map(amendmentOf),
    amendments: async (query) => (await amendments.list(query)).map(amendmentOf),
    answerAmendment: async (id, { outcome, reason, correction }) => {
      const record = correction === null ? null : fromHex(correction)
      const reply = { outcome, reason, correction: record }
      return amendmentOf(await amendments.answer(fromHex(id), reply))
    },
  }
}

/** What was erased is still its patient's, though the record itself is gone. */
function ownRecord(
  { erasures, accountOf, referenceOf }: ErasureAnswersModules,
  patientKey: Uint8Array,
  record: string,
): Uint8Array {
  const id = fromHex(record)
  const account = accountOf(id)
  const own = referenceOf(patientKey)
  const reference = account === undefined ? erasures.get(id)?.reference : referenceOf(account)
  if (own === undefined || reference !== own)
    throw new Refusal('unknown_record', 'This patient has no such record here.')
  return id
}

const STATUS = {
  restricted: 'restricted',
  lifted: 'lifting',
  ordered: 'ordered',
  erased: 'erased',
} as const

function answerOf(id: Uint8Array, erasure: Erasure): ErasureAnswer {
  const { stage, by, reason, requestedAt, waiting, receipts } = erasure
  const refused = stage.kind === 'restricted' ? stage.body : null
  return {
    record: toHex(id),
    class: erasure.class,
    status: STATUS[stage.kind],
    by,
    reason,
    requestedAt: timeOf(requestedAt),
    code: refused?.code ?? null,
    until: refused === null || refused.until === null ? null : timeOf(refused.until),
    tombstone: stage.kind === 'erased' ? tombstoneOf(stage.body) : null,
    deletions: receipts.map(({ content: { holder, shards, height }, signature }) => {
      return { holder, shards: [...shards], height, signature: toHex(signature) }
    }),
    waiting: [...waiting],
  }
}

function tombstoneOf({
  item,
  batchRoot,
  height,
  transaction,
  erasedAt,
}: Extract<Erasure['stage'], { kind: 'erased' }>['body']): ErasureAnswer['tombstone'] {
  return {
    item: toHex(item),
    batchRoot: toHex(batchRoot),
    height,
    transactionId: transaction && toHex(transaction),
    erasedAt: timeOf(erasedAt),
  }
}

function amendmentOf({ id, record, request, requestedAt, answer }: Amendment): AmendmentAnswer {
  const asked = { id: toHex(id), record: toHex(record), request, requestedAt: timeOf(requestedAt) }
  if (answer === null) return { ...asked, answer }
  const { outcome, reason, correction, answeredAt } = answer
  const told = { outcome, reason, correction: correction && toHex(correction) }
  return { ...asked, answer: { ...told, answeredAt: timeOf(answeredAt) } }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
