// CRC-32C (Castagnoli), four bytes a step. It guards journal frames and marks against torn writes
// and rot; it is no protection against someone who can write to the disk.

import { viewOf } from './integers.ts'

const POLYNOMIAL = 0x82f63b78
const T0 = tableOf(1)
const T1 = tableOf(2)
const T2 = tableOf(3)
const T3 = tableOf(4)

/** What a byte adds to the checksum when so many bytes, itself included, have gone by. */
function tableOf(length: number): DataView {
  const table = new DataView(new ArrayBuffer(1024))
  for (let byte = 0; byte < 256; byte += 1) {
    let c = byte
    for (let bit = 0; bit < 8 * length; bit += 1) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1
    table.setInt32(byte * 4, c, true)
  }
  return table
}

/** Of the bytes, or of the bytes before and these when given what the former gave. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const view = viewOf(bytes)
  let c = before ^ 0xffffffff
  let i = 0
  for (const end = bytes.length - 3; i < end; i += 4) {
    c ^= view.getInt32(i, true)
    c =
      T3.getInt32((c & 0xff) << 2, true) ^
      T2.getInt32(((c >>> 8) & 0xff) << 2, true) ^
      T1.getInt32(((c >>> 16) & 0xff) << 2, true) ^
      T0.getInt32((c >>> 24) << 2, true)
  }
  for (; i < bytes.length; i += 1) {
    c = T0.getInt32(((c ^ view.getUint8(i)) & 0xff) << 2, true) ^ (c >>> 8)
  }
  return (c ^ 0xffffffff) >>> 0
}
