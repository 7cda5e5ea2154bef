// A snapshot: the state after one block, the newest blocks up to it, and what shows that the block is
// final, in one file.
//
//   file     = chunk* | manifest | u32 length of the manifest | "MOORSNP1"
//   manifest = core, finality                     digest of the snapshot = H("snapshot", core)
//   chunk    = list of state values in the order of their keys, or list of blocks in their order
//
// The core holds what every member says alike of one height: the header, the digests of the chunks, the
// history below the first block that is kept. So members compare one digest. Certificates are no part
// of it: two members may hold different quorums for one block.
//
// A chunk is closed by the item that makes it a mebibyte; so the same state makes the same chunks.

import {
  bytes,
  bytesMax,
  decode,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import type { StateValue } from './pinned-chain.ts'

/** A chunk is at least that large, unless it is the last of its kind. */
export const CHUNK_BYTES = 1 << 20
/** One more item may come on top. */
export const CHUNK_BYTES_MAX = CHUNK_BYTES + (8 << 20)
export const MANIFEST_BYTES_MAX = 8 << 20

const CHUNKS_MAX = 150_000
const EPOCHS_MAX = 10_000
const ITEMS_MAX = 1 << 20
const HEADER_BYTES_MAX = 512
const FINALIZATION_BYTES_MAX = 64 << 10
const KEY_BYTES_MAX = 255
const VALUE_BYTES_MAX = 1 << 20
const BLOCK_BYTES_MAX = 8 << 20

const chunkSchema = struct({ digest: bytes(32), bytes: uint(CHUNK_BYTES_MAX) })

const coreSchema = versioned(1, {
  genesisDigest: bytes(32),
  header: bytesMax(HEADER_BYTES_MAX),
  /** The block below the first that is in the snapshot; height 0 is genesis. */
  base: struct({ height: uint(), digest: bytes(32) }),
  /** Of the history of the blocks up to the base, genesis first. */
  frontier: list(bytes(32), 64),
  values: uint(),
  stateChunks: list(chunkSchema, CHUNKS_MAX),
  blockChunks: list(chunkSchema, CHUNKS_MAX),
})

const manifestSchema = versioned(1, {
  core: bytesMax(MANIFEST_BYTES_MAX),
  /** Of the block, or of `later`, whose history holds it. */
  finalization: bytesMax(FINALIZATION_BYTES_MAX),
  later: nullable(struct({ header: bytesMax(HEADER_BYTES_MAX), path: list(bytes(32), 64) })),
  /** The sealing block of every epoch that is over, and the set that came after it. */
  epochs: list(
    struct({
      header: bytesMax(HEADER_BYTES_MAX),
      finalization: bytesMax(FINALIZATION_BYTES_MAX),
      authoritySet: bytesMax(64 << 10),
    }),
    EPOCHS_MAX,
  ),
})

const valuesSchema = list(
  struct({ key: bytesMax(KEY_BYTES_MAX), value: bytesMax(VALUE_BYTES_MAX) }),
  ITEMS_MAX,
)
const blocksSchema = list(bytesMax(BLOCK_BYTES_MAX), ITEMS_MAX)

export type SnapshotCore = Infer<typeof coreSchema>
export type SnapshotChunk = Infer<typeof chunkSchema>
export type SnapshotFinality = Omit<Infer<typeof manifestSchema>, 'core'>

export interface SnapshotManifest extends SnapshotFinality {
  readonly core: SnapshotCore
  /** Names the snapshot: that of the core. */
  readonly digest: Uint8Array
}

export function encodeManifest(core: SnapshotCore, finality: SnapshotFinality): Uint8Array {
  return encode(manifestSchema, { ...finality, core: encode(coreSchema, core) })
}

/** @throws CodecError */
export function decodeManifest(encoded: Uint8Array): SnapshotManifest {
  const { core, ...finality } = decode(manifestSchema, encoded, MANIFEST_BYTES_MAX)
  const digest = domainHash('snapshot', core)
  return { ...finality, core: decode(coreSchema, core, MANIFEST_BYTES_MAX), digest }
}

export function encodeValues(values: StateValue[]): Uint8Array {
  return encode(valuesSchema, values)
}

/** @throws CodecError */
export function decodeValues(chunk: Uint8Array): StateValue[] {
  return decode(valuesSchema, chunk, CHUNK_BYTES_MAX)
}

export function encodeBlocks(blocks: Uint8Array[]): Uint8Array {
  return encode(blocksSchema, blocks)
}

/** @throws CodecError */
export function decodeBlocks(chunk: Uint8Array): Uint8Array[] {
  return decode(blocksSchema, chunk, CHUNK_BYTES_MAX)
}

export function chunkDigest(chunk: Uint8Array): Uint8Array {
  return domainHash('snapshot-chunk', chunk)
}

/** The chunks in the order of the file, those of the state first, each with its place in it. */
export function chunksOf({
  stateChunks,
  blockChunks,
}: Pick<SnapshotCore, 'stateChunks' | 'blockChunks'>): (SnapshotChunk & { offset: number })[] {
  let offset = 0
  return [...stateChunks, ...blockChunks].map((chunk) => {
    const placed = { ...chunk, offset }
    offset += chunk.bytes
    return placed
  })
}
