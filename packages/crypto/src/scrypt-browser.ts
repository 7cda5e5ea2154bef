// scrypt where there is no native code; it lets the page breathe in between.

import { scryptAsync } from '@noble/hashes/scrypt.js'

export function derive(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { N, r, p }: { N: number; r: number; p: number },
): Promise<Uint8Array> {
  return scryptAsync(passphrase, salt, { N, r, p, dkLen: 32, maxmem: 128 * r * (N + p) + 4096 })
}
