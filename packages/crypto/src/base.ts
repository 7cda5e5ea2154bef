// Bytes as text for people and URLs: base58btc, and base64url without padding.

import { base58, base64urlnopad } from '@scure/base'
import { CryptoError } from './errors.ts'

// Decoding base58 takes time in the square of the length; keys and ids have about fifty digits.
const BASE58_DIGITS_MAX = 256

export function encodeBase58(bytes: Uint8Array): string {
  return base58.encode(bytes)
}

export function decodeBase58(text: string): Uint8Array {
  if (text.length > BASE58_DIGITS_MAX) {
    throw new CryptoError('too_long', `${text.length} digits, at most ${BASE58_DIGITS_MAX}`)
  }
  try {
    return base58.decode(text)
  } catch (cause) {
    throw new CryptoError('not_base58', 'a character outside the alphabet', { cause })
  }
}

export function encodeBase64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes)
}

export function decodeBase64url(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text)
  } catch (cause) {
    throw new CryptoError('not_base64url', 'not the base64url text of any bytes', { cause })
  }
}
