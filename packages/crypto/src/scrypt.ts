// scrypt (RFC 7914): a key from a passphrase, made slow and large on purpose, so that a thief who tries
// all passphrases pays for each. It is the only thing here that takes long, and hence a promise.
//
// The cost may come from a file that somebody else wrote: it is bounded before any memory is taken.

import { derive } from '#scrypt'
import { CryptoError } from './errors.ts'

export interface ScryptCost {
  /** A power of two. */
  readonly N: number
  readonly r: number
  readonly p: number
}

/** 128 MiB, and about a third of a second. */
export const SCRYPT_COST: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

const N_MIN = 2 ** 10
const MEMORY_BYTES_MAX = 256 * 1024 * 1024
const SALT_BYTES_MIN = 16
const P_MAX = 4

/** 32 bytes. @throws CryptoError when the cost is none that is paid here. */
export function scryptKey(
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: ScryptCost,
): Promise<Uint8Array> {
  checkCost(cost)
  if (salt.length < SALT_BYTES_MIN) throw new RangeError(`a salt of ${salt.length} bytes`)
  return derive(passphrase, salt, cost)
}

function checkCost({ N, r, p }: ScryptCost): void {
  const isPower = Number.isSafeInteger(N) && N >= N_MIN && Number.isInteger(Math.log2(N))
  const isSmall = [r, p].every((each) => Number.isSafeInteger(each) && each >= 1)
  if (isPower && isSmall && p <= P_MAX && 128 * N * r <= MEMORY_BYTES_MAX) return
  throw new CryptoError('scrypt_cost', `N ${N}, r ${r}, p ${p}`)
}
