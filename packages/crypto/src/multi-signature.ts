// Signatures of a quorum over one message: which keys signed, as a bitmap over an ordered list of
// keys, and their signatures in that order.
//
// Signer i is bit i % 8, counted from the least significant, of byte i / 8. There is one encoding
// of a set of signers: the bitmap has exactly the bytes that the list needs and no bit beyond it,
// and exactly `quorum` keys sign, so that a certificate has a fixed size and nothing to pad.

import { toHex } from '@mooring/codec'
import { verify } from './keys.ts'

export interface MultiSignature {
  bitmap: Uint8Array
  signatures: Uint8Array[]
}

export interface MultiSigned {
  message: Uint8Array
  publicKeys: readonly Uint8Array[]
  quorum: number
  multiSignature: MultiSignature
}

export type InvalidMultiSignature =
  | { code: 'wrong_bitmap_length' | 'wrong_signature_count' | 'not_a_quorum' }
  | { code: 'signer_out_of_range' | 'duplicate_key' | 'bad_signature'; signer: number }

export function signersOf(bitmap: Uint8Array): number[] {
  const signers: number[] = []
  for (const [index, byte] of bitmap.entries()) {
    for (let bit = 0; bit < 8; bit += 1) {
      if (((byte >>> bit) & 1) === 1) signers.push(index * 8 + bit)
    }
  }
  return signers
}

export function bitmapOf(signers: readonly number[], size: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(size / 8))
  for (const signer of signers) {
    if (!Number.isInteger(signer) || signer < 0 || signer >= size) {
      throw new RangeError(`no signer ${signer} among ${size}`)
    }
    const byte = bitmap[signer >>> 3] ?? 0
    const bit = 1 << (signer & 7)
    if ((byte & bit) !== 0) throw new RangeError(`signer ${signer} is there twice`)
    bitmap[signer >>> 3] = byte | bit
  }
  return bitmap
}

export function checkMultiSignature(signed: MultiSigned): InvalidMultiSignature | undefined {
  const { message, publicKeys, quorum, multiSignature } = signed
  const { bitmap, signatures } = multiSignature
  if (bitmap.length !== Math.ceil(publicKeys.length / 8)) return { code: 'wrong_bitmap_length' }
  const signers = signersOf(bitmap)
  if (signers.length !== signatures.length) return { code: 'wrong_signature_count' }
  const seen = new Set<string>()
  const pairs: [signer: number, publicKey: Uint8Array, signature: Uint8Array][] = []
  for (const [index, signer] of signers.entries()) {
    const publicKey = publicKeys[signer]
    const signature = signatures[index]
    if (publicKey === undefined || signature === undefined) {
      return { code: 'signer_out_of_range', signer }
    }
    if (seen.has(toHex(publicKey))) return { code: 'duplicate_key', signer }
    seen.add(toHex(publicKey))
    pairs.push([signer, publicKey, signature])
  }
  if (signers.length !== quorum) return { code: 'not_a_quorum' }
  for (const [signer, publicKey, signature] of pairs) {
    if (!verify(publicKey, message, signature)) return { code: 'bad_signature', signer }
  }
  return undefined
}
