// What the shard store has of each shard, as values: where its bytes are, and what travels beside them.

import {
  bytes,
  bytesMax,
  type Infer,
  list,
  struct,
  text,
  uint,
  variant,
  versioned,
} from '@mooring/codec'

/** Larger ones are blobs. */
export const INLINE_SHARD_BYTES_MAX = 256 * 1024
const ORGANISATION_BYTES_MAX = 64
const SET_BYTES_MAX = 16 * 1024
const MANIFEST_BYTES_MAX = 64 * 1024
const HOLDERS_MAX = 255

const contentSchema = variant({
  inline: bytesMax(INLINE_SHARD_BYTES_MAX),
  blob: struct({
    id: bytes(32),
    bytes: uint(),
  }),
})
export const shardSchema = versioned(1, {
  custodian: text(ORGANISATION_BYTES_MAX),
  content: contentSchema,
})
export const headSchema = versioned(1, {
  set: bytesMax(SET_BYTES_MAX),
  manifest: bytesMax(MANIFEST_BYTES_MAX),
  holders: list(text(ORGANISATION_BYTES_MAX), HOLDERS_MAX),
  bytes: uint(),
})
export const usageSchema = versioned(1, { shards: uint(), bytes: uint() })

export type ShardContent = Infer<typeof contentSchema>

export interface ShardName {
  readonly setId: Uint8Array
  readonly index: number
}

export interface ShardHead extends ShardName {
  readonly custodian: string
  /** Encoded ShardSet. */
  readonly set: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
  /** The organisation that keeps each shard, as far as this holder was told. */
  readonly holders: readonly string[]
  /** Size of the shard. */
  readonly bytes: number
}

export interface NewShard extends Omit<ShardHead, 'bytes'> {
  readonly content: ShardContent
}

export interface Usage {
  readonly shards: number
  /** Shards, sets and manifests. */
  readonly bytes: number
}

/** A legal group was helped to make a shard of a set again. */
export interface HelpGiven extends ShardName {
  readonly legalGroup: string
}

export interface KeyDepositEntry {
  readonly id: Uint8Array
  readonly deposit: Uint8Array
}

export interface ShardList {
  readonly heads: ShardHead[]
  readonly damaged: ShardName[]
  /** To go on behind, damaged or not; null at the end. */
  readonly next: ShardName | null
}

export function countedBytes(head: Pick<ShardHead, 'bytes' | 'set' | 'manifest'>): number {
  return head.bytes + head.set.length + head.manifest.length
}

export function sizeOfContent(content: ShardContent): number {
  return content.kind === 'inline' ? content.body.length : content.body.bytes
}
