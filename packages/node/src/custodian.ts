// The custodian: takes what hospital systems submit, keeps it, and sees to it that it is anchored.
//
// "Accepted" is said when the whole submission is on the disk, every record with the secret that opens
// its commitment. The same bytes are one record, however often and however close together they are
// sent. What a submission says about people is in the answer to its sender and in the private store,
// and nowhere else.

import type {
  ApiHandlers,
  RecordSubmission,
  SubmissionOutcome,
  SubmittedRecordAnswer,
} from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { type NewRecord, type PrivateStore, StorageError } from '@mooring/storage'
import { Anchoring, type AnchoringModules, type AnchoringOptions } from './anchoring.ts'
import { BatchAnchors, decodeRecord } from './custody.ts'
import { createRecordAnswers, type RecordAnswers } from './record-answers.ts'
import type { Metrics } from './metrics.ts'
import { readRecords, type ReadRecords } from './record-reader.ts'
import { SubmissionDoor } from './submission-door.ts'
import { SubmissionWaits } from './submission-waits.ts'
import { runInSlices } from './time-slices.ts'

export interface CustodianOptions extends Omit<AnchoringOptions, 'tickMs'> {
  /** From loadLocalSecret. */
  secret: Uint8Array
  anchorTickMs?: number
}

export interface CustodianModules
  extends Omit<AnchoringModules, 'store' | 'anchors' | 'onBatched' | 'onAnchored'> {
  store: PrivateStore
  metrics: AnchoringModules['metrics'] & Pick<Metrics, 'anchorDelay'>
  /** Records moved on, several at once. Ids only: what they are about stays here. */
  onRecords: (change: RecordsChange) => void
}

export interface RecordsChange {
  readonly status: 'accepted' | 'batched' | 'anchored'
  readonly records: readonly string[]
  readonly height: number | null
}

export interface Custodian
  extends RecordAnswers,
    Pick<ApiHandlers, 'submitRecords' | 'waitForRecords'> {
  /** Goes on where an earlier run stopped; the mempool has its own transactions back by then. */
  start(): Promise<void>
  /** Lets submissions under way come to their end. */
  close(): Promise<void>
  /** Pending ones are accepted and not yet anchored. */
  counts(): { accepted: number; anchored: number; pending: number }
  /** Whether anchors are still to be looked for in blocks that came before. */
  needsBlocks(): boolean
}

/** A record of a submission under the id it has: a new one, or that of the same bytes earlier. */
interface Taken extends Pick<SubmittedRecordAnswer, 'id' | 'resourceType' | 'entry'> {
  readonly isNew: boolean
}

interface Intake {
  options: CustodianOptions
  modules: CustodianModules
  anchors: BatchAnchors
  waits: SubmissionWaits
  anchoring: Anchoring
}

const ANCHOR_TICK_MS = 2_000

export function createCustodian(options: CustodianOptions, modules: CustodianModules): Custodian {
  const { store, onRecords } = modules
  const anchors = new BatchAnchors(store)
  const waits = new SubmissionWaits()
  const door = new SubmissionDoor()
  const anchoring = new Anchoring(
    { ...options, tickMs: options.anchorTickMs ?? ANCHOR_TICK_MS },
    {
      ...modules,
      anchors,
      onBatched: (records) => onRecords({ status: 'batched', records, height: null }),
      onAnchored: async (records, height) => {
        waits.anchored(records, height)
        onRecords({ status: 'anchored', records, height })
        await observeDelays(modules, records)
      },
    },
  )
  const intake: Intake = { options, modules, anchors, waits, anchoring }
  return {
    ...createRecordAnswers({ store, anchors }),
    submitRecords: (submission) => door.enter(() => takeSubmission(intake, submission)),
    waitForRecords: (submission, signal) => waits.wait(submission, signal),
    start: () => anchoring.start(),
    close: async () => {
      waits.close()
      await door.close()
      await anchoring.close()
    },
    counts: () => {
      const pending = store.waiting + anchoring.inOpenBatches
      return { accepted: store.size, anchored: store.size - pending, pending }
    },
    needsBlocks: () => anchoring.needsBlocks(),
  }
}

