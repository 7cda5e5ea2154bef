// An upload until it is durable: sealed as it comes, so that a record of any size costs the memory of a
// segment and its fragments, and its bytes rest nowhere in the clear.
//
// What it is called is known when the last byte has come: then the same bytes are recognised, and until
// then whatever goes wrong, also a client that leaves, takes away all that was written.

import { createHmac } from 'node:crypto'
import type { UploadSubmission } from '@mooring/api'
import { toHex } from '@mooring/codec'
import {
  classOf,
  NO_PATIENT,
  placementOrder,
  RecordSealer,
  type StreamDetails,
} from '@mooring/records'
import { type AccountPlace, type NewRecord, StorageError } from '@mooring/storage'
import { placeRecords } from './account-order.ts'
import { AtRest } from './at-rest.ts'
import { patientReference } from './grant-terms.ts'
import type { SealingKey } from './patient-accounts.ts'
import { NodeError } from './node-error.ts'
import { placedFields, setBytesOf } from './queued-records.ts'
import type { IntakeModules, TakenSubmission } from './record-intake.ts'
import { ShardSpool } from './shard-spool.ts'
import type { QueuedRecord } from './vault-queue.ts'

const REC_BYTES = 32

/** All of it is durable when this resolves, or nothing is. */
export async function takeUpload(
  modules: IntakeModules,
  upload: UploadSubmission,
): Promise<TakenSubmission> {
  const { accounts, placing, random, organisation: custodian, secret } = modules
  placing.checkRoom()
  const { split } = placing.placementFor()
  const { contentType, patient: named, signal } = upload
  const patient = named === null ? NO_PATIENT : patientReference(named)
  const [key] = await accounts.ensure([{ reference: patient, class: classOf(null, contentType) }])
  if (key === undefined) throw new Error('there is no key to seal an upload with')
  const sealer = new RecordSealer(random(REC_BYTES), {
    custodian,
    split,
    classKey: key.key,
    random,
  })
  const spool = new ShardSpool(modules.uploads)
  try {
    const hash = createHmac('sha256', secret)
    for await (const piece of upload.body) {
      const room = Math.ceil((piece.length * split.n) / split.k)
      if (!(await modules.takeRoom(room))) throw new NodeError('disk_low')
      hash.update(piece)
      for (const { fragments } of sealer.push(piece)) await spool.add(fragments)
    }
    for (const { fragments } of sealer.end()) await spool.add(fragments)
    signal.throwIfAborted()
    const dedupe = new Uint8Array(hash.digest())
    const sealed = { sealer, spool, key }
    return await modules.locks.hold([patient], () =>
      keep(modules, sealed, { contentType, patient, dedupe }),
    )
  } catch (error) {
    await spool.abort()
    throw error
  }
}

async function keep(
  modules: IntakeModules,
  { sealer, spool, key }: { sealer: RecordSealer; spool: ShardSpool; key: SealingKey },
  { contentType, patient, dedupe }: { contentType: string; patient: string; dedupe: Uint8Array },
): Promise<TakenSubmission> {
  const { store, clock } = modules
  const receivedAt = clock.wall()
  const facts = { patientKey: key.patientKey, class: key.class }
  const earlier = store.findByDedupeKey(dedupe)
  if (earlier !== undefined) {
    await spool.abort()
    return outcomeOf(dedupe, { id: earlier, receivedAt, queued: [] })
  }
  const unplaced = { patient, resourceType: null, resourceId: null }
  const [placed] = await placeRecords(store.order, new AtRest(modules.secret), [unplaced])
  if (placed === undefined) throw new Error('an upload has no place in its account')
  const details = {
    mediaType: contentType,
    receivedAt,
    supersedes: null,
    sequence: placed.place.sequence,
    eventAt: '',
    isMistake: 0,
    facts,
    patient,
    submission: dedupe,
    dedupe,
  }
  const head = headOf(modules, { sealer, key, order: placed.place }, details)
  const record = { ...head.record, queued: await spool.finish() }
  try {
    const [stored] = await store.putSubmission([record])
    const queued = { ...head.queued, arrival: stored?.arrival ?? 0 }
    const parcel = head.queued.isSpooled ? null : { ...head.parcel, queued: record.queued }
    return outcomeOf(dedupe, { id: record.id, receivedAt, queued: [{ ...queued, parcel }] })
  } catch (error) {
    const known = store.findByDedupeKey(dedupe)
    const isKnown = error instanceof StorageError && error.code === 'duplicate'
    if (!isKnown || known === undefined) throw error
    await spool.abort()
    return outcomeOf(dedupe, { id: known, receivedAt, queued: [] })
  }
}

interface UploadHead {
  readonly record: Omit<NewRecord, 'queued'>
  readonly parcel: { readonly set: Uint8Array; readonly manifest: Uint8Array }
  readonly queued: Omit<QueuedRecord, 'arrival' | 'parcel'>
}

function headOf(
  { placing, clock, secret }: IntakeModules,
  { sealer, key, order }: { sealer: RecordSealer; key: SealingKey; order: AccountPlace },
  details: StreamDetails,
): UploadHead {
  const atRest = new AtRest(secret)
  const { setId, set, encodedSet, manifest, contents } = sealer.head(details)
  const { patientKey, class: name, epoch } = key
  const holders = placementOrder(setId, placing.placementFor().holders).slice(0, set.n)
  const missing = holders.map((_, index) => index)
  const entry = { set: encodedSet, manifest, patientKey, class: name, epoch }
  return {
    record: {
      id: contents.recordCommit,
      dedupeKey: details.dedupe,
      ...placedFields(atRest, entry, { setId, order, holders, missing }),
    },
    parcel: { set: encodedSet, manifest },
    queued: {
      id: contents.recordCommit,
      setId,
      k: set.k,
      bytes: setBytesOf(set),
      isSpooled: set.segmentCount > 1,
      keyName: key.keyName,
      since: clock.monotonic(),
      holders,
      isReceipted: holders.map(() => false),
      isAccepted: false,
    },
  }
}

function outcomeOf(
  dedupe: Uint8Array,
  {
    id,
    receivedAt,
    queued,
  }: { id: Uint8Array; receivedAt: number; queued: readonly QueuedRecord[] },
): TakenSubmission {
  const record = { id: toHex(id), resourceType: null, entry: 0, isNew: queued.length > 0 }
  return { submission: toHex(dedupe), problems: [], records: [record], receivedAt, queued }
}
