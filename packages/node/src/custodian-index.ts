// What a custodian knows of the records it handed to holders: where they are and how they are opened.
//
// It is sealed where it rests. A set is what holders see of a record; the manifest opens with the
// class key of the account, and says all that there is to say of the record but its content.

import { type Manifest, manifestKeyOf, openOneManifest, shardSetId } from '@mooring/records'
import type { PrivateRecord, PrivateStore } from '@mooring/storage'
import type { Accounts } from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import { openEntry } from './queued-records.ts'
import { decodePlacement, encodePlacement } from './vault-placement.ts'

export interface IndexEntry {
  /** The record commitment. */
  readonly id: Uint8Array
  /** Counts the records of this custodian, from 1. */
  readonly arrival: number
  readonly setId: Uint8Array
  /** Encoded ShardSet. */
  readonly set: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  /** Opens this manifest alone. */
  readonly manifestKey: Uint8Array
  /** The organisation that keeps each shard. */
  readonly holders: readonly string[]
  /** Shards that nobody has receipted so far. */
  readonly missing: readonly number[]
  /** Pairwise key of the patient. */
  readonly account: Uint8Array
  /** The manifest, opened. */
  readonly metadata: Manifest
  readonly status: 'received' | 'accepted' | 'batched'
  /** Number of its batch and position in it; null while it waits. */
  readonly place: { readonly sequence: number; readonly position: number } | null
}

export interface CustodianIndex {
  get(id: Uint8Array): IndexEntry | undefined
  getBySet(setId: Uint8Array): IndexEntry | undefined
  /** Newest first, below an arrival or from the newest. */
  list(before: number | null, limit: number): Promise<IndexEntry[]>
  /** Of one patient, under whatever keys, newest first. */
  listAccount(patientKey: Uint8Array, before: number | null, limit: number): Promise<IndexEntry[]>
  /** Records that lack a shard although nobody waits for it any more, oldest first. */
  listShort(after: number, limit: number): Promise<IndexEntry[]>
  /**
   * Durable: another organisation keeps this shard from now on, and has receipted it. False while
   * the record is in the queue, which sees to its shards itself.
   */
  moved(setId: Uint8Array, shard: number, holder: string): Promise<boolean>
}

export interface IndexModules {
  readonly store: PrivateStore
  readonly accounts: Pick<Accounts, 'classKeys' | 'findByKey'>
  readonly atRest: AtRest
  /** Whether shards of this record still wait here for a holder. */
  readonly isQueued: (arrival: number) => boolean
}

export function createCustodianIndex(modules: IndexModules): CustodianIndex {
  const { store, atRest } = modules
  const get = (id: Uint8Array): IndexEntry | undefined => {
    const record = store.getRecord(id)
    return record && entryOf(modules, record)
  }
  const getBySet = (setId: Uint8Array): IndexEntry | undefined => {
    const id = store.findBySet(atRest.name('set', setId))
    return id && get(id)
  }
  return {
    get,
    getBySet,
    list: async (before, limit) =>
      (await store.list(before, limit)).map((record) => entryOf(modules, record)),
    listAccount: async (patientKey, before, limit) => {
      const account = modules.accounts.findByKey(patientKey)
      const keys = account === undefined ? [] : [account.patientKey, ...account.former]
      const lists = keys.map((key) =>
        store.listAccount(atRest.name('account-key', key), before, limit),
      )
      const records = (await Promise.all(lists)).flat()
      const newest = records.toSorted((a, b) => b.arrival - a.arrival).slice(0, limit)
      return newest.map((record) => entryOf(modules, record))
    },
    listShort: async (after, limit) =>
      (await store.short(after, limit)).flatMap(({ id }) => get(id) ?? []),
    moved: async (setId, shard, holder) => {
      const id = store.findBySet(atRest.name('set', setId))
      const record = id && store.getRecord(id)
      if (record === undefined || modules.isQueued(record.arrival)) return false
      const { holders, missing } = decodePlacement(record.holders)
      if (holders[shard] === holder && !missing.includes(shard)) return true
      const left = missing.filter((index) => index !== shard)
      const placement = encodePlacement({ holders: holders.with(shard, holder), missing: left })
      await store.moveHolders(record.arrival, placement, { isShort: left.length > 0 })
      return true
    },
  }
}

function entryOf(
  { accounts, atRest }: IndexModules,
  { id, arrival, metadata: stored, holders: placed, status, place }: PrivateRecord,
): IndexEntry {
  const { set, manifest, patientKey, class: name, epoch } = openEntry(atRest, stored)
  const { holders, missing } = decodePlacement(placed)
  const setId = shardSetId(set)
  const key = accounts
    .classKeys(patientKey)
    .find((each) => each.class === name && each.epoch === epoch)
  const manifestKey = key && manifestKeyOf(key.key, setId)
  const metadata = manifestKey && openOneManifest(manifest, manifestKey, setId)
  if (manifestKey === undefined || metadata === undefined)
    throw new Error('the class key of a record does not open its manifest')
  const where = { setId, set, manifest, manifestKey, holders, missing, account: patientKey }
  return { id, arrival, ...where, metadata, status, place }
}