async function observeDelays(
  { clock, store, metrics }: CustodianModules,
  records: readonly string[],
): Promise<void> {
  const now = clock.wall()
  await runInSlices(records.values(), (id) => {
    const record = store.getRecord(fromHex(id))
    if (record === undefined) throw new Error('a record of a batch is not in the private store')
    const { entry } = decodeRecord(record)
    metrics.anchorDelay.observe(Math.max(0, now - entry.receivedAt) / 1_000)
  })
}

async function takeSubmission(
  intake: Intake,
  { bytes, format, contentType, isPartial }: RecordSubmission,
): Promise<SubmissionOutcome> {
  const { clock, metrics } = intake.modules
  const read = await readRecords(bytes, {
    format,
    isPartial,
    mediaType: contentType,
    receivedAt: clock.wall(),
    secret: intake.options.secret,
  })
  const submission = toHex(read.submission)
  const problems = [...read.problems]
  metrics.records.inc({ kind: 'fhir', result: 'refused' }, problems.length)
  if (read.records.length === 0) return { submission, records: [], problems }
  const taken = await keep(intake.modules.store, bytes, read)
  return { submission, records: await answersOf(intake, submission, taken), problems }
}

/** One for each record that was read, in its order; all are durable when this resolves. */
async function keep(
  store: PrivateStore,
  bytes: Uint8Array,
  { records }: ReadRecords,
): Promise<Taken[]> {
  while (true) {
    const taken: Taken[] = []
    const named = new Map<string, Pick<Taken, 'id' | 'isNew'>>()
    const fresh: NewRecord[] = []
    await runInSlices(records.values(), (record) => {
      const { id, dedupeKey, metadata, start, end, resourceType, entry } = record
      const name = toHex(dedupeKey)
      let known = named.get(name)
      if (known === undefined) {
        const earlier = store.findByDedupeKey(dedupeKey)
        known = { id: toHex(earlier ?? id), isNew: earlier === undefined }
        named.set(name, known)
        const raw = bytes.subarray(start, end)
        if (known.isNew) fresh.push({ id, dedupeKey, metadata, raw })
      }
      taken.push({ ...known, resourceType, entry })
    })
    if (fresh.length === 0) return taken
    try {
      await store.putSubmission(fresh)
      return taken
    } catch (error) {
      // Another submission brought the same bytes meanwhile: now they are found.
      if (!(error instanceof StorageError && error.code === 'duplicate')) throw error
    }
  }
}

async function answersOf(
  { modules, anchors, waits, anchoring }: Intake,
  submission: string,
  taken: readonly Taken[],
): Promise<SubmittedRecordAnswer[]> {
  const { store, metrics, onRecords } = modules
  const answers = taken.map(({ isNew, ...record }): SubmittedRecordAnswer => {
    return { ...record, status: isNew ? 'accepted' : 'known', height: null }
  })
  waits.track(submission, answers)
  const known = answers.filter(({ status }) => status === 'known')
  await runInSlices(known.values(), (answer) => {
    const record = store.getRecord(fromHex(answer.id))
    const anchor = record === undefined ? null : anchors.of(record.place)
    if (anchor === null) return
    answer.height = anchor.height
    waits.anchored([answer.id], anchor.height)
  })
  const added = new Set(taken.filter(({ isNew }) => isNew).map(({ id }) => id))
  metrics.records.inc({ kind: 'fhir', result: 'accepted' }, added.size)
  metrics.records.inc({ kind: 'fhir', result: 'known' }, known.length)
  if (added.size > 0) onRecords({ status: 'accepted', records: [...added], height: null })
  anchoring.added()
  return answers
}
