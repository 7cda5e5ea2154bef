// DEFLATE (RFC 1951) without a wrapper, for what is small as text and is sealed afterwards.
//
// Deflated bytes come from others and may say that they are a thousand times longer: they are inflated in
// pieces, and no further than the caller allows. Bytes after the end of the stream are not looked at;
// who needs one encoding of a value hashes the value.

import { deflateSync, FlateErrorCode, Inflate } from 'fflate'
import { CodecError } from './errors.ts'
import { concatBytes } from './hex.ts'

// A piece grows at most 1,032 times before its size is seen.
const PIECE_BYTES = 16 * 1024

/** The same bytes for the same input and the same release of fflate; no format may rest on that. */
export function deflate(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes)
}

/** Throws `too_large`, `truncated` or `not_deflate`. */
export function inflate(bytes: Uint8Array, sizeMax: number): Uint8Array {
  if (bytes.length === 0) throw new CodecError('truncated', 'nothing to inflate')
  const parts: Uint8Array[] = []
  let size = 0
  const stream = new Inflate((part) => {
    size += part.length
    parts.push(part)
  })
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    pushPiece(stream, bytes.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= bytes.length)
    if (size > sizeMax) throw new CodecError('too_large', `inflates to more than ${sizeMax} bytes`)
  }
  return concatBytes(...parts)
}

function pushPiece(stream: Inflate, piece: Uint8Array, isLast: boolean): void {
  try {
    stream.push(piece, isLast)
  } catch (cause) {
    const isEnd =
      cause instanceof Error && 'code' in cause && cause.code === FlateErrorCode.UnexpectedEOF
    throw new CodecError(isEnd ? 'truncated' : 'not_deflate', 'not a DEFLATE stream', { cause })
  }
}
