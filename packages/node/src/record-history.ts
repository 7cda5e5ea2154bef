// The versions of a record: those of the same resource of the same patient, newest first.
//
// A version is known by the resource's own type and id; what has none is its only version. How often it
// was read is counted in the access log, in entries that only keys hosted here open.

import type { ApiHandlers, RecordAnswer, RecordVersion } from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { openAccessEntry, type SealKeyPair } from '@mooring/records'
import type { AccessLog, KeptAccess } from './access-log.ts'
import type { CustodianIndex, IndexEntry } from './custodian-index.ts'

export interface RecordHistoryModules {
  readonly index: Pick<CustodianIndex, 'get' | 'listAccount'>
  /** How far it is. */
  readonly record: ApiHandlers['record']
  readonly accesses: Pick<AccessLog, 'list'>
  readonly logKeyOf: (patientKey: Uint8Array) => SealKeyPair | undefined
}

const PAGE = 100
/** One request looks through so many records, and so many accesses. */
const LOOKED_THROUGH_MAX = 2_000
const ACCESSES_MAX = 2_000

type Query = { before: number | null; limit: number }

export function createRecordHistory(
  modules: RecordHistoryModules,
): Pick<ApiHandlers, 'recordHistory'> {
  return {
    recordHistory: async (id, query) => {
      const entry = modules.index.get(fromHex(id))
      if (entry === undefined) return undefined
      const { versions, next } = await versionsOf(modules, entry, query)
      const counts = await accessesOf(modules, entry.account)
      const items: RecordVersion[] = []
      for (const version of versions) {
        const standing = await modules.record(toHex(version.id))
        if (standing === undefined) throw new Error('a record of the index that is not kept')
        const accesses = counts.get(toHex(version.id)) ?? 0
        items.push(answerOf(version, { standing, accesses }))
      }
      return { items, next }
    },
  }
}

async function versionsOf(
  { index }: RecordHistoryModules,
  of: IndexEntry,
  { before, limit }: Query,
): Promise<{ versions: IndexEntry[]; next: number | null }> {
  const { resourceType, resourceId } = of.metadata
  if (resourceType === null || resourceId === null) return { versions: [of], next: null }
  const versions: IndexEntry[] = []
  let position = before
  let lookedThrough = 0
  while (lookedThrough < LOOKED_THROUGH_MAX) {
    const page = await index.listAccount(of.account, position, PAGE)
    for (const entry of page) {
      position = entry.arrival
      const { metadata } = entry
      const isVersion = metadata.resourceType === resourceType && metadata.resourceId === resourceId
      if (isVersion) versions.push(entry)
      if (isVersion && metadata.supersedes === null) return { versions, next: null }
      if (versions.length === limit) return { versions, next: position }
    }
    if (page.length < PAGE) return { versions, next: null }
    lookedThrough += page.length
  }
  return { versions, next: position }
}

/** By record, of one patient, as far back as a request looks. */
async function accessesOf(
  { accesses, logKeyOf }: RecordHistoryModules,
  patientKey: Uint8Array,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const logKey = logKeyOf(patientKey)
  if (logKey === undefined) return counts
  const patient = toHex(patientKey)
  let looked = 0
  for await (const kept of accesses.list(null)) {
    looked += 1
    if (looked > ACCESSES_MAX) break
    for (const record of recordsIn(kept, { patient, logKey })) {
      counts.set(record, (counts.get(record) ?? 0) + 1)
    }
  }
  return counts
}

const RECORD = /"system":"urn:mooring:record","value":"(?<commit>[0-9a-f]{64})"/g

/** What an access was of, as its audit event says. */
function recordsIn(
  { entry, asked, note }: KeptAccess,
  { patient, logKey }: { patient: string; logKey: SealKeyPair },
): string[] {
  const isOfPatient = asked?.patientKey != null && toHex(asked.patientKey) === patient
  if (entry === null || note !== null || !isOfPatient || asked.sets.length === 0) return []
  const event = openAccessEntry(entry, logKey) ?? ''
  return [...event.matchAll(RECORD)].flatMap(({ groups }) => groups?.['commit'] ?? [])
}

function answerOf(
  { metadata, holders, missing }: IndexEntry,
  {
    standing: { id, status, acceptedAt, size, transactionId, height },
    accesses,
  }: { standing: RecordAnswer; accesses: number },
): RecordVersion {
  return {
    id,
    versionId: metadata.versionId,
    status,
    acceptedAt,
    transactionId,
    height,
    size,
    commitment: toHex(metadata.recordCommit),
    supersedes: metadata.supersedes && toHex(metadata.supersedes),
    holders: holders.length - missing.length,
    accesses,
  }
}
