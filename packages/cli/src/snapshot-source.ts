// The snapshots of a node, asked of its API.

import { connectClient } from '@mooring/api/node-client'
import { fromHex } from '@mooring/codec'
import type { SnapshotSource } from '@mooring/node'

export function snapshotSourceOf(name: string, address: string, timeoutMs: number): SnapshotSource {
  const client = connectClient(address, { timeoutMs })
  return {
    name,
    list: async () =>
      (await client.snapshots()).items.map(({ digest, ...entry }) => ({
        ...entry,
        digest: fromHex(digest),
      })),
    manifest: (height) => client.snapshotManifest(height),
    chunk: (height, index) => client.snapshotChunk(height, index),
  }
}
