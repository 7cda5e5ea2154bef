// Opening a record: from any k shards and its manifest back to the bytes, or the reason why not.
//
// Checked, in this order: that the manifest's data key is the one the set commits to, that its facts open the gate, that its sizes are
// those of the set, each fragment against the leaves (by the caller or in `openRecord`), the seal of each
// segment, that the padding is zero, and at the end that the bytes are those of `recordCommit`. What a
// `RecordOpener` returns before the end is authentic for the manifest; that it is the record on the
// chain is known only after `end`. Deflated bytes and FHIR resources are kept until then, within a limit.

import { CodecError, concatBytes, equalBytes, inflate, JsonError, parseJson } from '@mooring/codec'
import type { IncrementalHash } from '@mooring/crypto'
import { fieldTree, rawCommitmentHash, recordCommitment, recordSecrets } from './commit.ts'
import { gateOf } from './facts.ts'
import { fieldsOf } from './fields.ts'
import { isShard, fragmentsOfShard } from './fragments.ts'
import type { Manifest } from './manifest.ts'
import { isPaddedSize } from './padding.ts'
import { keyCommitmentOf, openSegment, plaintextBytesOf } from './seal-segments.ts'
import type { ShardSet } from './shard-set.ts'

export type OpenFailure =
  /** The data key is another one than the set commits to: the cipher could open to something else. */
  | 'key_commitment_differs'
  /** The facts of the manifest do not open the gate of the set. */
  | 'gate_differs'
  /** The facts name another record or type than the manifest that has them. */
  | 'facts_differ'
  | 'sizes_differ'
  | 'too_few_shards'
  | 'segment_damaged'
  | 'padding_not_zero'
  | 'not_inflatable'
  | 'not_a_resource'
  | 'record_commitment_differs'

export interface InvalidRecord {
  readonly code: OpenFailure
}

export type OpenedRecord =
  | { readonly ok: true; readonly raw: Uint8Array; readonly badShards: readonly number[] }
  | { readonly ok: false; readonly code: OpenFailure; readonly badShards: readonly number[] }

/** The longest resource that is opened: far above what a submission may be. */
const RESOURCE_BYTES_MAX = 64 * 1024 * 1024

/** Null for a shard that is not there. Those that are no shard of the set are skipped and named. */
export function openRecord(
  set: ShardSet,
  manifest: Manifest,
  shards: readonly (Uint8Array | null)[],
): OpenedRecord {
  const badShards = shards.flatMap((shard, index) =>
    shard === null || isShard(set, index, shard) ? [] : [index],
  )
  const failed = (code: OpenFailure): OpenedRecord => ({ ok: false, code, badShards })
  const good = Array.from({ length: set.n }, (_, index) => {
    const shard = badShards.includes(index) ? null : shards[index]
    return shard ? fragmentsOfShard(set, shard) : null
  })
  if (good.filter((each) => each !== null).length < set.k) return failed('too_few_shards')
  const opener = RecordOpener.create(set, manifest)
  if (!(opener instanceof RecordOpener)) return failed(opener.code)
  const parts: Uint8Array[] = []
  for (let segment = 0; segment < set.segmentCount; segment += 1) {
    const opened = opener.segment(good.map((fragments) => fragments?.[segment] ?? null))
    if (!(opened instanceof Uint8Array)) return failed(opened.code)
    parts.push(opened)
  }
  const last = opener.end()
  if (!(last instanceof Uint8Array)) return failed(last.code)
  return { ok: true, raw: concatBytes(...parts, last), badShards }
}

/** Opens segment after segment; `create`, each `segment` in order, `end`. */
export class RecordOpener {
  readonly #set: ShardSet
  readonly #manifest: Manifest
  readonly #rawHash: IncrementalHash
  readonly #kept: Uint8Array[] = []
  readonly #isKept: boolean
  #segment = 0
  #payloadLeft: number

  private constructor(set: ShardSet, manifest: Manifest) {
    this.#set = set
    this.#manifest = manifest
    this.#payloadLeft = manifest.payloadBytes
    this.#rawHash = rawCommitmentHash(recordSecrets(manifest.rec).rawSalt)
    this.#isKept = isKeptToEnd(manifest)
  }

