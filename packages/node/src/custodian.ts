// The custodian: takes what hospital systems submit, seals it, hands it to holders, and sees to it that
// it is anchored.
//
// "Received" is said when the whole submission is on the disk, sealed; "accepted" when k others have
// receipted every record of it (docs/decisions/0015). The same bytes are one record, however often and
// however close together they are sent. What a submission says about people is in the answer to its
// sender, in memory while it is worked on, and sealed everywhere else.

import type { ApiHandlers, SubmissionOutcome, SubmittedRecordAnswer } from '@mooring/api'
import { fromHex } from '@mooring/codec'
import type { Organisation } from '@mooring/ledger'
import type { LeafPlace, RandomBytes } from '@mooring/records'
import type { AccountStore, PrivateStore } from '@mooring/storage'
import { NamedLocks } from './named-locks.ts'
import type { Accounts } from './accounts.ts'
import { Anchoring, type AnchoringModules, type AnchoringOptions } from './anchoring.ts'
import { AtRest } from './at-rest.ts'
import { type FoundAtHolders, recoverIndex, type RecoveryModules } from './custodian-recovery.ts'
import { BatchDeposits } from './batch-deposits.ts'
import { createCustodianIndex, type CustodianIndex } from './custodian-index.ts'
import { BatchAnchors } from './custody.ts'
import { createFinalFacts, type FinalFacts } from './final-facts.ts'
import { possibleHolders } from './holder-choice.ts'
import { PatientAccounts } from './patient-accounts.ts'
import { KeyDeposits } from './key-deposits.ts'
import { leafPlaces } from './leaf-places.ts'
import type { Metrics } from './metrics.ts'
import { Placing } from './placing.ts'
import { createRecordAnswers, type RecordAnswers } from './record-answers.ts'
import { type Taken, takeSubmission, type TakenSubmission } from './record-intake.ts'
import { RecordReader } from './record-reader.ts'
import { SubmissionDoor } from './submission-door.ts'
import { SubmissionWaits, type Tracked } from './submission-waits.ts'
import type { UploadBlobs } from './shard-spool.ts'
import { runInSlices } from './time-slices.ts'
import { takeUpload } from './upload-intake.ts'
import type { VaultPeers } from './vault-peers.ts'
import { QUEUE_LIMITS, type QueueLimits } from './vault-queue.ts'

export interface CustodianOptions extends Omit<AnchoringOptions, 'tickMs'> {
  /** From loadRecordsSecret. */
  secret: Uint8Array
  /** Public; class keys are sealed to it. */
  sealKey: Uint8Array
  anchorTickMs?: number
  queue?: QueueLimits
}

export interface CustodianModules
  extends Omit<AnchoringModules, 'store' | 'anchors' | 'onBatched' | 'onAnchored'> {
  store: PrivateStore
  accounts: AccountStore
  /** Long shards that wait for holders. */
  uploads: UploadBlobs
  /** Whether so many bytes leave the databases room to go on; they count as written. */
  takeRoom: (bytes: number) => Promise<boolean>
  peers: VaultPeers
  /** As the chain has them now. */
  organisations: () => readonly Organisation[]
  random: RandomBytes
  metrics: AnchoringModules['metrics'] & Pick<Metrics, 'anchorDelay'>
  /** Records moved on, several at once. Ids only: what they are about stays here. */
  onRecords: (change: RecordsChange) => void
}

export interface RecordsChange {
  readonly status: 'received' | 'accepted' | 'batched' | 'anchored'
  readonly records: readonly string[]
  readonly height: number | null
}

export interface Custodian
  extends RecordAnswers,
    Pick<ApiHandlers, 'submitRecords' | 'submitUpload' | 'waitForRecords'> {
  readonly index: CustodianIndex
  readonly accounts: Accounts
  /** What waits for holders. */
  readonly placing: Pick<Placing, 'status' | 'finding' | 'wake' | 'drop'>
  /** Where these records are in anchored batches; null for one that waits. */
  places(ids: readonly Uint8Array[]): Promise<(LeafPlace | null)[]>
  /** Takes back what holders have of this custodian and its index has not; how many records. */
  recover(found: FoundAtHolders): Promise<number>
  /** Goes on where an earlier run stopped; the mempool has its own transactions back by then. */
  start(): Promise<void>
  /** Lets submissions under way come to their end. */
  close(): Promise<void>
  /** Accepted: durable here. Pending ones are not anchored yet. */
  counts(): { accepted: number; anchored: number; pending: number }
  /** Whether anchors are still to be looked for in blocks that came before. */
  needsBlocks(): boolean
}

