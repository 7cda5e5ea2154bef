// Sealing a record: from its bytes to n shards, the public set over them and the manifest that opens it.
//
// A FHIR resource that is too long for the smallest bucket is deflated first (its text is mostly names of
// elements); a short one is in that bucket either way. Then it is padded, sealed in segments and split. What is small goes in one call; what is large goes through a
// `RecordSealer` piece by piece, and no more than a segment and its fragments are in memory at once.
// Both end in the same formats. Randomness is an argument: the data key and four bytes for the
// bucket come from it.

import { concatBytes, deflate } from '@mooring/codec'
import { type IncrementalHash, merkleRootOfHashes } from '@mooring/crypto'
import type { RandomBytes } from './batch.ts'
import { fieldTree, rawCommitmentHash, recordCommitment, recordSecrets } from './commit.ts'
import { RecordsError } from './errors.ts'
import { NO_CLINICAL_FACTS } from './clinical-facts.ts'
import { gateOf, type RecordFacts } from './facts.ts'
import { type Manifest, sealManifest } from './manifest.ts'
import { BUCKET_BYTES_MIN, paddedBytesFor } from './padding.ts'
import type { Split } from './placement.ts'
import { keyCommitmentOf, type SealedSegment, SegmentSealer } from './seal-segments.ts'
import {
  encodeShardSet,
  SEGMENT_BYTES,
  SEGMENTS_MAX,
  type ShardSet,
  shardSetId,
} from './shard-set.ts'

/** What the manifest says beside keys and sizes. */
export type RecordDetails = Omit<Manifest, 'dek' | 'rawBytes' | 'payloadBytes' | 'encoding'>

/** Of bytes that are sealed as they come: no resource, and the commitment is computed on the way. */
export type StreamDetails = Pick<
  RecordDetails,
  | 'mediaType'
  | 'receivedAt'
  | 'supersedes'
  | 'sequence'
  | 'eventAt'
  | 'isMistake'
  | 'patient'
  | 'submission'
  | 'dedupe'
> & { readonly facts: Pick<RecordFacts, 'patientKey' | 'class'> }

export interface SealOptions {
  readonly custodian: string
  readonly split: Split
  readonly classKey: Uint8Array
  readonly random: RandomBytes
}

export interface SealedHead {
  readonly setId: Uint8Array
  readonly set: ShardSet
  readonly encodedSet: Uint8Array
  /** Sealed. */
  readonly manifest: Uint8Array
}

export interface SealedRecord extends SealedHead {
  readonly shards: readonly Uint8Array[]
}

const DEK_BYTES = 32
const DRAWN_BYTES = 4
const NO_RESOURCE = { resourceType: null, resourceId: null, versionId: null, fullUrl: null }

/** The whole of a record that is in memory. `details` has the commitment to it, of `commitRecord`. */
export function sealRecord(
  raw: Uint8Array,
  details: RecordDetails,
  options: SealOptions,
): SealedRecord {
  const { payload, encoding } = payloadOf(raw, details)
  const dek = options.random(DEK_BYTES)
  const size = paddedSize(payload.length, options.random)
  const sealer = new SegmentSealer(dek, options.split)
  const segments: SealedSegment[] = []
  for (let start = 0; start < size; start += SEGMENT_BYTES) {
    const end = Math.min(size, start + SEGMENT_BYTES)
    segments.push(sealer.seal(slicePadded(payload, start, end), end === size))
  }
  const manifest: Manifest = {
    ...details,
    dek,
    rawBytes: raw.length,
    payloadBytes: payload.length,
    encoding,
  }
  return { ...headOf(sealer, manifest, options), shards: shardsOf(segments, options.split) }
}

export function payloadOf(
  raw: Uint8Array,
  { resourceType }: Pick<RecordDetails, 'resourceType'>,
): { payload: Uint8Array; encoding: Manifest['encoding'] } {
  if (resourceType !== null && raw.length > BUCKET_BYTES_MIN) {
    const deflated = deflate(raw)
    if (deflated.length < raw.length) return { payload: deflated, encoding: 'deflate' }
  }
  return { payload: raw, encoding: 'identity' }
}

/**
 * Seals bytes as they come, without compressing them. Every segment that `push` and `end` yield has to
 * be taken before the next call; `head` follows the last. `rec` is the secret of the commitment.
 */
