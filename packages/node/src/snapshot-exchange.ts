// Snapshots between members: which there are, a manifest, a chunk. The bytes of both sides.
//
// A manifest and a chunk are answered as they are; whoever asked knows what they must be.

import { bytes, decode, encode, list, struct, uint, variant } from '@mooring/codec'
import { listSnapshots, SnapshotFile, snapshotPath } from '@mooring/storage'
import { NodeError } from './node-error.ts'

const LIST_MAX = 64

const requestSchema = variant({
  list: struct({}),
  manifest: struct({ height: uint() }),
  chunk: struct({ height: uint(), index: uint() }),
})

const listSchema = list(struct({ height: uint(), digest: bytes(32), bytes: uint() }), LIST_MAX)

export type SnapshotRequest =
  | { kind: 'list'; body: Record<string, never> }
  | { kind: 'manifest'; body: { height: number } }
  | { kind: 'chunk'; body: { height: number; index: number } }

export interface SnapshotEntry {
  height: number
  digest: Uint8Array
  bytes: number
}

export function encodeSnapshotRequest(request: SnapshotRequest): Uint8Array {
  return encode(requestSchema, request)
}

/** @throws CodecError */
export function decodeSnapshotList(data: Uint8Array): SnapshotEntry[] {
  return decode(listSchema, data, 64 * 1024)
}

/** The whole snapshots of a folder, newest first. */
export async function readSnapshots(folder: string): Promise<SnapshotEntry[]> {
  const entries: SnapshotEntry[] = []
  for (const height of (await listSnapshots(folder)).slice(0, LIST_MAX)) {
    entries.push(
      await withSnapshot(folder, height, ({ manifest, bytes: size }) =>
        Promise.resolve({ height, digest: manifest.digest, bytes: size }),
      ),
    )
  }
  return entries
}

/** @throws CodecError when the request cannot be read: the sender's fault. */
export async function answerSnapshotRequest(
  payload: Uint8Array,
  folder: string,
): Promise<Uint8Array> {
  const { kind, body } = decode(requestSchema, payload, 1024)
  if (kind === 'list') return encode(listSchema, await readSnapshots(folder))
  const { height } = body
  return withSnapshot(folder, height, (file) =>
    kind === 'manifest' ? Promise.resolve(file.encodedManifest) : chunkOf(file, body.index),
  )
}

export async function withSnapshot<T>(
  folder: string,
  height: number,
  work: (file: SnapshotFile) => Promise<T>,
): Promise<T> {
  if (!(await listSnapshots(folder)).includes(height)) {
    throw new NodeError('snapshot_unknown', { height })
  }
  const file = await SnapshotFile.open(snapshotPath(folder, height))
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

export async function chunkOf(file: SnapshotFile, index: number): Promise<Uint8Array> {
  if (index < file.chunkCount) return file.chunk(index)
  throw new NodeError('snapshot_unknown', { height: index })
}
