// SHA-256 where there is no native code.

import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = nobleSha256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}