export class RecordSealer {
  readonly #options: SealOptions
  readonly #rec: Uint8Array
  readonly #dek: Uint8Array
  readonly #sealer: SegmentSealer
  readonly #rawHash: IncrementalHash
  readonly #buffer = new Uint8Array(SEGMENT_BYTES)
  #buffered = 0
  #rawBytes = 0

  constructor(rec: Uint8Array, options: SealOptions) {
    this.#options = options
    this.#rec = rec
    this.#dek = options.random(DEK_BYTES)
    this.#sealer = new SegmentSealer(this.#dek, options.split)
    this.#rawHash = rawCommitmentHash(recordSecrets(rec).rawSalt)
  }

  *push(chunk: Uint8Array): Generator<SealedSegment> {
    this.#rawHash.update(chunk)
    this.#rawBytes += chunk.length
    for (let at = 0; at < chunk.length; ) {
      // A full buffer waits for a byte more: only then it is not the last segment.
      if (this.#buffered === SEGMENT_BYTES) yield this.#seal(SEGMENT_BYTES, false)
      const part = chunk.subarray(at, at + SEGMENT_BYTES - this.#buffered)
      this.#buffer.set(part, this.#buffered)
      this.#buffered += part.length
      at += part.length
    }
  }

  *end(): Generator<SealedSegment> {
    const sealed = this.#rawBytes - this.#buffered
    let left = paddedSize(this.#rawBytes, this.#options.random) - sealed
    while (left > 0) {
      const length = Math.min(left, SEGMENT_BYTES)
      left -= length
      yield this.#seal(length, left === 0)
    }
  }

  head(details: StreamDetails): SealedHead & { readonly contents: Manifest } {
    const { fieldSeed, blind } = recordSecrets(this.#rec)
    const fieldRoot = fieldTree([], fieldSeed).root
    const rawCommit = this.#rawHash.digest()
    const recordCommit = recordCommitment(blind, fieldRoot, rawCommit)
    const contents: Manifest = {
      ...details,
      ...NO_RESOURCE,
      facts: { ...details.facts, ...NO_CLINICAL_FACTS, record: recordCommit },
      rec: this.#rec,
      recordCommit,
      fieldRoot,
      rawCommit,
      dek: this.#dek,
      rawBytes: this.#rawBytes,
      payloadBytes: this.#rawBytes,
      encoding: 'identity',
    }
    return { ...headOf(this.#sealer, contents, this.#options), contents }
  }

  /** The buffer, filled up with zeros. */
  #seal(length: number, isLast: boolean): SealedSegment {
    this.#buffer.fill(0, this.#buffered)
    this.#buffered = 0
    return this.#sealer.seal(this.#buffer.subarray(0, length), isLast)
  }
}

function headOf(sealer: SegmentSealer, manifest: Manifest, options: SealOptions): SealedHead {
  const { custodian, split, classKey } = options
  const leaves = sealer.leaves()
  const set: ShardSet = {
    custodian,
    k: split.k,
    n: split.n,
    ...sealer.sizes(),
    kc: keyCommitmentOf(manifest.dek),
    shardRoot: merkleRootOfHashes(leaves),
    leaves,
    gate: gateOf(manifest.rec, manifest.facts),
  }
  const encodedSet = encodeShardSet(set)
  const setId = shardSetId(encodedSet)
  return { setId, set, encodedSet, manifest: sealManifest(manifest, classKey, setId) }
}

function paddedSize(length: number, random: RandomBytes): number {
  const drawn = random(DRAWN_BYTES)
  const view = new DataView(drawn.buffer, drawn.byteOffset, DRAWN_BYTES)
  const size = paddedBytesFor(length, view.getUint32(0))
  if (size > SEGMENTS_MAX * SEGMENT_BYTES) {
    throw new RecordsError('too_large', 'raw', `${length} bytes in one record`)
  }
  return size
}

function slicePadded(payload: Uint8Array, start: number, end: number): Uint8Array {
  if (end <= payload.length) return payload.subarray(start, end)
  const slice = new Uint8Array(end - start)
  slice.set(payload.subarray(Math.min(start, payload.length)))
  return slice
}

function shardsOf(segments: readonly SealedSegment[], { n }: Split): Uint8Array[] {
  return Array.from({ length: n }, (_, index) => {
    const fragments = segments.flatMap(({ fragments: each }) => each[index] ?? [])
    const [only] = fragments
    return fragments.length === 1 && only !== undefined ? only : concatBytes(...fragments)
  })
}
