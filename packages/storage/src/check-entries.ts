// Every value of a database read and compared with its checksum, going on behind what is damaged.

import { setImmediate } from 'node:timers/promises'
import type { Database, PinnedDatabase } from './database.ts'
import { EVERY_KEY } from './entries.ts'
import { StorageError } from './errors.ts'

const ENTRIES_A_TURN = 500
const BYTES_A_TURN = 2 * 1024 * 1024
const PROBLEMS_MAX = 1_000

export interface EntriesCheck {
  entries: number
  /** The first thousand. */
  problems: StorageError[]
  damaged: number
}

/** `onGood` is given what holds, `onDamaged` the keys of what does not. */
export async function checkEntries(
  database: Pick<Database, 'keys' | 'getSync'> | PinnedDatabase,
  on: {
    good?: (key: Uint8Array, value: Uint8Array) => void | Promise<void>
    damaged?: (key: Uint8Array) => void
  } = {},
): Promise<EntriesCheck> {
  const found: EntriesCheck = { entries: 0, problems: [], damaged: 0 }
  const note = (error: unknown): void => {
    if (!(error instanceof StorageError)) throw error
    found.damaged += 1
    if (found.problems.length < PROBLEMS_MAX) found.problems.push(error)
  }
  let bytes = 0
  let sinceTurn = 0
  try {
    for await (const key of database.keys(EVERY_KEY)) {
      found.entries += 1
      sinceTurn += 1
      try {
        const value = database.getSync(key)
        bytes += value?.length ?? 0
        if (value !== undefined) await on.good?.(key, value)
      } catch (error) {
        note(error)
        on.damaged?.(key)
      }
      if (sinceTurn < ENTRIES_A_TURN && bytes < BYTES_A_TURN) continue
      sinceTurn = 0
      bytes = 0
      await setImmediate()
    }
  } catch (error) {
    // The row of keys itself cannot be read on.
    note(error)
  }
  return found
}
