// data/LOST: a repair gave up a part of what the databases had, and its node has to ask the others for it.
// The file is there until every other member has told what it has.

import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { storageErrorOf } from '@mooring/storage'
import { isThere } from './durable-files.ts'

export interface LostMark {
  readonly isSet: boolean
  /** Durable enough: where it comes back after a power loss, the others are asked once more. */
  clear(): Promise<void>
}

export const NOTHING_LOST: LostMark = { isSet: false, clear: () => Promise.resolve() }

export async function setLostMark(dataDir: string): Promise<void> {
  const file = await open(pathIn(dataDir), 'w', 0o600)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function readLostMark(dataDir: string): Promise<LostMark> {
  const path = pathIn(dataDir)
  let isSet = await isThere(path).catch((error: unknown) => {
    throw storageErrorOf(error, 'the mark of a repair cannot be read', path)
  })
  return {
    get isSet() {
      return isSet
    },
    async clear() {
      if (!isSet) return
      isSet = false
      await rm(path, { force: true })
    },
  }
}

function pathIn(dataDir: string): string {
  return join(dataDir, 'LOST')
}