interface Parts {
  atRest: AtRest
  options: CustodianOptions
  modules: CustodianModules
  anchors: BatchAnchors
  waits: SubmissionWaits
  anchoring: Anchoring
  batches: BatchDeposits
  accounts: PatientAccounts
  facts: FinalFacts
  index: CustodianIndex
  placing: Placing
  reader: RecordReader
  locks: NamedLocks
  /** When records were received that are not anchored yet, as far as this run took them. */
  receivedAt: Map<string, number>
}

const ANCHOR_TICK_MS = 2_000
/** A submission is answered without its holders after so long: it is durable here and goes on. */
const ACCEPT_WAIT_MS = 2_000

export function createCustodian(options: CustodianOptions, modules: CustodianModules): Custodian {
  const { store } = modules
  const parts = createParts(options, modules)
  const { anchoring, batches, placing, waits, reader, index, accounts, anchors } = parts
  const door = new SubmissionDoor()
  // An upload is inside for as long as its client sends: nobody else waits for that.
  const uploadDoor = new SubmissionDoor({ insideMax: 8, waitingMax: 0 })
  const intake = { ...modules, ...parts, ...options }
  return {
    ...createRecordAnswers({ index, anchors }),
    index,
    accounts,
    placing,
    submitRecords: (submission) => submit(parts, door, () => takeSubmission(intake, submission)),
    submitUpload: (upload) => submit(parts, uploadDoor, () => takeUpload(intake, upload)),
    waitForRecords: (submission, signal) => waits.wait(submission, signal),
    places: (ids) => leafPlaces({ store, anchors }, ids),
    recover: (found) => recoverIndex(recoveryOf(parts), found),
    start: async () => {
      await placing.start()
      await batches.start()
      await anchoring.start()
    },
    close: async () => {
      waits.close()
      await Promise.all([door.close(), uploadDoor.close()])
      await placing.close()
      await anchoring.close()
      await batches.close()
      await reader.close()
    },
    counts: () => {
      const pending = store.received + store.waiting + anchoring.inOpenBatches
      return { accepted: store.size, anchored: store.size - pending, pending }
    },
    needsBlocks: () => anchoring.needsBlocks(),
  }
}

function recoveryOf(parts: Parts): RecoveryModules {
  const { options, modules, accounts, atRest, index, anchoring } = parts
  const { organisation } = options
  const { store } = modules
  const { facts } = parts
  return {
    organisation,
    store,
    accounts,
    atRest,
    index,
    isRetired: (key) => facts.successorOf(organisation, key) !== null,
    isSuccessor: (former, key) => facts.isSuccessor(organisation, former, key),
    isErased: (setId) =>
      facts.tombstone(organisation, setId, atRest.tombstoneSalt(setId)) !== undefined,
    onRestored: () => anchoring.added(),
  }
}

