// What a custodian tells of the records it anchored: all but their content, which is at their holders.

import type { ApiHandlers, RecordAnswer, RecordQuery } from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import type { CustodianIndex, IndexEntry } from './custodian-index.ts'
import type { BatchAnchors } from './custody.ts'

export type RecordAnswers = Pick<ApiHandlers, 'records' | 'record'>

export interface RecordAnswerModules {
  index: Pick<CustodianIndex, 'list' | 'get'>
  anchors: BatchAnchors
}

const PAGE = 100
/** One request looks through so many; a rare type makes short pages, not slow ones. */
const LOOKED_THROUGH_MAX = 2_000

export function createRecordAnswers(modules: RecordAnswerModules): RecordAnswers {
  const { index, anchors } = modules
  return {
    records: (query) => listRecords(modules, query),
    record: (id) => {
      const record = index.get(fromHex(id))
      return Promise.resolve(record && answerOf(record, anchors))
    },
  }
}

async function listRecords(
  { index, anchors }: RecordAnswerModules,
  { before, limit, resourceType }: RecordQuery,
): Promise<{ items: RecordAnswer[]; next: number | null }> {
  const items: RecordAnswer[] = []
  let position = before
  let lookedThrough = 0
  while (lookedThrough < LOOKED_THROUGH_MAX) {
    const page = await index.list(position, Math.min(PAGE, resourceType === null ? limit : PAGE))
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

function answerOf(record: IndexEntry, anchors: BatchAnchors): RecordAnswer {
  const { metadata } = record
  const anchor = anchors.of(record.place)
  return {
    id: toHex(record.id),
    resourceType: metadata.resourceType,
    contentType: metadata.mediaType,
    size: metadata.rawBytes,
    class: metadata.facts.class,
    holders: record.status === 'received' ? null : record.holders.length - record.missing.length,
    status: anchor === null ? record.status : 'anchored',
    acceptedAt: new Date(metadata.receivedAt).toISOString(),
    transactionId: anchor === null ? null : toHex(anchor.transaction),
    height: anchor?.height ?? null,
  }
}
