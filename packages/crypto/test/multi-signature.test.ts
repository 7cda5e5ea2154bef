import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  bitmapOf,
  checkMultiSignature,
  keyPairFromSeed,
  type MultiSigned,
  sign,
  signersOf,
} from '../src/index.ts'

const message = Uint8Array.of(1, 2, 3)
const keyPairs = Array.from({ length: 10 }, (_, index) =>
  keyPairFromSeed(new Uint8Array(32).fill(index)),
)
const publicKeys = keyPairs.map((keyPair) => keyPair.publicKey)
const signatures = keyPairs.map((keyPair) => sign(keyPair, message))

function signatureOf(signer: number): Uint8Array {
  const signature = signatures[signer]
  assert.ok(signature !== undefined)
  return signature
}

function signedBy(signers: number[], change: Partial<MultiSigned> = {}): MultiSigned {
  const bitmap = bitmapOf(signers, publicKeys.length)
  const multiSignature = { bitmap, signatures: signers.map(signatureOf) }
  return { message, publicKeys, quorum: signers.length, multiSignature, ...change }
}

test('a quorum in ascending order is accepted', () => {
  assert.equal(checkMultiSignature(signedBy([0, 2, 3, 5, 7, 8, 9])), undefined)
  assert.equal(checkMultiSignature(signedBy([9])), undefined)
  assert.equal(checkMultiSignature(signedBy([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])), undefined)
})

test('bitmaps and lists of signers are the same thing', () => {
  assert.deepEqual(bitmapOf([0, 9], 10), Uint8Array.of(0b0000_0001, 0b0000_0010))
  assert.equal(bitmapOf([], 0).length, 0)
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(99)), (signers) => {
      const ascending = signers.toSorted((a, b) => a - b)
      assert.deepEqual(signersOf(bitmapOf(signers, 100)), ascending)
      assert.equal(bitmapOf(signers, 100).length, 13)
    }),
  )
})

test('a signer twice, or none of the keys, has no bitmap', () => {
  for (const signers of [[1, 1], [10], [-1], [0.5], [Number.NaN]]) {
    assert.throws(() => bitmapOf(signers, 10), RangeError)
  }
})

test('a bit beyond the last key is refused', () => {
  const signed = signedBy([1, 2])
  const [first, second] = signed.multiSignature.bitmap
  for (const bit of [2, 3, 4, 5, 6, 7]) {
    const bitmap = Uint8Array.of(first ?? 0, (second ?? 0) | (1 << bit))
    const extra = [...signed.multiSignature.signatures, signatureOf(3)]
    const multiSignature = { bitmap, signatures: extra }
    assert.deepEqual(checkMultiSignature({ ...signed, quorum: 3, multiSignature }), {
      code: 'signer_out_of_range',
      signer: 8 + bit,
    })
  }
})

test('a bitmap of another length is refused', () => {
  const signed = signedBy([1, 2])
  for (const length of [0, 1, 3]) {
    const bitmap = new Uint8Array(length)
    bitmap.set(signed.multiSignature.bitmap.subarray(0, length))
    const multiSignature = { ...signed.multiSignature, bitmap }
    assert.deepEqual(checkMultiSignature({ ...signed, multiSignature }), {
      code: 'wrong_bitmap_length',
    })
  }
})

test('bits and signatures must be as many', () => {
  const signed = signedBy([1, 2, 3])
  for (const count of [0, 2, 4]) {
    const some = [1, 2, 3, 4].slice(0, count).map(signatureOf)
    const multiSignature = { ...signed.multiSignature, signatures: some }
    assert.deepEqual(checkMultiSignature({ ...signed, multiSignature }), {
      code: 'wrong_signature_count',
    })
  }
})

test('fewer or more than the quorum are refused', () => {
  for (const quorum of [0, 2, 4]) {
    assert.deepEqual(checkMultiSignature(signedBy([1, 2, 3], { quorum })), { code: 'not_a_quorum' })
  }
})

test('a bad signature names its signer', () => {
  const { bitmap } = signedBy([1, 4, 6]).multiSignature
  const wrong: [signatures: Uint8Array[], signer: number][] = [
    [[signatureOf(4), signatureOf(1), signatureOf(6)], 1],
    [[signatureOf(1), signatureOf(1), signatureOf(6)], 4],
    [[signatureOf(1), signatureOf(4), signatureOf(7)], 6],
    [[signatureOf(1), signatureOf(4), signatureOf(6).subarray(1)], 6],
    [[signatureOf(1), signatureOf(4).with(40, 0).with(41, 0), signatureOf(6)], 4],
  ]
  for (const [list, signer] of wrong) {
    const reason = checkMultiSignature(
      signedBy([1, 4, 6], { multiSignature: { bitmap, signatures: list } }),
    )
    assert.deepEqual(reason, { code: 'bad_signature', signer })
  }
  const other = checkMultiSignature(signedBy([1, 4, 6], { message: Uint8Array.of(1) }))
  assert.deepEqual(other, { code: 'bad_signature', signer: 1 })
})

test('a key that is listed twice does not count twice', () => {
  const [first] = publicKeys
  assert.ok(first !== undefined)
  const bitmap = bitmapOf([0, 1, 2], 4)
  const multiSignature = { bitmap, signatures: [signatureOf(0), signatureOf(1), signatureOf(0)] }
  const keys = [...publicKeys.slice(0, 2), first, ...publicKeys.slice(3, 4)]
  assert.deepEqual(checkMultiSignature({ message, publicKeys: keys, quorum: 3, multiSignature }), {
    code: 'duplicate_key',
    signer: 2,
  })
})

test.run()