function createParts(options: CustodianOptions, modules: CustodianModules): Parts {
  const { organisation, secret, sealKey, anchorTickMs } = options
  const { store, clock, organisations, onRecords, random } = modules
  const atRest = new AtRest(secret)
  const anchors = new BatchAnchors(store)
  const waits = new SubmissionWaits()
  const receivedAt = new Map<string, number>()
  const keys = new KeyDeposits({ organisation, organisations, atRest, store: modules.accounts })
  const facts = createFinalFacts({
    chain: modules.chain,
    finalState: () => modules.execution.finalState(),
    heartbeatMs: () => modules.execution.parameters.heartbeatMs,
  })
  const accounts = new PatientAccounts({
    organisation,
    store: modules.accounts,
    atRest,
    keys,
    sealKey,
    sealKeyOf: (name) => organisations().find(({ id }) => id === name)?.keys.seal,
    isOpenHandle: (handle) => facts.handle(handle)?.revokedAt === null,
    now: () => clock.wall(),
    random,
  })
  const batches = new BatchDeposits({
    ...modules,
    organisation,
    anchors,
    possible: () => possibleHolders(organisations()),
  })
  const anchoring: Anchoring = new Anchoring(
    { ...options, tickMs: anchorTickMs ?? ANCHOR_TICK_MS },
    {
      ...modules,
      anchors,
      onBatched: (records) => onRecords({ status: 'batched', records, height: null }),
      onAnchored: async (records, height, batch) => {
        batches.anchored(batch)
        waits.anchored(records, height)
        onRecords({ status: 'anchored', records, height })
        await observeDelays({ modules, index, receivedAt }, records)
      },
    },
  )
  const placing = new Placing({
    ...modules,
    limits: options.queue ?? QUEUE_LIMITS,
    keys,
    atRest,
    onAccepted: (records) => {
      modules.metrics.records.inc({ kind: 'fhir', result: 'accepted' }, records.length)
      waits.accepted(records)
      onRecords({ status: 'accepted', records, height: null })
      anchoring.added()
    },
  })
  const isQueued = (arrival: number) => placing.isQueued(arrival)
  const index = createCustodianIndex({ store, accounts, atRest, isQueued })
  const reader = new RecordReader(modules.clock)
  const parts = { options, modules, atRest, anchors, waits, anchoring, accounts, index, placing }
  return { ...parts, facts, batches, reader, receivedAt, locks: new NamedLocks() }
}

async function submit(
  parts: Parts,
  door: SubmissionDoor,
  take: () => Promise<TakenSubmission>,
): Promise<SubmissionOutcome> {
  const { modules, waits } = parts
  const taken = await door.enter(async () => {
    const outcome = await take()
    return { ...outcome, tracked: await begin(parts, outcome) }
  })
  modules.metrics.records.inc({ kind: 'fhir', result: 'refused' }, taken.problems.length)
  const { submission: name, problems, tracked } = taken
  if (tracked === null) return { submission: name, records: [], problems: [...problems] }
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = modules.clock.after(ACCEPT_WAIT_MS, resolve)
  const records = await waits.untilAccepted(tracked, promise)
  cancel()
  return { submission: name, records, problems: [...problems] }
}

/** Its records are durable: who waits for them is known, and then they go to holders. */
async function begin(parts: Parts, taken: TakenSubmission): Promise<Tracked | null> {
  const { modules, anchors, waits, placing, receivedAt } = parts
  const { submission, records, queued } = taken
  if (records.length === 0) return null
  const tracked = waits.track(submission, records.map(answerOf))
  const known = records.filter(({ isNew }) => !isNew)
  await runInSlices(known.values(), ({ id }) => {
    const record = modules.store.getRecord(fromHex(id))
    const anchor = record === undefined ? null : anchors.of(record.place)
    if (anchor !== null) waits.anchored([id], anchor.height)
  })
  const added = [...new Set(records.filter(({ isNew }) => isNew).map(({ id }) => id))]
  for (const id of added) receivedAt.set(id, taken.receivedAt)
  modules.metrics.records.inc({ kind: 'fhir', result: 'received' }, added.length)
  modules.metrics.records.inc({ kind: 'fhir', result: 'known' }, known.length)
  if (added.length > 0) modules.onRecords({ status: 'received', records: added, height: null })
  placing.add(queued)
  return tracked
}

function answerOf({ isNew, ...record }: Taken): SubmittedRecordAnswer {
  return { ...record, status: isNew ? 'received' : 'known', height: null }
}

async function observeDelays(
  { modules, index, receivedAt }: Pick<Parts, 'modules' | 'index' | 'receivedAt'>,
  records: readonly string[],
): Promise<void> {
  const now = modules.clock.wall()
  await runInSlices(records.values(), (id) => {
    const received = receivedAt.get(id) ?? index.get(fromHex(id))?.metadata.receivedAt ?? now
    receivedAt.delete(id)
    modules.metrics.anchorDelay.observe(Math.max(0, now - received) / 1_000)
  })
}
