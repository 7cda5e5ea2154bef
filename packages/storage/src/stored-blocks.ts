// The blocks of a database as they are stored, one by one, whatever else of it is damaged: what a chain is
// made again from. Whoever reads them judges them.

import { decode } from '@mooring/codec'
import { requireValue } from './chain-check.ts'
import { type Floor, floorSchema, type Tip, tipSchema } from './chain-records.ts'
import { type Database, type DatabaseOperation, put } from './database.ts'
import { unlessDamaged } from './errors.ts'
import {
  blockKey,
  evidenceKey,
  finalizationKey,
  floorKey,
  pendingTransactionKey,
  tipKey,
} from './keys.ts'

export interface StoredBlocks {
  /** Undefined where that is damaged too. */
  tip: Tip | undefined
  floor: Floor | undefined
  /** @throws StorageError corrupt, missing */
  block(height: number): { block: Uint8Array; finalization: Uint8Array | undefined }
}

export function storedBlocks(database: Pick<Database, 'getSync'>): StoredBlocks {
  const read = <T>(key: Uint8Array, decoded: (stored: Uint8Array) => T): T | undefined => {
    const stored = unlessDamaged(() => database.getSync(key))
    return stored === undefined ? undefined : decoded(stored)
  }
  return {
    tip: read(tipKey(), (stored) => decode(tipSchema, stored)),
    floor: read(floorKey(), (stored) => decode(floorSchema, stored)),
    block: (height) => ({
      block: requireValue(database, blockKey(height)),
      finalization: unlessDamaged(() => database.getSync(finalizationKey(height))),
    }),
  }
}

const LAST = Number.MAX_SAFE_INTEGER

/** What is in the database of the chain and no other node has it for sure: waiting transactions, evidence. */
export async function copyBeside(
  from: Database,
  to: Pick<Database, 'batch'>,
): Promise<{ copied: number; damaged: number }> {
  const none = new Uint8Array(0)
  const ids = { from: pendingTransactionKey(none), to: pendingTransactionKey(EVERY_ID) }
  const arrivals = { from: evidenceKey(0), to: evidenceKey(LAST) }
  const operations: DatabaseOperation[] = []
  let damaged = 0
  for (const range of [ids, arrivals]) {
    for await (const key of from.keys(range)) {
      const value = unlessDamaged(() => from.getSync(key))
      if (value === undefined) damaged += 1
      else operations.push(put(key, value))
    }
  }
  await to.batch(operations, { sync: true })
  return { copied: operations.length, damaged }
}

const EVERY_ID = new Uint8Array(33).fill(0xff)
