// All of a sealed segment, or nothing of it.
//
// A stream cipher opens any part of a ciphertext to who has the key, and the first shard of a set is the first
// part of it: with the data key alone, its holder would have read a short record, and no other holder would
// have had a trace of that. So what is split is masked once more. The mask follows from the data key and from
// the tag of the seal, and the tag is hidden under a hash of all masked bytes: whoever lacks some of them
// lacks the tag, and with it every byte. What is masked is as long as it was.

import { concatBytes } from '@mooring/codec'
import { AEAD_TAG_BYTES, domainBytes, hkdfSha256, scaleInto, sha256 } from '@mooring/crypto'
import { underKeyStreamWithRoom } from './key-stream.ts'

const KEY_BYTES = 32
const MASK_INFO = domainBytes('segment-mask')
const HIDE_LABEL = domainBytes('segment-tag')

/** `sealed` ends with its tag, `nonce` is that of the segment. */
export function maskSegment(dek: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array {
  const { body, tag } = parted(sealed)
  return withTag(underMask(dek, nonce, { body, tag }), (masked) => hidden(tag, masked))
}

export function unmaskSegment(dek: Uint8Array, nonce: Uint8Array, masked: Uint8Array): Uint8Array {
  const { body, tag } = parted(masked)
  const bare = hidden(tag, body)
  return withTag(underMask(dek, nonce, { body, tag: bare }), () => bare)
}

function withTag(bytes: Uint8Array, tagOf: (body: Uint8Array) => Uint8Array): Uint8Array {
  const { body, tag } = parted(bytes)
  tag.set(tagOf(body))
  return bytes
}

function parted(bytes: Uint8Array): { body: Uint8Array; tag: Uint8Array } {
  const at = bytes.length - AEAD_TAG_BYTES
  return { body: bytes.subarray(0, at), tag: bytes.subarray(at) }
}

/** Twice is not at all. There is room for a tag behind. */
function underMask(
  dek: Uint8Array,
  nonce: Uint8Array,
  { body, tag }: { body: Uint8Array; tag: Uint8Array },
): Uint8Array {
  const key = hkdfSha256(dek, tag, concatBytes(MASK_INFO, nonce), KEY_BYTES)
  return underKeyStreamWithRoom(key, body)
}

function hidden(tag: Uint8Array, masked: Uint8Array): Uint8Array {
  const changed = tag.slice()
  scaleInto(changed, sha256(HIDE_LABEL, masked).subarray(0, AEAD_TAG_BYTES), 1)
  return changed
}
