// A damaged database written anew: what can be read and is what was put goes into another one. Which of the
// rest is only an index, and can be had again from elsewhere, the caller knows; here it is named by kind.
//
// Where a table is damaged, LevelDB may also have lost keys of which nothing is left to tell. So what comes
// out is never taken for whole: the store of records drops its index with every repair, and has it back
// from the holders; the vault is compared with what the others believe to be here.

import { type Database, type DatabaseOperation, put } from './database.ts'
import { checkEntries } from './check-entries.ts'
import { formatKey, spaceOf } from './keys.ts'

const BATCH_BYTES = 4 * 1024 * 1024

export interface Salvaged {
  kept: number
  /** Values that were damaged, by the name of their kind. */
  damaged: ReadonlyMap<string, number>
  /** Good values that were left out, by the name of their kind. */
  dropped: ReadonlyMap<string, number>
}

/** Letters of the private store that only say where its records are. */
const RECORD_INDEX = 'rwgmityYWedaqpbQuUc'

export function isRecordIndex(key: Uint8Array): boolean {
  return RECORD_INDEX.includes(String.fromCharCode(key[0] ?? 0))
}

export async function salvage(
  from: Database,
  to: Pick<Database, 'batch'>,
  isDropped: (key: Uint8Array) => boolean = () => false,
): Promise<Salvaged> {
  const damaged = new Map<string, number>()
  const dropped = new Map<string, number>()
  let operations: DatabaseOperation[] = []
  let bytes = 0
  let kept = 0
  const flush = async (): Promise<void> => {
    await to.batch(operations, { sync: true })
    operations = []
    bytes = 0
  }
  const [format] = formatKey()
  await checkEntries(from, {
    good: async (key, value) => {
      // The new database says its own.
      if (key.length === 1 && key[0] === format) return
      if (isDropped(key)) return count(dropped, key)
      operations.push(put(key.slice(), value))
      bytes += value.length
      kept += 1
      if (bytes >= BATCH_BYTES) await flush()
    },
    damaged: (key) => count(damaged, key),
  })
  await flush()
  return { kept, damaged, dropped }
}

function count(into: Map<string, number>, key: Uint8Array): void {
  const name = spaceOf(key)
  into.set(name, (into.get(name) ?? 0) + 1)
}
