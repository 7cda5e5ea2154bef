// Segments: how a payload becomes shards, and how shards become the payload again.
//
// Segment i of the padded payload is sealed with ChaCha20-Poly1305 under the data key, with the nonce
// `i (11 bytes) || 1 if it is the last` (STREAM): segments cannot be dropped, added or put in another
// order. The data key seals one record and nothing else, so a nonce never comes twice. The ciphertext
// is masked, so that less than k fragments open nothing (all-or-nothing.ts), and cut into k, the last filled
// up with zeros; n - k of parity come with them.

import { concatBytes } from '@mooring/codec'
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  aeadOpen,
  aeadSeal,
  encodeParity,
  leafHash,
  MerkleFrontier,
  reconstruct,
  sha256,
} from '@mooring/crypto'
import { maskSegment, unmaskSegment } from './all-or-nothing.ts'
import type { Split } from './placement.ts'
import { sealedBytesOf, type ShardSet } from './shard-set.ts'

export interface SealedSegment {
  readonly segment: number
  /** One for each shard, of one length. */
  readonly fragments: readonly Uint8Array[]
}

const NO_AAD = new Uint8Array(0)
const KEY_COMMITMENT_LABEL = new TextEncoder().encode('kc/v1')

/** The cipher opens one ciphertext under several keys, for who searches; this fixes the one. */
export function keyCommitmentOf(dek: Uint8Array): Uint8Array {
  return sha256(KEY_COMMITMENT_LABEL, dek)
}

/** Seals segments in order and keeps the tree over the fragments of every shard. */
export class SegmentSealer {
  readonly #dek: Uint8Array
  readonly #split: Split
  readonly #trees: readonly MerkleFrontier[]
  #count = 0
  #firstBytes = 0
  #lastBytes = 0

  constructor(dek: Uint8Array, split: Split) {
    this.#dek = dek
    this.#split = split
    this.#trees = Array.from({ length: split.n }, () => MerkleFrontier.from(0, []))
  }

  seal(plaintext: Uint8Array, isLast: boolean): SealedSegment {
    const segment = this.#count
    const nonce = nonceOf(segment, isLast)
    const sealed = maskSegment(this.#dek, nonce, aeadSeal(this.#dek, nonce, NO_AAD, plaintext))
    const fragments = fragmentsOf(sealed, this.#split)
    for (const [index, fragment] of fragments.entries()) {
      this.#trees[index]?.append(leafHash(fragment))
    }
    this.#count += 1
    this.#lastBytes = sealed.length
    if (segment === 0) this.#firstBytes = sealed.length
    return { segment, fragments }
  }

  /** After the last segment. */
  sizes(): Pick<ShardSet, 'segmentCount' | 'segmentBytes' | 'lastSegmentBytes'> {
    return {
      segmentCount: this.#count,
      segmentBytes: this.#firstBytes,
      lastSegmentBytes: this.#lastBytes,
    }
  }

  leaves(): Uint8Array[] {
    return this.#trees.map((tree) => tree.root())
  }
}

/** The plaintext of a segment from any k of its fragments; undefined when they do not open. */
export function openSegment(
  set: ShardSet,
  dek: Uint8Array,
  { segment, fragments }: { segment: number; fragments: readonly (Uint8Array | null)[] },
): Uint8Array | undefined {
  const sealed = concatBytes(...reconstruct(set.k, set.n, fragments))
  const length = sealedBytesOf(set, segment)
  const nonce = nonceOf(segment, segment === set.segmentCount - 1)
  return aeadOpen(dek, nonce, NO_AAD, unmaskSegment(dek, nonce, sealed.subarray(0, length)))
}

/** Bytes of a sealed payload, padding included. */
export function plaintextBytesOf(set: ShardSet): number {
  const full = (set.segmentCount - 1) * (set.segmentBytes - AEAD_TAG_BYTES)
  return full + set.lastSegmentBytes - AEAD_TAG_BYTES
}

function fragmentsOf(sealed: Uint8Array, { k, n }: Split): Uint8Array[] {
  const size = Math.ceil(sealed.length / k)
  const data = Array.from({ length: k }, (_, at) =>
    filledUp(sealed.subarray(at * size, (at + 1) * size), size),
  )
  return [...data, ...encodeParity(k, n, data)]
}

function filledUp(fragment: Uint8Array, size: number): Uint8Array {
  if (fragment.length === size) return fragment
  const filled = new Uint8Array(size)
  filled.set(fragment)
  return filled
}

function nonceOf(segment: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES)
  // The counter has 11 bytes, of which a number of segments never needs more than four.
  new DataView(nonce.buffer).setUint32(7, segment)
  nonce[AEAD_NONCE_BYTES - 1] = isLast ? 1 : 0
  return nonce
}
