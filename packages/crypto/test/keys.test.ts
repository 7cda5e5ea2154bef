import assert from 'node:assert/strict'
import {
  createPrivateKey,
  createPublicKey,
  sign as signOpenssl,
  verify as verifyOpenssl,
} from 'node:crypto'
import { concatBytes, fromHex, toHex } from '@mooring/codec'
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  checkPublicKey,
  keyPairFromSeed,
  sign,
  verify,
  verifyBatch,
  x25519PublicKey,
} from '../src/index.ts'

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

// The private key structures of RFC 8410 up to the seed.
const PKCS8_ED25519 = fromHex('302e020100300506032b657004220420')
const PKCS8_X25519 = fromHex('302e020100300506032b656e04220420')

function opensslKey(prefix: Uint8Array, seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  const key = Buffer.from(concatBytes(prefix, seed))
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function opensslPublicKey(prefix: Uint8Array, seed: Uint8Array): Uint8Array {
  const der = createPublicKey(opensslKey(prefix, seed)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(der.subarray(-32))
}

test('keys and signatures are those of OpenSSL', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 100 }), (seed, message) => {
      const keyPair = keyPairFromSeed(seed)
      assert.deepEqual(keyPair.publicKey, opensslPublicKey(PKCS8_ED25519, seed))
      const privateKey = opensslKey(PKCS8_ED25519, seed)
      const signature = sign(keyPair, message)
      assert.deepEqual(new Uint8Array(signOpenssl(null, message, privateKey)), signature)
      assert.ok(verifyOpenssl(null, message, createPublicKey(privateKey), signature))
      assert.deepEqual(x25519PublicKey(seed), opensslPublicKey(PKCS8_X25519, seed))
    }),
    { numRuns: 30 },
  )
})

test('a batch has one verdict per item', () => {
  const keyPairs = [1, 2, 3].map((byte) => keyPairFromSeed(new Uint8Array(32).fill(byte)))
  const items = keyPairs.map((keyPair, index) => {
    const message = Uint8Array.of(index)
    return { publicKey: keyPair.publicKey, message, signature: sign(keyPair, message) }
  })
  assert.deepEqual(verifyBatch(items), [true, true, true])
  const [first, second, third] = items
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  const swapped = { ...second, signature: third.signature }
  assert.deepEqual(verifyBatch([first, swapped, third]), [true, false, true])
  assert.deepEqual(verifyBatch([]), [])
})

test('a key of the prime-order group may be registered', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      assert.equal(checkPublicKey(keyPairFromSeed(seed).publicKey), undefined)
    }),
    { numRuns: 30 },
  )
})

test('keys of small and of mixed order are not registered', () => {
  const { publicKey } = keyPairFromSeed(new Uint8Array(32).fill(4))
  const point = ed25519.Point.fromBytes(publicKey)
  let mixed = 0
  for (const hex of ED25519_TORSION_SUBGROUP) {
    assert.equal(checkPublicKey(fromHex(hex)), 'small_order', hex)
    const shifted = point.add(ed25519.Point.fromHex(hex)).toBytes()
    if (toHex(shifted) === toHex(publicKey)) continue
    assert.equal(checkPublicKey(shifted), 'mixed_order', hex)
    mixed += 1
  }
  assert.equal(mixed, 7)
})

test('bytes that are no canonical point are not registered', () => {
  const cases = [
    '',
    '00'.repeat(31),
    '00'.repeat(33),
    'ff'.repeat(32),
    // y = p, p + 1 and 2^255 - 1; x = 0 with a sign; y = 2, which is on no point.
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
    `ff${'ff'.repeat(30)}7f`,
    `01${'00'.repeat(30)}80`,
    `ec${'ff'.repeat(31)}`,
    `02${'00'.repeat(31)}`,
  ]
  for (const hex of cases) assert.equal(checkPublicKey(fromHex(hex)), 'not_canonical', hex)
})

test('a signature is bound to its key and its message', () => {
  const [one, two] = [
    keyPairFromSeed(new Uint8Array(32)),
    keyPairFromSeed(new Uint8Array(32).fill(1)),
  ]
  const message = Uint8Array.of(1, 2)
  const signature = sign(one, message)
  assert.ok(verify(one.publicKey, message, signature))
  assert.equal(verify(two.publicKey, message, signature), false)
  assert.equal(verify(one.publicKey, message.subarray(1), signature), false)
})

test.run()
