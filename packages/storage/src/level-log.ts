// The format that LevelDB writes its logs and its manifest in.
//
//   log   = 32 KiB blocks of records: u32 masked crc32c | u16 length | u8 type | data
//
// What is longer than the rest of a block goes on in the next one: its first, middle and last parts are
// records of their own types.

import { concatBytes } from '@mooring/codec'
import { crc32c } from './crc32c.ts'
import { viewOf } from './integers.ts'

const LOG_BLOCK_BYTES = 32 * 1024
const RECORD_HEAD_BYTES = 7
const RECORD_TYPE_MAX = 4
const WHOLE = 1
const FIRST = 2
const LAST = 4

/** What was written, entry by entry, up to the first record that does not check. */
export function* entriesOfLog(log: Uint8Array): Generator<Uint8Array> {
  let at = 0
  let parts: Uint8Array[] = []
  while (at < log.length) {
    const blockEnd = (Math.floor(at / LOG_BLOCK_BYTES) + 1) * LOG_BLOCK_BYTES
    if (blockEnd - at < RECORD_HEAD_BYTES) {
      at = blockEnd
      continue
    }
    const end = endOfRecord(log, at, blockEnd)
    if (end === undefined) return
    const type = log[at + 6] ?? 0
    if (type === WHOLE || type === FIRST) parts = []
    parts.push(log.subarray(at + RECORD_HEAD_BYTES, end))
    if (type === WHOLE || type === LAST) yield concatBytes(...parts)
    at = end
  }
}

/**
 * A record that does not check is the torn end of the newest log if nothing whole follows, neither
 * where the record says that it ends nor at the start of any later block.
 */
export function faultOfLog(log: Uint8Array, isNewest: boolean): string | undefined {
  let at = 0
  while (at < log.length) {
    const blockEnd = (Math.floor(at / LOG_BLOCK_BYTES) + 1) * LOG_BLOCK_BYTES
    if (blockEnd - at < RECORD_HEAD_BYTES) {
      at = blockEnd
      continue
    }
    const end = endOfRecord(log, at, blockEnd)
    if (end === undefined) {
      const isTorn = isNewest && !hasRecordAfter(log, at, blockEnd)
      return isTorn ? undefined : `damaged in the record at ${at}`
    }
    at = end
  }
  return undefined
}

function hasRecordAfter(log: Uint8Array, at: number, blockEnd: number): boolean {
  const isHeadThere = at + RECORD_HEAD_BYTES <= log.length
  const claimed = isHeadThere ? at + RECORD_HEAD_BYTES + viewOf(log).getUint16(at + 4, true) : at
  if (claimed > at && endOfRecord(log, claimed, blockEnd) !== undefined) return true
  for (let start = blockEnd; start < log.length; start += LOG_BLOCK_BYTES) {
    if (endOfRecord(log, start, start + LOG_BLOCK_BYTES) !== undefined) return true
  }
  return false
}

/** Undefined when no whole record starts there. */
function endOfRecord(log: Uint8Array, at: number, blockEnd: number): number | undefined {
  if (at + RECORD_HEAD_BYTES > Math.min(log.length, blockEnd)) return undefined
  const view = viewOf(log)
  const type = view.getUint8(at + 6)
  const end = at + RECORD_HEAD_BYTES + view.getUint16(at + 4, true)
  if (type < 1 || type > RECORD_TYPE_MAX || end > Math.min(log.length, blockEnd)) return undefined
  return view.getUint32(at, true) === maskedChecksum(log.subarray(at + 6, end)) ? end : undefined
}

/** As LevelDB stores a checksum, so that one over bytes that hold checksums stays sound. */
export function maskedChecksum(bytes: Uint8Array): number {
  const c = crc32c(bytes)
  return (((c >>> 15) | (c << 17)) + 0xa282ead8) >>> 0
}
