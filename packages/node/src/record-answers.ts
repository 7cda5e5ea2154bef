// What a custodian tells of the records it keeps: the reading part of the API that is about records.

import type { ApiHandlers, RecordAnswer, RecordQuery } from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import type { PrivateRecord, PrivateStore } from '@mooring/storage'
import { type BatchAnchors, decodeRecord } from './custody.ts'

export type RecordAnswers = Pick<ApiHandlers, 'records' | 'record' | 'recordContent'>

export interface RecordAnswerModules {
  store: Pick<PrivateStore, 'list' | 'getRecord' | 'getRaw'>
  anchors: BatchAnchors
}

const PAGE = 100
/** One request looks through so many; a rare type makes short pages, not slow ones. */
const LOOKED_THROUGH_MAX = 2_000

export function createRecordAnswers(modules: RecordAnswerModules): RecordAnswers {
  const { store, anchors } = modules
  return {
    records: (query) => listRecords(modules, query),
    record: (id) => {
      const record = store.getRecord(fromHex(id))
      return Promise.resolve(record && answerOf(record, anchors))
    },
    recordContent: async ({ id }) => {
      const record = store.getRecord(fromHex(id))
      if (record === undefined) return undefined
      const bytes = await store.getRaw(record.id)
      if (bytes === undefined) throw new Error('a record without its bytes')
      const { mediaType: contentType } = decodeRecord(record).entry
      return { body: inOne(bytes), size: bytes.length, contentType, entry: null, badHolders: [] }
    },
  }
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function listRecords(
  { store, anchors }: RecordAnswerModules,
  { before, limit, resourceType }: RecordQuery,
): Promise<{ items: RecordAnswer[]; next: number | null }> {
  const items: RecordAnswer[] = []
  let position = before
  let lookedThrough = 0
  while (lookedThrough < LOOKED_THROUGH_MAX) {
    const page = await store.list(position, Math.min(PAGE, resourceType === null ? limit : PAGE))
    for (const record of page) {
      const answer = answerOf(record, anchors)
      position = record.arrival
      if (resourceType === null || answer.resourceType === resourceType) items.push(answer)
      if (items.length === limit) return { items, next: position > 1 ? position : null }
    }
    const isEnd = page.at(-1)?.arrival === 1 || page.length === 0
    if (isEnd) return { items, next: null }
    lookedThrough += page.length
  }
  return { items, next: position }
}

function answerOf(record: PrivateRecord, anchors: BatchAnchors): RecordAnswer {
  const { entry, size } = decodeRecord(record)
  const anchor = anchors.of(record.place)
  const kept = record.place === null ? 'accepted' : 'batched'
  return {
    id: toHex(record.id),
    resourceType: entry.resourceType,
    contentType: entry.mediaType,
    size,
    class: null,
    holders: null,
    status: anchor === null ? kept : 'anchored',
    acceptedAt: new Date(entry.receivedAt).toISOString(),
    transactionId: anchor === null ? null : toHex(anchor.transaction),
    height: anchor?.height ?? null,
  }
}
