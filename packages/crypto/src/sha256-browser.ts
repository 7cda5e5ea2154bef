// SHA-256 where there is no native code.

import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = nobleSha256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export interface IncrementalHash {
  update(bytes: Uint8Array): void
  digest(): Uint8Array
}

/** The digest of bytes that come in parts; it is taken once. */
export function createSha256(): IncrementalHash {
  const hash = nobleSha256.create()
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
}
