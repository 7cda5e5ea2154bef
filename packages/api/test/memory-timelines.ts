/** Timelines of the node in memory: three records, one access, and questions that are kept. */

import { toHex } from '@mooring/codec'
import type { PatientCaller } from '../src/patient-handlers.ts'
import type { Question, TimelineItem, Trace } from '../src/timeline-answers.ts'
import type { SequencePage, TimelineHandlers, TraceQuery } from '../src/timeline-handlers.ts'
import type { RecordContent } from '../src/vault-handlers.ts'
import { digestOf, timeOf } from './memory-vault.ts'

export const RECORDS: readonly TimelineItem[] = [1, 2, 3].map((sequence) => ({
  id: digestOf(`timeline ${sequence}`),
  custodian: 'st-mary',
  sequence,
  state: sequence === 2 ? 'erased' : 'kept',
  class: sequence === 2 ? '' : 'general',
  resourceType: sequence === 2 ? null : 'Observation',
  resourceId: null,
  versionId: null,
  fullUrl: null,
  contentType: 'application/fhir+json',
  size: 100,
  eventAt: '2020-02',
  receivedAt: timeOf(sequence),
  supersedes: null,
  mistake: false,
  place: {
    anchor: digestOf('anchor'),
    height: 3,
    blockTime: timeOf(9),
    index: sequence,
    path: [digestOf('sibling')],
  },
  opening: null,
}))

export const ANCHORS = [{ transaction: digestOf('anchor'), proof: 'AAAA' }]

export const TRACE: Trace = {
  leaf: digestOf('leaf'),
  request: {
    id: '00'.repeat(16),
    reader: 'riverside',
    purpose: 'TREAT',
    grant: null,
    sets: [digestOf('set')],
  },
  refusal: null,
  entry: { nonce: '00'.repeat(16), custodian: 'st-mary', sealed: 'AAAA' },
  opened: null,
  at: [{ holder: 'lakeview', time: timeOf(4), served: 1, height: null }],
}

export class MemoryTimelines implements TimelineHandlers {
  readonly asked: Question[] = []
  readonly grants: string[] = []

  own({ patientKey }: PatientCaller, { after, limit }: SequencePage) {
    const items = RECORDS.slice(after, after + limit)
    const last = items.at(-1)?.sequence ?? RECORDS.length
    return Promise.resolve({
      head: after === 0 ? toHex(patientKey) : null,
      items,
      anchors: ANCHORS,
      entry: null,
      next: last < RECORDS.length ? last : null,
    })
  }

  content(_caller: PatientCaller, id: string): Promise<RecordContent | undefined> {
    if (id !== RECORDS[0]?.id) return Promise.resolve(undefined)
    const bytes = new TextEncoder().encode('{"a":1}')
    // oxlint-disable-next-line require-await -- an array as an asynchronous iterable
    async function* body() {
      yield bytes
    }
    return Promise.resolve({
      contentType: 'application/fhir+json',
      size: bytes.length,
      body: body(),
      entry: digestOf('entry'),
      anchored: { isAnchored: true, height: 3 },
      badHolders: [],
    })
  }

  granted({ grant, after, limit }: Parameters<TimelineHandlers['granted']>[0]) {
    this.grants.push(grant)
    const start = after === null ? 0 : 1 + RECORDS.findIndex(({ id }) => id === after)
    const items = RECORDS.slice(start, start + limit)
    const last = items.at(-1)
    const next = start + limit < RECORDS.length ? (last?.id ?? null) : null
    return Promise.resolve({ head: null, items, anchors: ANCHORS, entry: digestOf('e'), next })
  }

  traces(_caller: PatientCaller, { after }: TraceQuery) {
    const items = after === null ? [TRACE] : []
    return Promise.resolve({
      items,
      silent: ['hillside'],
      next: after === null ? TRACE.leaf : null,
    })
  }

  ask({ delegation }: PatientCaller, { access, question }: { access: string; question: string }) {
    const asked: Question = {
      id: toHex(new Uint8Array(16).fill(this.asked.length + 1)),
      access,
      question,
      askedAt: timeOf(5),
      by: delegation?.role ?? null,
      answer: null,
      answeredAt: null,
      patient: null,
      reader: 'riverside',
    }
    this.asked.push(asked)
    return Promise.resolve(asked)
  }

  questions() {
    return Promise.resolve(this.asked)
  }

  allQuestions({ isOpen }: { isOpen: boolean }) {
    return Promise.resolve(this.asked.filter(({ answer }) => !isOpen || answer === null))
  }

  answer(id: string, answer: string) {
    const at = this.asked.findIndex((each) => each.id === id)
    const question = this.asked[at]
    if (question === undefined) return Promise.resolve(undefined)
    const answered = { ...question, answer, answeredAt: timeOf(6) }
    this.asked[at] = answered
    return Promise.resolve(answered)
  }

  accounting(patient: string) {
    const items = [
      {
        access: digestOf('leaf'),
        time: timeOf(4),
        recipient: 'riverside',
        purpose: 'TREAT',
        grant: null,
        records: [{ id: digestOf('timeline 1'), class: 'general', resourceType: 'Observation' }],
        unknown: 0,
        holders: ['lakeview'],
      },
    ]
    return Promise.resolve({ organisation: 'st-mary', patient, items, silent: [] })
  }
}
