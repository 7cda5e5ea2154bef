// Hashing with a purpose. Every digest of the ledger's own formats starts with a domain,
// "mooring/<what>/v1" and a zero byte, so that bytes of one kind never pass for another.

import { createSha256, type IncrementalHash, sha256 } from '#sha256'

export { createSha256, type IncrementalHash, sha256 }

const domains = new Map<string, Uint8Array>()

export function domainBytes(what: string): Uint8Array {
  let prefix = domains.get(what)
  if (prefix === undefined) {
    prefix = new TextEncoder().encode(`mooring/${what}/v1\0`)
    domains.set(what, prefix)
  }
  return prefix
}

export function domainHash(what: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(domainBytes(what), ...parts)
}
