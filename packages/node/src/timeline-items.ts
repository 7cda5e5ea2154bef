// Records as the entries of a timeline: what their manifests say, where they are on the chain, and the
// proofs of what anchored them, each once.

import type { TimelineItem, TimelinePage } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { decodeHeader, encodeTransactionProof } from '@mooring/ledger'
import { type LeafPlace, type Manifest, openingOf } from '@mooring/records'
import type { ChainStore } from '@mooring/storage'
import { type ProofModules, transactionProof } from './proof-documents.ts'

export interface TimelineGround {
  readonly chain: ProofModules['chain'] & Pick<ChainStore, 'getHeader'>
  /** Encoded. */
  readonly genesis: Uint8Array
}

export interface TimelineRecord {
  readonly custodian: string
  readonly manifest: Manifest
  /** Null while it waits for a block. */
  readonly place: LeafPlace | null
}

const NOTHING = {
  class: '',
  resourceType: null,
  resourceId: null,
  versionId: null,
  fullUrl: null,
  contentType: '',
  size: 0,
  eventAt: '',
  receivedAt: null,
  supersedes: null,
  mistake: false,
  opening: null,
}

export function keptItem(
  ground: TimelineGround,
  { custodian, manifest, place }: TimelineRecord,
): TimelineItem {
  const { blind, fieldRoot, rawSalt, rawCommit } = openingOf(manifest)
  return {
    id: toHex(manifest.recordCommit),
    custodian,
    sequence: manifest.sequence,
    state: 'kept',
    class: manifest.facts.class,
    resourceType: manifest.resourceType,
    resourceId: manifest.resourceId,
    versionId: manifest.versionId,
    fullUrl: manifest.fullUrl,
    contentType: manifest.mediaType,
    size: manifest.rawBytes,
    eventAt: manifest.eventAt,
    receivedAt: new Date(manifest.receivedAt).toISOString(),
    supersedes: manifest.supersedes && toHex(manifest.supersedes),
    mistake: manifest.isMistake === 1,
    place: placeOf(ground, place),
    opening: {
      blind: toHex(blind),
      fieldRoot: toHex(fieldRoot),
      rawSalt: toHex(rawSalt),
      rawCommit: toHex(rawCommit),
    },
  }
}

/** All that is left of a record that was destroyed. */
export function erasedItem(
  ground: TimelineGround,
  parts: { custodian: string; sequence: number; id: Uint8Array; place: LeafPlace | null },
): TimelineItem {
  const { custodian, sequence, id, place } = parts
  const base = { id: toHex(id), custodian, sequence, state: 'erased' as const }
  return { ...base, ...NOTHING, place: placeOf(ground, place) }
}

function placeOf({ chain }: TimelineGround, place: LeafPlace | null): TimelineItem['place'] {
  if (place === null) return null
  const { transaction, index, path } = place
  const height = chain.getTransaction(transaction)?.height ?? place.height
  const header = chain.getHeader(height)
  return {
    anchor: toHex(transaction),
    height,
    blockTime: header === undefined ? null : new Date(decodeHeader(header).time).toISOString(),
    index,
    path: path.map(toHex),
  }
}

/** Of the entries of one page; without those that this node cannot make. */
export function anchorsOf(
  ground: TimelineGround,
  places: readonly (LeafPlace | null)[],
): TimelinePage['anchors'] {
  const transactions = new Map(
    places.flatMap((place) =>
      place === null ? [] : [[toHex(place.transaction), place.transaction] as const],
    ),
  )
  return [...transactions].flatMap(([name, transaction]) => {
    const proof = proofOf(ground, transaction)
    return proof === undefined ? [] : [{ transaction: name, proof }]
  })
}

function proofOf(ground: TimelineGround, transaction: Uint8Array): string | undefined {
  try {
    const proof = transactionProof(ground, transaction)
    if (proof === undefined || proof === 'pending') return undefined
    return encodeBase64url(encodeTransactionProof(proof))
  } catch (error) {
    // Its block was dropped here; others have it.
    if (error instanceof Error && 'code' in error && error.code === 'pruned') return undefined
    throw error
  }
}
