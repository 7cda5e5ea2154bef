// DEFLATE (RFC 1951) without a wrapper, for what is small as text and is sealed afterwards.
//
// Deflated bytes come from others and may say that they are a thousand times longer: they are inflated no
// further than the caller allows, short ones into a buffer of that size, others in pieces. Bytes after the
// end of the stream are not looked at; who needs one encoding of a value hashes the value.

import { deflateSync, FlateErrorCode, Inflate, inflateSync } from 'fflate'
import { CodecError } from './errors.ts'
import { concatBytes } from './hex.ts'

// A piece grows at most 1,032 times before its size is seen.
const PIECE_BYTES = 16 * 1024
// Up to here a buffer for all of it costs less than what a stream keeps.
const AT_ONCE_BYTES = 256 * 1024

/** The same bytes for the same input and the same release of fflate; no format may rest on that. */
export function deflate(bytes: Uint8Array, dictionary?: Uint8Array): Uint8Array {
  return deflateSync(bytes, dictionary === undefined ? {} : { dictionary })
}

/** Throws `too_large`, `truncated` or `not_deflate`. */
export function inflate(bytes: Uint8Array, sizeMax: number, dictionary?: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new CodecError('truncated', 'nothing to inflate')
  if (bytes.length <= PIECE_BYTES && sizeMax <= AT_ONCE_BYTES) {
    return inflateAtOnce(bytes, sizeMax, dictionary)
  }
  const parts: Uint8Array[] = []
  let size = 0
  const stream = new Inflate(dictionary === undefined ? {} : { dictionary }, (part) => {
    size += part.length
    parts.push(part)
  })
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    pushPiece(stream, bytes.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= bytes.length)
    if (size > sizeMax) throw tooLarge(sizeMax)
  }
  return concatBytes(...parts)
}

/** One byte more than allowed shows that there was more; what is beyond the buffer is dropped. */
function inflateAtOnce(bytes: Uint8Array, sizeMax: number, dictionary?: Uint8Array): Uint8Array {
  let inflated: Uint8Array
  const out = new Uint8Array(sizeMax + 1)
  try {
    inflated = inflateSync(bytes, dictionary === undefined ? { out } : { out, dictionary })
  } catch (cause) {
    // A stored block that does not fit into the buffer.
    if (cause instanceof RangeError) throw tooLarge(sizeMax, { cause })
    throw notDeflate(cause)
  }
  if (inflated.length > sizeMax) throw tooLarge(sizeMax)
  return inflated
}

function pushPiece(stream: Inflate, piece: Uint8Array, isLast: boolean): void {
  try {
    stream.push(piece, isLast)
  } catch (cause) {
    throw notDeflate(cause)
  }
}

function notDeflate(cause: unknown): CodecError {
  const isEnd =
    cause instanceof Error && 'code' in cause && cause.code === FlateErrorCode.UnexpectedEOF
  return new CodecError(isEnd ? 'truncated' : 'not_deflate', 'not a DEFLATE stream', { cause })
}

function tooLarge(sizeMax: number, options?: ErrorOptions): CodecError {
  return new CodecError('too_large', `inflates to more than ${sizeMax} bytes`, options)
}
