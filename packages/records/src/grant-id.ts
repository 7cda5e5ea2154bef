// The id of a grant tells the wallet that made it, and nobody else, the number of its one-time key: so a
// wallet that was made again from its words can still revoke what it finds at its hospitals.
//
// Eight random bytes, then the number and a check, both hidden by what the seed makes of the random ones.

import { concatBytes, toHex } from '@mooring/codec'
import type { RandomBytes } from './batch.ts'
import { patientSecret } from './patient-keys.ts'

export const GRANT_ID_BYTES = 16

const RANDOM_BYTES = 8
const INDEX_BYTES = 6
const INDEX_MAX = 2 ** (8 * INDEX_BYTES) - 1

export function grantIdOf(seed: Uint8Array, index: number, random: RandomBytes): Uint8Array {
  if (!Number.isSafeInteger(index) || index < 0 || index > INDEX_MAX) {
    throw new RangeError(`a one-time key of number ${index}`)
  }
  const start = random(RANDOM_BYTES)
  const plain = new Uint8Array(GRANT_ID_BYTES - RANDOM_BYTES)
  const view = new DataView(plain.buffer)
  view.setUint16(0, Math.floor(index / 2 ** 32))
  view.setUint32(2, index % 2 ** 32)
  return concatBytes(start, masked(seed, start, plain))
}

/** Undefined when another seed has made it; one foreign id in 65,536 gives some number. */
export function indexOfGrantId(seed: Uint8Array, id: Uint8Array): number | undefined {
  if (id.length !== GRANT_ID_BYTES) return undefined
  const plain = masked(seed, id.subarray(0, RANDOM_BYTES), id.subarray(RANDOM_BYTES))
  const view = new DataView(plain.buffer)
  if (view.getUint16(INDEX_BYTES) !== 0) return undefined
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2)
}

function masked(seed: Uint8Array, start: Uint8Array, bytes: Uint8Array): Uint8Array {
  const mask = patientSecret(seed, `grant-id/v1|${toHex(start)}`)
  return bytes.map((byte, index) => byte ^ (mask[index] ?? 0))
}
