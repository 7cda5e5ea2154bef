import assert from 'node:assert/strict'
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { concatBytes, fromHex, toHex } from '@mooring/codec'
import { sha512 } from '@noble/hashes/sha2.js'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { verify as verifyBrowser } from '../src/ed25519-browser.ts'
import { verify as verifyNode } from '../src/ed25519-node.ts'
import { keyPairFromSeed, sign, verify } from '../src/index.ts'
import { readVectors } from './shared-vectors.ts'

type Point = InstanceType<typeof ed25519.Point>

const { BASE, ZERO } = ed25519.Point
const ORDER = ed25519.Point.Fn.ORDER
const PRIME = 2n ** 255n - 19n

// The torsion subgroup is cyclic of order eight; multiples of one generator name its points.
const generator = ED25519_TORSION_SUBGROUP.map((hex) => ed25519.Point.fromHex(hex)).find(
  (point) => !point.double().double().equals(ZERO),
)
assert.ok(generator !== undefined)
const torsion: Point[] = [ZERO]
while (torsion.length < 8) torsion.push((torsion.at(-1) ?? ZERO).add(generator))

/** The verdict of both backends, which must be one. */
function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const native = verifyNode(publicKey, message, signature)
  const browser = verifyBrowser(publicKey, message, signature)
  const input = [publicKey, message, signature].map(toHex).join(' ')
  assert.equal(browser, native, `the backends disagree on ${input}`)
  return native
}

