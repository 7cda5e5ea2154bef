// Public keys under the names that standards give them.
//
// did:key (W3C) is "did:key:z" and the base58 of 0xed 0x01 and the Ed25519 key. A libp2p peer id is
// the base58 of an identity multihash (0x00, length) over the key in its protobuf wrapping.

import { concatBytes } from '@mooring/codec'
import { decodeBase58, encodeBase58 } from './base.ts'
import { CryptoError } from './errors.ts'

const DID_PREFIX = 'did:key:z'
const MULTICODEC_ED25519 = Uint8Array.of(0xed, 0x01)
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

export function formatDidKey(publicKey: Uint8Array): string {
  return DID_PREFIX + encodeBase58(concatBytes(MULTICODEC_ED25519, publicKey))
}

export function parseDidKey(text: string): Uint8Array {
  if (!text.startsWith(DID_PREFIX)) {
    throw new CryptoError('not_did_key', `does not start with ${DID_PREFIX}`)
  }
  const decoded = decodeBase58(text.slice(DID_PREFIX.length))
  if (decoded.length !== 34 || decoded[0] !== 0xed || decoded[1] !== 0x01) {
    throw new CryptoError('not_did_key', 'not an Ed25519 key')
  }
  return decoded.slice(2)
}

export function formatPeerId(publicKey: Uint8Array): string {
  return encodeBase58(concatBytes(PEER_ID_PREFIX, publicKey))
}

/** The Ed25519 key inside; undefined when the text is no peer id of such a key. */
export function parsePeerId(text: string): Uint8Array | undefined {
  try {
    const decoded = decodeBase58(text)
    const isEd25519 = PEER_ID_PREFIX.every((byte, index) => decoded[index] === byte)
    return isEd25519 && decoded.length === 38 ? decoded.slice(PEER_ID_PREFIX.length) : undefined
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}