  static create(set: ShardSet, manifest: Manifest): RecordOpener | InvalidRecord {
    if (!equalBytes(keyCommitmentOf(manifest.dek), set.kc)) {
      return { code: 'key_commitment_differs' }
    }
    if (!equalBytes(gateOf(manifest.rec, manifest.facts), set.gate)) {
      return { code: 'gate_differs' }
    }
    if (!areFactsOf(manifest)) return { code: 'facts_differ' }
    return areSizesOf(set, manifest) ? new RecordOpener(set, manifest) : { code: 'sizes_differ' }
  }

  /** Raw bytes as far as they are known by now: none before `end` for what is kept. */
  segment(fragments: readonly (Uint8Array | null)[]): Uint8Array | InvalidRecord {
    const segment = this.#segment
    if (segment >= this.#set.segmentCount) return { code: 'sizes_differ' }
    if (fragments.filter((each) => each !== null).length < this.#set.k) {
      return { code: 'too_few_shards' }
    }
    const plaintext = openSegment(this.#set, this.#manifest.dek, { segment, fragments })
    if (plaintext === undefined) return { code: 'segment_damaged' }
    this.#segment += 1
    const part = plaintext.subarray(0, this.#payloadLeft)
    if (!isZeroFrom(plaintext, part.length)) return { code: 'padding_not_zero' }
    this.#payloadLeft -= part.length
    if (this.#isKept) {
      this.#kept.push(part)
      return NOTHING
    }
    this.#rawHash.update(part)
    return part
  }

  /** The rest of the raw bytes, once they are all those of the record. */
  end(): Uint8Array | InvalidRecord {
    if (this.#segment !== this.#set.segmentCount) return { code: 'sizes_differ' }
    const { encoding, rawBytes, resourceType, rec, recordCommit } = this.#manifest
    let raw: Uint8Array = NOTHING
    if (this.#isKept) {
      const payload = concatBytes(...this.#kept)
      const inflated = encoding === 'deflate' ? inflateTo(payload, rawBytes) : payload
      if (inflated === undefined) return { code: 'not_inflatable' }
      raw = inflated
      this.#rawHash.update(raw)
    }
    const { fieldSeed, blind } = recordSecrets(rec)
    const fields = resourceType === null ? [] : fieldsIn(raw)
    if (fields === undefined) return { code: 'not_a_resource' }
    const fieldRoot = fieldTree(fields, fieldSeed).root
    const computed = recordCommitment(blind, fieldRoot, this.#rawHash.digest())
    return equalBytes(computed, recordCommit) ? raw : { code: 'record_commitment_differs' }
  }
}

const NOTHING = new Uint8Array(0)

/** Deflated bytes, or a resource whose fields are to be compared. */
function isKeptToEnd({ encoding, resourceType }: Manifest): boolean {
  return encoding === 'deflate' || resourceType !== null
}

function areFactsOf({ facts, recordCommit, resourceType }: Manifest): boolean {
  return equalBytes(facts.record, recordCommit) && facts.type === (resourceType ?? '')
}

function areSizesOf(set: ShardSet, manifest: Manifest): boolean {
  const { rawBytes, payloadBytes, encoding } = manifest
  const isPadded = isPaddedSize(plaintextBytesOf(set), payloadBytes)
  const isWhole = encoding === 'deflate' || rawBytes === payloadBytes
  return isPadded && isWhole && (!isKeptToEnd(manifest) || rawBytes <= RESOURCE_BYTES_MAX)
}

function isZeroFrom(bytes: Uint8Array, start: number): boolean {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] !== 0) return false
  }
  return true
}

function inflateTo(payload: Uint8Array, rawBytes: number): Uint8Array | undefined {
  try {
    const raw = inflate(payload, rawBytes)
    return raw.length === rawBytes ? raw : undefined
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return undefined
  }
}

function fieldsIn(raw: Uint8Array): ReturnType<typeof fieldsOf> | undefined {
  try {
    return fieldsOf(parseJson(raw, { bytesMax: RESOURCE_BYTES_MAX }))
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return undefined
  }
}
