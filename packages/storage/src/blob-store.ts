// Large sealed bytes, kept outside of LevelDB: an interface with two implementations, files of this
// computer (local-blobs.ts) and a bucket elsewhere (s3-blobs.ts).
//
// A blob is a list of pieces of one length, the last one shorter, and its id is the RFC 9162 root over
// the pieces. A shard is a blob whose pieces are its fragments: its id is the leaf that the shard set
// names, and every piece that is read is checked against it, also when only that piece is read.

export interface BlobShape {
  id: Uint8Array
  pieceBytes: number
}

export interface BlobStat {
  id: Uint8Array
  /** Without what the store adds. */
  size: number
}

/** Nothing is there before `commit`. After an error, or instead of a commit: `abort`. */
export interface BlobWriter {
  /** The next bytes, cut as they come; awaited before the next call. */
  write(bytes: Uint8Array): Promise<void>
  /** Durable when it resolves; throws `blob_corrupt` when the bytes are not those of the id. */
  commit(): Promise<BlobStat>
  abort(): Promise<void>
}

export interface BlobStore {
  create(shape: BlobShape): Promise<BlobWriter>
  /**
   * Bytes [from, from + length), every piece of them checked; throws `blob_missing`, `blob_corrupt`.
   * All of it is in memory at once: the caller reads a large blob in ranges.
   */
  read(id: Uint8Array, from: number, length: number): Promise<Uint8Array>
  /** The leaf hashes of the pieces, checked: proofs of single pieces are made of them. */
  leaves(id: Uint8Array): Promise<Uint8Array[]>
  stat(id: Uint8Array): Promise<BlobStat | undefined>
  /** Whether there was one. */
  remove(id: Uint8Array): Promise<boolean>
  /** All ids, in no order that means anything. */
  list(): AsyncIterable<Uint8Array>
  close(): Promise<void>
}
