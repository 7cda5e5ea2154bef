// The snapshots of a node, asked of its API.

import { type Client, createClient } from '@mooring/api/client'
import { fromHex } from '@mooring/codec'
import type { SnapshotSource } from '@mooring/node'

export function snapshotSourceOf(name: string, address: string, timeoutMs: number): SnapshotSource {
  const client: Client = createClient(address, { timeoutMs })
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
