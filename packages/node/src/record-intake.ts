// What happens to a submission until it is durable: read, keys found or made, sealed, stored whole.
//
// The same bytes are recognised before anything is sealed, and once more in the store, where another
// submission may have brought them meanwhile. The raw bytes are forgotten before the answer.

import type { RecordSubmission, SubmissionOutcome, SubmittedRecordAnswer } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { decodeShardSet, type RandomBytes, type ShardSet } from '@mooring/records'
import { type PrivateStore, StorageError } from '@mooring/storage'
import type { NamedLocks } from './named-locks.ts'
import { placeRecords } from './account-order.ts'
import { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import type { PatientAccounts, SealingKey } from './patient-accounts.ts'
import { NodeError } from './node-error.ts'
import type { Placing } from './placing.ts'
import type { FoundRecord, PreparedRecord } from './prepare-records.ts'
import type { ReadSubmission, RecordReader } from './record-reader.ts'
import { dropShards, spoolShards, type UploadBlobs } from './shard-spool.ts'
import type { QueuedRecord } from './vault-queue.ts'

export interface IntakeModules {
  readonly organisation: string
  readonly secret: Uint8Array
  readonly store: PrivateStore
  readonly accounts: PatientAccounts
  readonly locks: NamedLocks
  readonly placing: Placing
  readonly reader: RecordReader
  readonly uploads: UploadBlobs
  readonly takeRoom: (bytes: number) => Promise<boolean>
  readonly clock: Clock
  readonly random: RandomBytes
}

/** What sealing and splitting may make of a byte, at most. */
const SPREAD = 4

/** A record of a submission under the id it has: a new one, or that of the same bytes earlier. */
export interface Taken extends Pick<SubmittedRecordAnswer, 'id' | 'resourceType' | 'entry'> {
  readonly isNew: boolean
}

export interface TakenSubmission extends Pick<SubmissionOutcome, 'submission' | 'problems'> {
  readonly records: readonly Taken[]
  readonly receivedAt: number
  /** Durable, and to be placed. */
  readonly queued: readonly QueuedRecord[]
}

/** All of it is durable when this resolves, or nothing is. */
export async function takeSubmission(
  modules: IntakeModules,
  { bytes, format, contentType, isPartial }: RecordSubmission,
): Promise<TakenSubmission> {
  const { placing, reader, clock, secret } = modules
  placing.checkRoom()
  if (!(await modules.takeRoom(SPREAD * bytes.length))) throw new NodeError('disk_low')
  placing.placementFor()
  const receivedAt = clock.wall()
  const preparation = { format, isPartial, mediaType: contentType, receivedAt, secret }
  const read = await reader.read(bytes, preparation)
  try {
    const { found } = read
    const { records, queued } =
      found.records.length === 0 ? { records: [], queued: [] } : await keep(modules, read)
    return {
      submission: toHex(found.submission),
      problems: [...found.problems],
      records,
      receivedAt,
      queued,
    }
  } finally {
    read.forget()
  }
}

interface Kept {
  /** One for each record that was found, in its order. */
  readonly records: readonly Taken[]
  readonly queued: readonly QueuedRecord[]
}

/** With the accounts of all that may be new held: what is sealed is in its place until it is stored. */
async function keep(modules: IntakeModules, read: ReadSubmission): Promise<Kept> {
  const { firsts, known } = lookUp(modules.store, read.found.records)
  const accounts = [...firsts.values()]
    .filter((position) => !known.has(position))
    .flatMap((position) => read.found.records[position]?.patient ?? [])
  return await modules.locks.hold(accounts, () => keepHeld(modules, read))
}

async function keepHeld(modules: IntakeModules, read: ReadSubmission): Promise<Kept> {
  const sealed = new Map<number, PreparedRecord>()
  const keyNames = new Map<number, string>()
  while (true) {
    const { firsts, known } = lookUp(modules.store, read.found.records)
    const fresh = [...firsts.values()].filter((position) => !known.has(position))
    // Where one of them has come in meanwhile, the numbers behind it are others.
    if (fresh.length !== sealed.size) sealed.clear()
    if (sealed.size === 0) {
      const order = read.found.isNewestFirst ? fresh.toReversed() : fresh
      for (const { record, keyName } of await seal(modules, read, order)) {
        sealed.set(record.position, record)
        keyNames.set(record.position, keyName)
      }
    }
    const prepared = [...sealed.values()]
    const stored = await putAll(modules, read.found.records, prepared)
    if (stored === undefined) continue
    const records = read.found.records.map((record) => {
      const { resourceType, entry } = record
      const first = firsts.get(toHex(record.dedupeKey)) ?? -1
      const id = known.get(first) ?? sealed.get(first)?.id
      if (id === undefined) throw new Error('a record was neither known nor sealed')
      return { id: toHex(id), resourceType, entry, isNew: !known.has(first) }
    })
    const queued = prepared.map((record, at) =>
      queuedOf(modules, record, {
        arrival: stored[at] ?? 0,
        keyName: keyNames.get(record.position) ?? '',
      }),
    )
    return { records, queued }
  }
}

/** The first position of each different record, and the ids of those that came earlier. */
function lookUp(
  store: PrivateStore,
  records: readonly FoundRecord[],
): { firsts: Map<string, number>; known: Map<number, Uint8Array> } {
  const firsts = new Map<string, number>()
  const known = new Map<number, Uint8Array>()
  for (const [position, { dedupeKey }] of records.entries()) {
    const name = toHex(dedupeKey)
    if (firsts.has(name)) continue
    firsts.set(name, position)
    const earlier = store.findByDedupeKey(dedupeKey)
    if (earlier !== undefined) known.set(position, earlier)
  }
  return { firsts, known }
}

async function seal(
  { organisation, accounts, placing, store, secret }: IntakeModules,
  read: ReadSubmission,
  positions: readonly number[],
): Promise<{ record: PreparedRecord; keyName: string }[]> {
  if (positions.length === 0) return []
  const wanted = new Map<string, { reference: string; class: string; at: number }>()
  const found = positions.flatMap((position) => read.found.records[position] ?? [])
  const placed = await placeRecords(store.order, new AtRest(secret), found)
  const records = positions.map((position, at) => {
    const { patient, class: name } = read.found.records[position] ?? { patient: '', class: '' }
    const place = placed[at]
    if (place === undefined) throw new Error('a record has no place in its account')
    const key = `${name}\0${patient}`
    const known = wanted.get(key) ?? { reference: patient, class: name, at: wanted.size }
    wanted.set(key, known)
    return { ...place, position, key: known.at }
  })
  const keys: SealingKey[] = await accounts.ensure([...wanted.values()])
  const { split, holders } = placing.placementFor()
  const prepared = await read.seal({ custodian: organisation, split, holders, keys, records })
  return prepared.map((record, at) => {
    const keyName = keys[records[at]?.key ?? -1]?.keyName
    if (keyName === undefined) throw new Error('a record was sealed with a key that is not there')
    return { record, keyName }
  })
}

/** Their arrivals; undefined when another submission brought some of these bytes meanwhile. */
async function putAll(
  { store, uploads }: IntakeModules,
  found: readonly FoundRecord[],
  prepared: readonly PreparedRecord[],
): Promise<number[] | undefined> {
  if (prepared.length === 0) return []
  const spooled: ShardSet[] = []
  try {
    for (const { set, long } of prepared) {
      if (long === null) continue
      const decoded = decodeShardSet(set)
      await spoolShards(uploads, decoded, long)
      spooled.push(decoded)
    }
    const stored = await store.putSubmission(
      prepared.map((record) => ({
        ...record,
        dedupeKey: found[record.position]?.dedupeKey ?? record.id,
      })),
    )
    return stored.map(({ arrival }) => arrival)
  } catch (error) {
    for (const { leaves } of spooled) await dropShards(uploads, leaves)
    if (error instanceof StorageError && error.code === 'duplicate') return undefined
    throw error
  }
}

function queuedOf(
  { clock }: IntakeModules,
  { id, setId, k, set, manifest, queued, long, places }: PreparedRecord,
  { arrival, keyName }: { arrival: number; keyName: string },
): QueuedRecord {
  return {
    id,
    arrival,
    setId,
    k,
    bytes: long === null ? queued.length : long.reduce((sum, { length }) => sum + length, 0),
    isSpooled: long !== null,
    keyName,
    since: clock.monotonic(),
    holders: [...places],
    isReceipted: places.map(() => false),
    isAccepted: false,
    parcel: long === null ? { set, manifest, queued } : null,
  }
}
