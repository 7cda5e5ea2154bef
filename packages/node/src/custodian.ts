// The custodian: takes what hospital systems submit, keeps it, and sees to it that it is anchored.
//
// "Accepted" is said when the whole submission is on the disk, every record with the secret that opens
// its commitment. The same bytes are one record, however often and however close together they are
// sent. What a submission says about people is in the answer to its sender and in the private store,
// and nowhere else.

import type { ApiHandlers, RecordSubmission, SubmissionOutcome } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { type NewRecord, type PrivateStore, StorageError } from '@mooring/storage'
import { Anchoring, type AnchoringModules, type AnchoringOptions } from './anchoring.ts'
import { BatchAnchors } from './custody.ts'
import { createRecordAnswers, type RecordAnswers } from './record-answers.ts'
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
}

/** A record of a submission: as it was read, or the earlier one of the same bytes. */
interface Taken {
  readonly id: Uint8Array
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
      onAnchored: (records, height) => {
        waits.anchored(records, height)
        onRecords({ status: 'anchored', records, height })
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
    counts: () => anchoring.counts(),
  }
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
  return { submission, records: await answersOf(intake, read, taken), problems }
}

/** By deduplication key, in the order of the submission; durable when this resolves. */
async function keep(
  store: PrivateStore,
  bytes: Uint8Array,
  { records }: ReadRecords,
): Promise<Map<string, Taken>> {
  while (true) {
    const taken = new Map<string, Taken>()
    const fresh: NewRecord[] = []
    await runInSlices(records.values(), ({ id, dedupeKey, metadata, start, end }) => {
      const name = toHex(dedupeKey)
      if (taken.has(name)) return
      const earlier = store.findByDedupeKey(dedupeKey)
      taken.set(name, { id: earlier ?? id, isNew: earlier === undefined })
      if (earlier !== undefined) return
      fresh.push({ id, dedupeKey, metadata, raw: bytes.subarray(start, end) })
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
  { submission, records }: ReadRecords,
  taken: ReadonlyMap<string, Taken>,
): Promise<SubmissionOutcome['records']> {
  const { store, metrics, onRecords } = modules
  const answers = records.map(({ dedupeKey, resourceType, entry }) => {
    const record = taken.get(toHex(dedupeKey))
    if (record === undefined) throw new Error('a record was read and not taken')
    const status = record.isNew ? ('accepted' as const) : ('known' as const)
    return { id: toHex(record.id), resourceType, entry, status, height: null as number | null }
  })
  waits.track(toHex(submission), answers)
  const known = answers.filter(({ status }) => status === 'known')
  await runInSlices(known.values(), (answer) => {
    const record = store.getRecord(Buffer.from(answer.id, 'hex'))
    const anchor = record === undefined ? null : anchors.of(record.place)
    if (anchor === null) return
    answer.height = anchor.height
    waits.anchored([answer.id], anchor.height)
  })
  const added = [...taken.values()].filter(({ isNew }) => isNew).map(({ id }) => toHex(id))
  metrics.records.inc({ kind: 'fhir', result: 'accepted' }, added.length)
  metrics.records.inc({ kind: 'fhir', result: 'known' }, known.length)
  if (added.length > 0) onRecords({ status: 'accepted', records: added, height: null })
  anchoring.added()
  return answers
}
