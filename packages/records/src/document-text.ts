// Small documents that people hand each other: a line of text that survives a message, a sheet of paper
// or a QR code. `mooring-<kind>:<version>:<base64url>`; the bytes are CBOR and four bytes of a digest, so that
// a slip of the pen is noticed before it becomes a key.

import { CodecError, concatBytes, decode, encode, equalBytes, type Schema } from '@mooring/codec'
import { CryptoError, decodeBase64url, domainHash, encodeBase64url } from '@mooring/crypto'
import { RecordsError } from './errors.ts'

export interface DocumentKind<T> {
  readonly name: string
  readonly schema: Schema<T>
  readonly bytesMax: number
}

const VERSION = 1
const CHECK_BYTES = 4

const utf8 = new TextEncoder()

export function formatDocumentText<T>(kind: DocumentKind<T>, value: T): string {
  const content = encode(kind.schema, value)
  return `${prefixOf(kind)}${encodeBase64url(concatBytes(content, checkOf(kind, content)))}`
}

/** @throws RecordsError that says what it is instead, or where it is damaged. */
export function parseDocumentText<T>(kind: DocumentKind<T>, typed: string): T {
  const text = typed.trim()
  const prefix = prefixOf(kind)
  if (!text.startsWith(prefix)) {
    throw new RecordsError('bad_encoding', '', `it does not begin with "${prefix}"`)
  }
  if (text.length > prefix.length + 2 * kind.bytesMax) {
    throw new RecordsError('too_large', '', `more than ${kind.bytesMax} bytes`)
  }
  try {
    const bytes = decodeBase64url(text.slice(prefix.length))
    const content = bytes.subarray(0, Math.max(0, bytes.length - CHECK_BYTES))
    if (!equalBytes(bytes.subarray(content.length), checkOf(kind, content))) {
      throw new RecordsError('bad_encoding', '', 'a character is wrong or missing')
    }
    return decode(kind.schema, content, kind.bytesMax)
  } catch (cause) {
    if (!(cause instanceof CodecError || cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', '', cause.message, { cause })
  }
}

function prefixOf({ name }: DocumentKind<unknown>): string {
  return `mooring-${name}:${VERSION}:`
}

function checkOf({ name }: DocumentKind<unknown>, content: Uint8Array): Uint8Array {
  return domainHash('document-text', utf8.encode(name), content).subarray(0, CHECK_BYTES)
}
