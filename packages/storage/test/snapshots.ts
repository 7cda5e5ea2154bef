// A snapshot of a small chain, and a chain that begins with one.

import { decode } from '@mooring/codec'
import { ChainImport } from '../src/chain-import.ts'
import type { ChainStore } from '../src/chain.ts'
import type { Database } from '../src/database.ts'
import type { FileSystem } from '../src/file-system.ts'
import type { StateValue } from '../src/pinned-chain.ts'
import { exportSnapshot } from '../src/snapshot-export.ts'
import { SnapshotFile, snapshotPath } from '../src/snapshot-file.ts'
import { decodeBlocks, decodeValues, type SnapshotManifest } from '../src/snapshot-format.ts'
import {
  blockSchema,
  chainOptions,
  encodeHeader,
  finalizationOf,
  GENESIS_DIGEST,
  isFinalizedAt,
  textBytes,
} from './chain-world.ts'

/** Blocks are a second apart. */
const WINDOW_MS = 5_000

export async function takeSnapshot(
  chain: Pick<ChainStore, 'pin'>,
  folder: string,
  fileSystem?: FileSystem,
): Promise<SnapshotManifest> {
  const pinned = await chain.pin()
  try {
    return await exportSnapshot(pinned, {
      folder,
      genesisDigest: GENESIS_DIGEST,
      windowMs: WINDOW_MS,
      ...(fileSystem && { fileSystem }),
      laterFinality: () =>
        Promise.resolve({
          finalization: textBytes('of a later block'),
          later: { header: textBytes('later'), path: [] },
        }),
    })
  } finally {
    await pinned.close()
  }
}

export async function importSnapshot(
  folder: string,
  height: number,
  database: Database,
  additions: StateValue[] = [],
): Promise<void> {
  const file = await SnapshotFile.open(snapshotPath(folder, height))
  const { core, epochs } = file.manifest
  const { base, frontier, stateChunks } = core
  const importing = await ChainImport.open(database, chainOptions.decodeHeader, {
    genesisDigest: GENESIS_DIGEST,
    base,
    frontier: { size: base.height + 1, digests: frontier },
  })
  for (let index = 0; index < file.chunkCount; index += 1) {
    const chunk = await file.chunk(index)
    if (index < stateChunks.length) await importing.addValues(decodeValues(chunk))
    else await importing.addBlocks(decodeBlocks(chunk).map(finalBlockOf))
  }
  if (additions.length > 0) await importing.addValues(additions)
  await importing.finish(
    epochs.map((ended, epoch) => ({
      ...ended,
      epoch,
      height: chainOptions.decodeHeader(ended.header).height,
    })),
  )
  await file.close()
}

function finalBlockOf(block: Uint8Array) {
  const { header, transactions } = decode(blockSchema, block)
  const encoded = encodeHeader(header)
  const { height } = header
  return {
    block,
    header: encoded,
    digest: chainOptions.decodeHeader(encoded).digest,
    finalization: isFinalizedAt(height) ? finalizationOf(height) : null,
    receipts: textBytes(`receipts of ${height}`),
    transactionIds: transactions.map((transaction) => transaction.slice(0, 32)),
  }
}