function littleEndian(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).toReversed()
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`)
}

function challenge(encodedR: Uint8Array, encodedA: Uint8Array, message: Uint8Array): bigint {
  return toInteger(sha512(concatBytes(encodedR, encodedA, message))) % ORDER
}

function scalarOf(label: string): bigint {
  return (toInteger(sha512(new TextEncoder().encode(label))) % (ORDER - 1n)) + 1n
}

function multiple(point: Point, scalar: bigint): Point {
  return scalar === 0n ? ZERO : point.multiplyUnsafe(scalar)
}

function encodeY(y: bigint, signBit: bigint): Uint8Array {
  return littleEndian(y + (signBit << 255n))
}

/** Every encoding that some decoder takes for a point of small order: canonical ones and others. */
function smallOrderEncodings(): { encoded: Uint8Array; index: number }[] {
  const encodings: { encoded: Uint8Array; index: number }[] = []
  for (const [index, point] of torsion.entries()) {
    const { x, y } = point.toAffine()
    const signs = x === 0n ? [0n, 1n] : [x & 1n]
    const heights = [y, y + PRIME].filter((height) => height < 2n ** 255n)
    for (const signBit of signs) {
      for (const height of heights) encodings.push({ encoded: encodeY(height, signBit), index })
    }
  }
  return encodings
}

test('the examples of RFC 8032 are signed and verified', () => {
  const cases: [seed: string, publicKey: string, message: string, signature: string][] = [
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
  ]
  for (const [seed, publicKey, message, signature] of cases) {
    const keyPair = keyPairFromSeed(fromHex(seed))
    assert.equal(toHex(keyPair.publicKey), publicKey)
    assert.equal(toHex(sign(keyPair, fromHex(message))), signature)
    assert.ok(verdict(keyPair.publicKey, fromHex(message), fromHex(signature)))
  }
})

interface WycheproofGroup {
  publicKey: { pk: string }
  tests: { tcId: number; msg: string; sig: string; result: 'valid' | 'invalid' }[]
}

test('the Wycheproof cases have the published verdict on both backends', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the published shape
  const vectors = readVectors('wycheproof/ed25519_test.json') as
    | { testGroups: WycheproofGroup[] }
    | undefined
  if (vectors === undefined) return
  let count = 0
  for (const { publicKey, tests } of vectors.testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      const isValid = verdict(fromHex(publicKey.pk), fromHex(msg), fromHex(sig))
      assert.equal(isValid, result === 'valid', `case ${tcId}`)
      count += 1
    }
  }
  assert.equal(count, 151)
})

test('with torsion in the key and in R, the cofactorless equation decides', () => {
  const verdicts = { valid: 0, invalid: 0 }
  for (let round = 0; round < 24; round += 1) {
    const secret = scalarOf(`secret ${round}`)
    const nonce = scalarOf(`nonce ${round}`)
    const message = new Uint8Array(round).fill(round)
    for (const [indexA, torsionA] of torsion.entries()) {
      const encodedA = multiple(BASE, secret).add(torsionA).toBytes()
      for (const [indexR, torsionR] of torsion.entries()) {
        const encodedR = multiple(BASE, nonce).add(torsionR).toBytes()
        const k = challenge(encodedR, encodedA, message)
        const signature = concatBytes(encodedR, littleEndian((nonce + k * secret) % ORDER))
        // S·B - k·A = R + (what torsion is left over): valid if nothing is.
        const isValid = (k * BigInt(indexA) + BigInt(indexR)) % 8n === 0n
        assert.equal(verdict(encodedA, message, signature), isValid)
        verdicts[isValid ? 'valid' : 'invalid'] += 1
      }
    }
  }
  assert.equal(verdicts.valid + verdicts.invalid, 1536)
  assert.ok(verdicts.valid > 100 && verdicts.invalid > 1000)
})

test('a key of small order is refused, also where the equation holds', () => {
  const encodings = smallOrderEncodings()
  assert.equal(encodings.length, 14)
  let holding = 0
  for (const { encoded, index } of encodings) {
    for (const [indexR, torsionR] of torsion.entries()) {
      const nonce = scalarOf(`small key ${indexR}`)
      const encodedR = multiple(BASE, nonce).add(torsionR).toBytes()
      const k = challenge(encodedR, encoded, encodedR)
      if ((k * BigInt(index) + BigInt(indexR)) % 8n === 0n) holding += 1
      assert.equal(verdict(encoded, encodedR, concatBytes(encodedR, littleEndian(nonce))), false)
    }
  }
  assert.ok(holding > 10)
})

test('an R of small order is refused, also where the equation holds', () => {
  let holding = 0
  const secret = scalarOf('small R')
  for (const { encoded, index } of smallOrderEncodings()) {
    for (const [indexA, torsionA] of torsion.entries()) {
      const encodedA = multiple(BASE, secret).add(torsionA).toBytes()
      const message = Uint8Array.of(index, indexA)
      const k = challenge(encoded, encodedA, message)
      if ((k * BigInt(indexA) + BigInt(index)) % 8n === 0n) holding += 1
      const signature = concatBytes(encoded, littleEndian((k * secret) % ORDER))
      assert.equal(verdict(encodedA, message, signature), false)
    }
  }
  assert.ok(holding > 10)
})

test('a key and an R of small order are refused together, whatever S', () => {
  for (const { encoded: encodedA } of smallOrderEncodings()) {
    for (const { encoded: encodedR } of smallOrderEncodings()) {
      for (const scalar of [0n, 1n, ORDER, ORDER - 1n]) {
        const signature = concatBytes(encodedR, littleEndian(scalar))
        assert.equal(verdict(encodedA, Uint8Array.of(1), signature), false)
      }
    }
  }
})

test('an encoding with y of the prime or more is refused as a key and as R', () => {
  const keyPair = keyPairFromSeed(new Uint8Array(32).fill(1))
  const message = Uint8Array.of(5)
  const signature = sign(keyPair, message)
  for (let y = 0n; y < 19n; y += 1n) {
    for (const signBit of [0n, 1n]) {
      for (const encoded of [encodeY(PRIME + y, signBit), encodeY(y, signBit)]) {
        assert.equal(verdict(encoded, message, signature), false)
        const moved = concatBytes(encoded, signature.subarray(32))
        assert.equal(verdict(keyPair.publicKey, message, moved), false)
      }
    }
  }
  assert.equal(verdict(new Uint8Array(32).fill(0xff), message, signature), false)
})

test('an S of the group order or more is refused', () => {
  const keyPair = keyPairFromSeed(new Uint8Array(32).fill(2))
  for (let round = 0; round < 4; round += 1) {
    const message = Uint8Array.of(round)
    const signature = sign(keyPair, message)
    const encodedR = signature.subarray(0, 32)
    const scalar = toInteger(signature.subarray(32))
    assert.ok(verdict(keyPair.publicKey, message, signature))
    for (let added = scalar + ORDER; added < 2n ** 256n; added += ORDER) {
      const raised = concatBytes(encodedR, littleEndian(added))
      assert.equal(verdict(keyPair.publicKey, message, raised), false)
    }
    for (const other of [0n, ORDER - scalar, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
      const changed = concatBytes(encodedR, littleEndian(other))
      assert.equal(verdict(keyPair.publicKey, message, changed), false)
    }
  }
})

test('lengths are checked before anything is read', () => {
  const keyPair = keyPairFromSeed(new Uint8Array(32).fill(3))
  const message = Uint8Array.of(1)
  const signature = sign(keyPair, message)
  for (const length of [0, 1, 31, 32, 63, 65, 66, 96, 128]) {
    const padded = new Uint8Array(length)
    padded.set(signature.subarray(0, length))
    assert.equal(verdict(keyPair.publicKey, message, padded), false, `${length}`)
  }
  for (const length of [0, 31, 33, 64]) {
    const padded = new Uint8Array(length)
    padded.set(keyPair.publicKey.subarray(0, length))
    assert.equal(verdict(padded, message, signature), false, `${length}`)
  }
})

test('what is signed verifies, and nothing else does', () => {
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 200 }), fc.nat(767), (seed, message, bit) => {
      const keyPair = keyPairFromSeed(seed)
      const signature = sign(keyPair, message)
      // As views into a larger buffer, which native code must not read from its start.
      const buffer = concatBytes(Uint8Array.of(9), keyPair.publicKey, signature, message)
      const publicKey = buffer.subarray(1, 33)
      assert.ok(verdict(publicKey, buffer.subarray(97), buffer.subarray(33, 97)))
      assert.ok(verify(publicKey, buffer.subarray(97), buffer.subarray(33, 97)))
      const index = 1 + (bit >> 3)
      buffer[index] = (buffer[index] ?? 0) ^ (1 << (bit & 7))
      assert.equal(verdict(publicKey, buffer.subarray(97), buffer.subarray(33, 97)), false)
      assert.equal(
        verdict(keyPair.publicKey, concatBytes(message, message, signature), signature),
        false,
      )
    }),
    { numRuns: 60 },
  )
})

test('random bytes verify nowhere', () => {
  const digests = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(digests, digests, digests, (publicKey, encodedR, scalar) => {
      const low = scalar.with(31, (scalar[31] ?? 0) & 0x0f)
      assert.equal(verdict(publicKey, publicKey, concatBytes(encodedR, low)), false)
    }),
    { numRuns: 200 },
  )
})

test.run()
