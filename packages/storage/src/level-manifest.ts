// Which tables a LevelDB consists of, by its manifest: a log of edits, each a list of tagged fields.
//
//   1 comparator: text · 2 log, 3 next file, 4 last sequence, 9 previous log: varint
//   5 compaction pointer: level, text · 6 table deleted: level, number
//   7 table added: level, number, size, text, text                     text: varint length, bytes
//
// An edit that a crash tore off at the end was never in force.

import { entriesOfLog } from './level-log.ts'

/** Numbers of the tables in force; undefined when the manifest is not one. */
export function liveTablesOf(manifest: Uint8Array): Set<number> | undefined {
  const live = new Set<number>()
  for (const edit of entriesOfLog(manifest)) {
    const fields = new EditReader(edit)
    while (!fields.isDone) if (!applyField(fields, live)) return undefined
  }
  return live
}

function applyField(fields: EditReader, live: Set<number>): boolean {
  switch (fields.varint()) {
    case 1:
      fields.skipText()
      return true
    case 2:
    case 3:
    case 4:
    case 9:
      fields.varint()
      return true
    case 5:
      fields.varint()
      fields.skipText()
      return true
    case 6:
      fields.varint()
      live.delete(fields.varint())
      return true
    case 7:
      fields.varint()
      live.add(fields.varint())
      fields.varint()
      fields.skipText()
      fields.skipText()
      return true
    default:
      return false
  }
}

class EditReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** NaN behind the end, which is no tag. */
  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at]
      this.#at += 1
      if (byte === undefined) return Number.NaN
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  skipText(): void {
    const length = this.varint()
    this.#at += Number.isNaN(length) ? this.#bytes.length : length
  }
}
