// The blob store that a node was told to use.
//
// The client of S3 takes 36 MB of memory and 70 ms to load, which is more than all the rest of this package;
// it is loaded where a bucket is configured, and nowhere else. One of the dynamic imports that scripts/layers.ts
// knows.

import type { BlobStore } from './blob-store.ts'
import { LocalBlobs } from './local-blobs.ts'
import type { S3BlobsOptions } from './s3-blobs.ts'

export type BlobPlace =
  | { kind: 'local'; directory: string }
  | ({ kind: 's3' } & Omit<S3BlobsOptions, 'timeoutMs'>)

export async function openBlobStore(place: BlobPlace): Promise<BlobStore> {
  if (place.kind === 'local') return await LocalBlobs.open({ directory: place.directory })
  const { S3Blobs } = await import('./s3-blobs.ts')
  return new S3Blobs(place)
}
