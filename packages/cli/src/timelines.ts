// Timelines as a hospital, or the own node of a recipient, tells them: fetched to the end, and each entry
// proved here with nothing but the genesis.
//
// What is told of a block is believed when the proof says it; an entry whose proof is missing or does not
// hold is shown as one, for leaving it out would hide what is wrong.

import type { TimelineItem, TimelinePage } from '@mooring/api'
import { createRecordVerifier, type ProofVerification } from '@mooring/api/verify'
import { CodecError, decode, fromHex, toHex } from '@mooring/codec'
import { CryptoError, decodeBase64url } from '@mooring/crypto'
import {
  type CustodianTimeline,
  type ExportedEntry,
  rootOfPlace,
  type SignedTimelineHead,
  signedTimelineHeadSchema,
  type WholeRecordProof,
} from '@mooring/records'

export type ProvenEntry = ExportedEntry & {
  resourceId: string | null
  versionId: string | null
  size: number
  // Why the proof does not hold; null when it does, or when the record waits for a block.
  fault: string | null
}

export type TimelineTrust = { genesisDigest: Uint8Array }
type Ask = (page: { cursor?: string; limit: number }) => Promise<TimelinePage>

const PAGE = 100
const HEAD_BYTES_MAX = 1_024

export type FetchedTimeline = {
  head: SignedTimelineHead | null
  entries: ProvenEntry[]
  // Digest of the access entry that the question left.
  entry: string | null
}

export async function fetchTimeline(ask: Ask, trust: TimelineTrust): Promise<FetchedTimeline> {
  const verify = createRecordVerifier(trust)
  const anchors = new Map<string, Uint8Array>()
  const entries: ProvenEntry[] = []
  let head: SignedTimelineHead | null = null
  let entry: string | null = null
  let cursor: string | null = null
  do {
    const page: TimelinePage = await ask(
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    )
    for (const { transaction, proof } of page.anchors) {
      // The same bytes for all that share it, so that they are checked once.
      if (!anchors.has(transaction)) anchors.set(transaction, bytesOr(proof) ?? new Uint8Array(0))
    }
    head ??= page.head === null ? null : headIn(page.head)
    entry ??= page.entry
    for (const item of page.items) entries.push(entryOf(item, { anchors, trust, verify }))
    cursor = page.nextCursor
  } while (cursor !== null)
  return { head, entries, entry }
}

function headIn(text: string): SignedTimelineHead | null {
  const bytes = bytesOr(text)
  if (bytes === undefined) return null
  try {
    return decode(signedTimelineHeadSchema, bytes, HEAD_BYTES_MAX)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

function bytesOr(text: string): Uint8Array | undefined {
  try {
    return decodeBase64url(text)
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

type Ground = {
  anchors: ReadonlyMap<string, Uint8Array>
  trust: TimelineTrust
  verify: (proof: WholeRecordProof, file: Uint8Array | null) => ProofVerification
}

function entryOf(item: TimelineItem, ground: Ground): ProvenEntry {
  const record = fromHex(item.id)
  const { custodian, sequence, state, resourceType, resourceId, versionId, fullUrl } = item
  const { contentType, size, eventAt, supersedes } = item
  const { proof, block, fault } = provenPlace(item, ground)
  return {
    custodian,
    record,
    sequence,
    state,
    resourceType,
    resourceId,
    versionId,
    fullUrl,
    class: item.class,
    contentType,
    size,
    eventAt,
    receivedAt: item.receivedAt === null ? 0 : Date.parse(item.receivedAt),
    supersedes: supersedes === null ? null : fromHex(supersedes),
    isMistake: item.mistake,
    block,
    proof,
    fault,
  }
}

type Place = Pick<ProvenEntry, 'proof' | 'block' | 'fault'>

function provenPlace(item: TimelineItem, { anchors, trust, verify }: Ground): Place {
  const { place, opening, id, custodian } = item
  if (place === null) return { proof: null, block: null, fault: null }
  const told = {
    height: place.height,
    time: place.blockTime === null ? null : Date.parse(place.blockTime),
  }
  const anchor = anchors.get(place.anchor)
  if (anchor === undefined) return { proof: null, block: told, fault: 'no proof of its block' }
  const path = place.path.map(fromHex)
  const root = rootOfPlace(fromHex(id), { index: place.index, path })
  if (root === undefined) return { proof: null, block: told, fault: 'no batch has its place' }
  const proof: WholeRecordProof = {
    version: 1,
    network: trust.genesisDigest,
    record: {
      commit: fromHex(id),
      opening: opening && {
        blind: fromHex(opening.blind),
        fieldRoot: fromHex(opening.fieldRoot),
        rawSalt: fromHex(opening.rawSalt),
        rawCommit: fromHex(opening.rawCommit),
      },
    },
    batch: { index: place.index, size: 2 ** path.length, path, root },
    anchor,
  }
  const result = verify(proof, null)
  if (!result.ok) {
    const { name, code } = result.failed
    return { proof: null, block: told, fault: `${name}: ${code}` }
  }
  if (result.anchor?.organisation !== custodian)
    return { proof: null, block: told, fault: `anchored by ${result.anchor?.organisation}` }
  return { proof, block: { height: result.height, time: result.blockTime }, fault: null }
}

// Whether these very bytes are the record.
export function provesBytes(trust: TimelineTrust) {
  const verify = createRecordVerifier(trust)
  return (proof: WholeRecordProof, raw: Uint8Array): boolean => verify(proof, raw).ok
}

// A record is here once, whichever grant has opened it.
export function joinedByCustodian(
  entries: readonly ProvenEntry[],
): CustodianTimeline<ProvenEntry>[] {
  const names = [...new Set(entries.map(({ custodian }) => custodian))].toSorted()
  return names.map((custodian) => {
    const own = entries.filter((entry) => entry.custodian === custodian)
    const once = new Map(own.map((entry) => [toHex(entry.record), entry]))
    return { custodian, count: null, entries: [...once.values()], receipts: [] }
  })
}
