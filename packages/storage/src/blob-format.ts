// How a blob is kept, in a file as in an object: [pieces][leaf hash of every piece][footer].
//
// The footer says how long the pieces are and how many bytes there are; what it says is only
// believed because the leaf hashes that it leads to have the id as their root.

import { equalBytes, toHex } from '@mooring/codec'
import { createSha256, type IncrementalHash, leafHash, merkleRootOfHashes } from '@mooring/crypto'
import { StorageError } from './errors.ts'

export const BLOB_BYTES_MAX: number = 64 * 1024 ** 3
export const PIECE_BYTES_MAX: number = 4 * 1024 ** 2
/** The leaf hashes of a blob are held in memory while it is written or read. */
export const PIECES_MAX: number = 2 ** 18
const FOOTER_BYTES = 20
const LEAF_BYTES = 32
const MAGIC = 0x4d424c31

export interface BlobIndex {
  pieceBytes: number
  size: number
  leaves: Uint8Array[]
}

/** Cuts what comes into pieces, and makes the index that follows them. */
export class PieceHasher {
  readonly #pieceBytes: number
  readonly #leaves: Uint8Array[] = []
  #piece: IncrementalHash | undefined
  #pending = 0
  #size = 0

  constructor(pieceBytes: number) {
    if (!Number.isInteger(pieceBytes) || pieceBytes < 1 || pieceBytes > PIECE_BYTES_MAX) {
      throw new RangeError(`pieces of ${pieceBytes} bytes`)
    }
    this.#pieceBytes = pieceBytes
  }

  update(bytes: Uint8Array): void {
    this.#size += bytes.length
    if (this.#size > BLOB_BYTES_MAX || this.#size > PIECES_MAX * this.#pieceBytes) {
      throw new RangeError(`a blob of ${this.#size} bytes in pieces of ${this.#pieceBytes}`)
    }
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#pieceBytes - this.#pending)
      this.#piece ??= createLeafHash()
      this.#piece.update(part)
      this.#pending += part.length
      at += part.length
      if (this.#pending === this.#pieceBytes) this.#endPiece()
    }
  }

  finish(): BlobIndex {
    this.#endPiece()
    return { pieceBytes: this.#pieceBytes, size: this.#size, leaves: this.#leaves }
  }

  #endPiece(): void {
    if (this.#piece !== undefined) this.#leaves.push(this.#piece.digest())
    this.#piece = undefined
    this.#pending = 0
  }
}

function createLeafHash(): IncrementalHash {
  const hash = createSha256()
  hash.update(Uint8Array.of(0))
  return hash
}

export function blobId(index: BlobIndex): Uint8Array {
  return merkleRootOfHashes(index.leaves)
}

export function encodeIndex(index: BlobIndex): Uint8Array {
  const footerAt = index.leaves.length * LEAF_BYTES
  const bytes = new Uint8Array(footerAt + FOOTER_BYTES)
  for (const [at, leaf] of index.leaves.entries()) bytes.set(leaf, at * LEAF_BYTES)
  const view = new DataView(bytes.buffer, footerAt)
  view.setUint32(0, MAGIC)
  view.setUint32(4, index.pieceBytes)
  view.setUint32(8, index.leaves.length)
  view.setBigUint64(12, BigInt(index.size))
  return bytes
}

/** A copy of a blob with its index: a file, or an object of a bucket. */
export interface StoredCopy {
  /** Exactly these bytes of it, or an error. */
  readAt(position: number, length: number): Promise<Uint8Array>
}

export async function readIndex(
  id: Uint8Array,
  copy: StoredCopy,
  storedBytes: number,
): Promise<BlobIndex> {
  const footerAt = storedBytes - FOOTER_BYTES
  if (footerAt < 0) throw blobCorrupt(id, `only ${storedBytes} bytes are there`)
  const footer = await copy.readAt(footerAt, FOOTER_BYTES)
  const { pieceBytes, size } = parseFooter(id, footer, storedBytes)
  const leaves = decodeLeaves(id, await copy.readAt(size, footerAt - size))
  return { pieceBytes, size, leaves }
}

export async function readRange(
  id: Uint8Array,
  index: BlobIndex,
  copy: StoredCopy,
  { from, length }: { from: number; length: number },
): Promise<Uint8Array> {
  const { start, end } = coverOf(index, from, length)
  const bytes = await copy.readAt(start, end - start)
  checkPieces(id, index, start, bytes)
  return bytes.subarray(from - start, from - start + length)
}

function parseFooter(
  id: Uint8Array,
  footer: Uint8Array,
  storedBytes: number,
): { pieceBytes: number; size: number } {
  const view = new DataView(footer.buffer, footer.byteOffset, footer.length)
  if (view.getUint32(0) !== MAGIC) throw blobCorrupt(id, 'it does not end as a blob ends')
  const pieceBytes = view.getUint32(4)
  const count = view.getUint32(8)
  const size = Number(view.getBigUint64(12))
  const isWhole =
    pieceBytes >= 1 &&
    pieceBytes <= PIECE_BYTES_MAX &&
    count <= PIECES_MAX &&
    count === Math.ceil(size / pieceBytes) &&
    storedBytes === size + count * LEAF_BYTES + FOOTER_BYTES
  if (!isWhole) throw blobCorrupt(id, `${storedBytes} bytes where ${size} and their index belong`)
  return { pieceBytes, size }
}

function decodeLeaves(id: Uint8Array, bytes: Uint8Array): Uint8Array[] {
  const leaves = Array.from({ length: bytes.length / LEAF_BYTES }, (_, at) =>
    bytes.subarray(at * LEAF_BYTES, (at + 1) * LEAF_BYTES),
  )
  if (!equalBytes(merkleRootOfHashes(leaves), id)) {
    throw blobCorrupt(id, 'the index of its pieces is another one')
  }
  return leaves
}

/** The whole pieces that cover a range. */
function coverOf(index: BlobIndex, from: number, length: number): { start: number; end: number } {
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(length)
  if (!isRange || from < 0 || length < 0 || from + length > index.size) {
    throw new RangeError(`bytes ${from} to ${from + length} of ${index.size}`)
  }
  const start = from - (from % index.pieceBytes)
  const end = Math.ceil((from + length) / index.pieceBytes) * index.pieceBytes
  return { start, end: Math.min(end, index.size) }
}

/** Bytes that begin at a piece's first, against their leaf hashes. */
function checkPieces(id: Uint8Array, index: BlobIndex, start: number, bytes: Uint8Array): void {
  const { pieceBytes, leaves } = index
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = (start + at) / pieceBytes
    const leaf = leaves[piece]
    if (leaf === undefined || !equalBytes(leafHash(bytes.subarray(at, at + pieceBytes)), leaf)) {
      throw blobCorrupt(id, `piece ${piece} holds other bytes`)
    }
  }
}

export function blobCorrupt(id: Uint8Array, detail: string): StorageError {
  return new StorageError('blob_corrupt', `a blob is damaged: ${detail}`, {
    blob: toHex(id),
    detail,
  })
}

export function blobMissing(id: Uint8Array): StorageError {
  return new StorageError('blob_missing', 'a blob is not there', { blob: toHex(id) })
}

/** Roughly what an index takes in memory. */
export function indexBytes(index: BlobIndex): number {
  return 256 + index.leaves.length * 128
}
