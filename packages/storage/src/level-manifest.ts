// Which tables a LevelDB consists of, by its manifest: a log of edits, each a list of tagged fields.
//
//   1 comparator: text · 2 log, 3 next file, 4 last sequence, 9 previous log: varint
//   5 compaction pointer: level, text · 6 table deleted: level, number
//   7 table added: level, number, size, text, text                     text: varint length, bytes
//
// An edit that a crash tore off at the end was never in force.

import { entriesOfLog } from './level-log.ts'
import { VarintReader } from './varint-reader.ts'

/** Numbers of the tables in force; undefined when the manifest is not one. */
export function liveTablesOf(manifest: Uint8Array): Set<number> | undefined {
  const live = new Set<number>()
  for (const edit of entriesOfLog(manifest)) {
    const fields = new VarintReader(edit)
    while (!fields.isDone) if (!applyField(fields, live)) return undefined
  }
  return live
}

function applyField(fields: VarintReader, live: Set<number>): boolean {
  switch (fields.varint()) {
    case 1:
      passText(fields)
      return true
    case 2:
    case 3:
    case 4:
    case 9:
      fields.varint()
      return true
    case 5:
      fields.varint()
      passText(fields)
      return true
    case 6:
      fields.varint()
      live.delete(fields.varint())
      return true
    case 7:
      fields.varint()
      live.add(fields.varint())
      fields.varint()
      passText(fields)
      passText(fields)
      return true
    default:
      return false
  }
}

function passText(fields: VarintReader): void {
  fields.pass(fields.varint())
}
