// A custodian whose disk was lost gets its index back from its holders.
//
// They have all of it, sealed: the class keys, to the custodian's seal key; and beside every shard the
// manifest, which names the patient, the record and its sizes. The seed of an account follows from the
// local secret and the reference, so that a patient keeps the keys it had. Both secrets are in the folder
// `keys`: without it nothing here opens, and the records are still there for who has a grant.
//
// The leaves of its batches come back as well, so that records are as anchored as they were and can be proved.
// Only what no batch has waits for an anchor. (Anchoring all of them again would tell too much: a leaf that
// is in two batches is no dummy.) What does not come back is grants; their recipients go on reading by the
// holders.

import { CodecError, compareBytes, equalBytes, toHex } from '@mooring/codec'
import {
  decodeShardSet,
  type Manifest,
  openManifest,
  type RecordHead,
  type ShardHead,
  shardSetId,
} from '@mooring/records'
import type { PrivateStore, RestoredRecord } from '@mooring/storage'
import { orderName, resourceName } from './account-order.ts'
import type { AtRest } from './at-rest.ts'
import type { CustodianIndex } from './custodian-index.ts'
import { type FoundKey, newHeads } from './discovery.ts'
import type { PatientAccounts, RestoredKey } from './patient-accounts.ts'
import { placedFields } from './queued-records.ts'
import { type FoundBatch, restoreBatches } from './recovered-batches.ts'
import { runInSlices } from './time-slices.ts'

export interface RecoveryModules {
  readonly organisation: string
  readonly store: PrivateStore
  readonly accounts: PatientAccounts
  readonly atRest: AtRest
  readonly index: Pick<CustodianIndex, 'getBySet'>
  /** Whether the chain has another key of the patient in its place. */
  readonly isRetired: (patientKey: Uint8Array) => boolean
  /** Whether the second is in force where the first was. */
  readonly isSuccessor: (former: Uint8Array, patientKey: Uint8Array) => boolean
  /** Whether the chain says so: a holder that was away may still have a shard. */
  readonly isErased: (setId: Uint8Array) => boolean
  /** Records are in the store again and wait for an anchor. */
  readonly onRestored: () => void
}

export interface FoundAtHolders {
  readonly keys: readonly FoundKey[]
  readonly heads: AsyncIterable<readonly ShardHead[]>
  readonly batches: AsyncIterable<FoundBatch>
}

interface Opened {
  readonly head: RecordHead
  readonly setId: Uint8Array
  readonly manifest: Manifest
  readonly key: FoundKey
}

const BATCH = 500

/** How many records came back. */
export async function recoverIndex(
  modules: RecoveryModules,
  { keys, heads, batches }: FoundAtHolders,
): Promise<number> {
  const opened = new Map<string, Opened>()
  const seen = new Map<string, string>()
  for await (const page of heads) {
    await runInSlices(newHeads(page, seen).values(), (head) => {
      const found = openHead(modules, head, keys)
      if (found !== undefined) opened.set(toHex(found.setId), found)
    })
  }
  const restoring = [...restoredKeys(opened.values())]
  const accounts = await modules.accounts.restore(restoring, modules.isRetired)
  await modules.accounts.restore(keysInForce(modules, restoring, keys), modules.isRetired)
  // In the order in which they came, as far as the manifests tell.
  const records = [...opened.values()]
    .filter(({ manifest }) => accounts.has(toHex(manifest.facts.patientKey)))
    .toSorted(
      (a, b) => a.manifest.receivedAt - b.manifest.receivedAt || compareBytes(a.setId, b.setId),
    )
  const ids = records.map(({ manifest }) => manifest.recordCommit)
  const places = await restoreBatches(modules.store, ids, batches)
  let restored = 0
  for (let at = 0; at < records.length; at += BATCH) {
    const batch = records.slice(at, at + BATCH).map((each) => {
      const place = places.get(toHex(each.manifest.recordCommit)) ?? null
      return { ...recordOf(modules, each), place }
    })
    restored += await modules.store.restore(batch)
  }
  if (restored > 0) modules.onRestored()
  return restored
}

/** Undefined for what is in the index, is of somebody else, or does not open. */
function openHead(
  { organisation, index, isErased }: RecoveryModules,
  head: RecordHead,
  keys: readonly FoundKey[],
): Opened | undefined {
  try {
    const setId = shardSetId(head.set)
    const { custodian } = decodeShardSet(head.set)
    if (custodian !== organisation || index.getBySet(setId) !== undefined) return undefined
    if (isErased(setId)) return undefined
    for (const key of keys) {
      const manifest = openManifest(head.manifest, key.content.classKey, setId)
      if (manifest === undefined) continue
      const isOf =
        equalBytes(manifest.facts.patientKey, key.content.patientKey) &&
        manifest.facts.class === key.content.class
      return isOf ? { head, setId, manifest, key } : undefined
    }
    return undefined
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

function* restoredKeys(opened: Iterable<Opened>): Generator<RestoredKey> {
  const given = new Set<FoundKey>()
  for (const { manifest, key } of opened) {
    if (given.has(key)) continue
    given.add(key)
    yield { reference: manifest.patient, content: key.content, deposit: key.deposit }
  }
}

/** Of accounts whose key was replaced and that have no record under the new one: nothing names these. */
function keysInForce(
  { accounts, isRetired, isSuccessor }: RecoveryModules,
  restored: readonly RestoredKey[],
  keys: readonly FoundKey[],
): RestoredKey[] {
  return [...new Set(restored.map(({ reference }) => reference))].flatMap((reference) => {
    const former = accounts.find(reference)?.patientKey
    if (former === undefined || !isRetired(former)) return []
    return keys
      .filter(({ content }) => isSuccessor(former, content.patientKey))
      .map(({ content, deposit }) => ({ reference, content, deposit }))
  })
}

function recordOf(
  { atRest }: RecoveryModules,
  { head, setId, manifest, key }: Opened,
): Omit<RestoredRecord, 'place'> {
  const { patientKey, class: name, epoch } = key.content
  const { set, manifest: sealed, holders } = head
  const entry = { set, manifest: sealed, patientKey, class: name, epoch }
  const order = {
    account: orderName(atRest, manifest.patient),
    sequence: manifest.sequence,
    resource: resourceName(atRest, manifest),
  }
  return {
    id: manifest.recordCommit,
    dedupeKey: manifest.dedupe,
    ...placedFields(atRest, entry, { setId, order, holders: [...holders], missing: [] }),
  }
}
