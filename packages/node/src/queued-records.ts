// Records that wait for holders, as the store has them: sealed entry, placement and shards.

import {
  bytes,
  bytesMax,
  decode,
  decodeShared,
  encode,
  type Infer,
  list,
  struct,
  text,
  toHex,
  uint,
  variant,
  versioned,
} from '@mooring/codec'
import {
  decodeShardSet,
  SEALED_MANIFEST_BYTES_MAX,
  SHARD_SET_BYTES_MAX,
  shardBytesOf,
  type ShardSet,
  shardSetId,
  SHARDS_MAX,
  WHOLE_SHARD_BYTES_MAX,
} from '@mooring/records'
import type { AccountPlace, NewRecord, PrivateStore } from '@mooring/storage'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import { classKeyName } from './class-key-deposits.ts'
import { decodePlacement, encodePlacement, type Placement } from './vault-placement.ts'
import type { Parcel, QueuedRecord } from './vault-queue.ts'

/** What the store has of each record, sealed: where it is and which key opens its manifest. */
const entrySchema = versioned(1, {
  set: bytesMax(SHARD_SET_BYTES_MAX),
  manifest: bytesMax(SEALED_MANIFEST_BYTES_MAX),
  patientKey: bytes(32),
  class: text(64),
  epoch: uint(0xffff_ffff),
})

export type StoredEntry = Infer<typeof entrySchema>

const queuedSchema = variant({
  shards: list(bytesMax(WHOLE_SHARD_BYTES_MAX), SHARDS_MAX),
  /** Too long: each is a file under its leaf; see ShardSpool. */
  spooled: struct({}),
})

export const SPOOLED = encode(queuedSchema, { kind: 'spooled', body: {} })

/** What the store has of a placed record beside its id, under names that only this custodian can make. */
export function placedFields(
  atRest: AtRest,
  entry: StoredEntry,
  { setId, order, ...placement }: Placement & { setId: Uint8Array; order: AccountPlace },
): Pick<NewRecord, 'setName' | 'account' | 'order' | 'metadata' | 'holders'> {
  return {
    setName: atRest.name('set', setId),
    order,
    account: atRest.name('account-key', entry.patientKey),
    metadata: atRest.seal('record', encode(entrySchema, entry)),
    holders: encodePlacement(placement),
  }
}

export function openEntry(atRest: AtRest, metadata: Uint8Array): StoredEntry {
  return decode(entrySchema, atRest.open('record', metadata))
}

export function encodeShards(shards: readonly Uint8Array[]): Uint8Array {
  return encode(queuedSchema, { kind: 'shards', body: [...shards] })
}

/** One of the shards that encodeShards put together, as a view. */
export function shardOf(queued: Uint8Array, index: number): Uint8Array {
  const found = decodeShared(queuedSchema, queued)
  const shard = found.kind === 'shards' ? found.body[index] : undefined
  if (shard === undefined) throw new Error(`there is no shard ${index} in the queue`)
  return shard
}

/** Of all shards of a set. */
export function setBytesOf(set: ShardSet): number {
  return set.n * shardBytesOf(set)
}

interface QueueModules {
  readonly store: Pick<PrivateStore, 'queued' | 'getQueued' | 'getRecord'>
  readonly atRest: AtRest
  readonly clock: Clock
}

/** What the store has in its queue, oldest first. */
export async function* readQueued({
  store,
  atRest,
  clock,
}: QueueModules): AsyncGenerator<QueuedRecord> {
  for await (const { id, arrival, isAccepted } of store.queued()) {
    const record = store.getRecord(id)
    if (record === undefined) throw new Error('a record of the queue is not in the private store')
    const entry = openEntry(atRest, record.metadata)
    const { holders, missing } = decodePlacement(record.holders)
    const set = decodeShardSet(entry.set)
    yield {
      id,
      arrival,
      setId: shardSetId(entry.set),
      k: set.k,
      bytes: setBytesOf(set),
      isSpooled: set.segmentCount > 1,
      keyName: toHex(classKeyName(atRest, entry)),
      since: clock.monotonic(),
      holders,
      isReceipted: holders.map((_, index) => !missing.includes(index)),
      isAccepted,
      parcel: null,
    }
  }
}

/** Undefined once the record has left the queue. */
export async function readParcel(
  { store, atRest }: Omit<QueueModules, 'clock'>,
  { id, arrival }: QueuedRecord,
): Promise<Parcel | undefined> {
  const queued = await store.getQueued(arrival)
  const record = store.getRecord(id)
  if (queued === undefined || record === undefined) return undefined
  const { set, manifest } = openEntry(atRest, record.metadata)
  return { set, manifest, queued }
}

/** The names of its shards, as files. */
export function leavesOf(
  { store, atRest }: Pick<QueueModules, 'atRest'> & { store: Pick<PrivateStore, 'getRecord'> },
  { id }: QueuedRecord,
): readonly Uint8Array[] {
  const record = store.getRecord(id)
  if (record === undefined) throw new Error('a record of the queue is not in the private store')
  return decodeShardSet(openEntry(atRest, record.metadata).set).leaves
}
