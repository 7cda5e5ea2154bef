import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { createSha256, domainBytes, domainHash, hkdfSha256, sha256 } from '../src/index.ts'
import { createSha256 as createBrowser, sha256 as sha256Browser } from '../src/sha256-browser.ts'
import { createSha256 as createNode, sha256 as sha256Node } from '../src/sha256-node.ts'
import { readVectors } from './shared-vectors.ts'

const backends = { default: sha256, node: sha256Node, browser: sha256Browser }

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

test('the standard examples have the standard digests', () => {
  for (const [name, hash] of Object.entries(backends)) {
    assert.equal(
      toHex(hash()),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      name,
    )
    assert.equal(
      toHex(hash(ascii('abc'))),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      name,
    )
    assert.equal(
      toHex(hash(ascii('abcdbcdecdefdefgefghfghighijhijk'), ascii('ijkljklmklmnlmnomnopnopq'))),
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      name,
    )
  }
})

test('both backends hash every length alike, however it is split', () => {
  const source = Uint8Array.from({ length: 1400 }, (_, index) => index * 7)
  for (let length = 0; length <= source.length; length += 1) {
    const input = source.subarray(0, length)
    const cut = (length * 5) % (length + 1)
    const expected = createHash('sha256').update(input).digest('hex')
    for (const [name, hash] of Object.entries(backends)) {
      const digest = hash(input.subarray(0, cut), input.subarray(cut))
      assert.equal(toHex(digest), expected, `${name}, ${length} bytes`)
      assert.equal(digest.constructor, Uint8Array)
    }
  }
})

test('a digest is not touched by the next one', () => {
  for (const hash of Object.values(backends)) {
    const first = hash(ascii('first'))
    const copy = first.slice()
    hash(ascii('second'))
    assert.deepEqual(first, copy)
  }
})

test('bytes that come in parts have the digest of the whole', () => {
  for (const create of [createSha256, createBrowser, createNode]) {
    assert.deepEqual(create().digest(), sha256())
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (parts) => {
        const hash = create()
        const scratch = new Uint8Array(200)
        for (const part of parts) {
          scratch.set(part)
          hash.update(scratch.subarray(0, part.length))
        }
        const digest = hash.digest()
        assert.deepEqual(digest, sha256(...parts))
        assert.equal(digest.constructor, Uint8Array)
      }),
    )
  }
})

test('a digest has the domain in front', () => {
  assert.deepEqual(domainBytes('block'), ascii('mooring/block/v1\0'))
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      assert.deepEqual(domainHash('a', a, b), sha256(ascii('mooring/a/v1\0'), a, b))
    }),
  )
})

interface HkdfVector {
  ikm: string
  salt: string
  info: string
  size: number
  okm: string
  result: 'valid' | 'invalid'
}

test('keys are derived as RFC 5869 says', () => {
  const vectors: HkdfVector[] = [
    {
      ikm: '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
      salt: '000102030405060708090a0b0c',
      info: 'f0f1f2f3f4f5f6f7f8f9',
      size: 42,
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
      result: 'valid',
    },
  ]
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the published shape
  const shared = readVectors('wycheproof/hkdf_sha256_test.json') as
    | { testGroups: { tests: HkdfVector[] }[] }
    | undefined
  if (shared !== undefined) vectors.push(...shared.testGroups.flatMap((group) => group.tests))
  for (const { ikm, salt, info, size, okm, result } of vectors) {
    const derive = (): string => toHex(hkdfSha256(fromHex(ikm), fromHex(salt), fromHex(info), size))
    if (result === 'valid') assert.equal(derive(), okm)
    else assert.throws(derive)
  }
})

test.run()
