// A compact JSON Web Signature (RFC 7515) with Ed25519 (RFC 8037), for one type of document.
//
// The header is the same bytes always: there is no algorithm to choose, and nothing in it to parse.
// The signature covers the two texts before it, so what was signed is what is read.

import { concatBytes } from '@mooring/codec'
import {
  CryptoError,
  decodeBase64url,
  encodeBase64url,
  type KeyPair,
  sign,
  verify,
} from '@mooring/crypto'
import { RecordsError } from './errors.ts'

const utf8 = new TextEncoder()

export interface Jws {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  /** What the signature covers. */
  readonly signed: Uint8Array
}

export function formatJws(keyPair: KeyPair, type: string, payload: Uint8Array): string {
  const signed = `${headerOf(type)}.${encodeBase64url(payload)}`
  return `${signed}.${encodeBase64url(sign(keyPair, utf8.encode(signed)))}`
}

/** Of a signature that was made before. */
export function joinJws(type: string, payload: Uint8Array, signature: Uint8Array): string {
  return `${headerOf(type)}.${encodeBase64url(payload)}.${encodeBase64url(signature)}`
}

/** Reads and does not verify. @throws RecordsError with the path of the part that is wrong. */
export function parseJws(jws: string, type: string, path: string): Jws {
  const [header, payload, signature, ...more] = jws.split('.')
  if (payload === undefined || signature === undefined || more.length > 0) {
    throw new RecordsError('bad_encoding', path, 'not three parts with points between them')
  }
  if (header !== headerOf(type)) {
    throw new RecordsError('bad_encoding', `${path}.header`, `not alg EdDSA and typ ${type}`)
  }
  const read = {
    payload: decode(payload, path, 'payload'),
    signature: decode(signature, path, 'signature'),
  }
  if (read.signature.length !== 64) {
    throw new RecordsError('wrong_length', `${path}.signature`, 'not 64 bytes')
  }
  return { ...read, signed: concatBytes(utf8.encode(`${header}.`), utf8.encode(payload)) }
}

export function verifyJws({ signed, signature }: Jws, publicKey: Uint8Array): boolean {
  return verify(publicKey, signed, signature)
}

function headerOf(type: string): string {
  return encodeBase64url(utf8.encode(JSON.stringify({ alg: 'EdDSA', typ: type })))
}

function decode(part: string, path: string, name: string): Uint8Array {
  try {
    return decodeBase64url(part)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new RecordsError('bad_encoding', `${path}.${name}`, 'not base64url', { cause })
  }
}
