import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { CryptoError, SCRYPT_COST, scryptKey } from '../src/index.ts'
import { derive as deriveBrowser } from '../src/scrypt-browser.ts'
import { derive as deriveNode } from '../src/scrypt-node.ts'

const utf8 = new TextEncoder()
const isCost = (error: unknown) => error instanceof CryptoError && error.code === 'scrypt_cost'

// RFC 7914, section 12: the first 32 bytes, for the length is no input of the key.
const VECTORS = [
  [
    '',
    '',
    { N: 16, r: 1, p: 1 },
    '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442',
  ],
  [
    'password',
    'NaCl',
    { N: 1024, r: 8, p: 16 },
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162',
  ],
  [
    'pleaseletmein',
    'SodiumChloride',
    { N: 16_384, r: 8, p: 1 },
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
  ],
] as const

test('both backends give the keys of the RFC', async () => {
  for (const [passphrase, salt, cost, expected] of VECTORS) {
    for (const derive of [deriveNode, deriveBrowser]) {
      const key = await derive(utf8.encode(passphrase), utf8.encode(salt), cost)
      assert.equal(toHex(key), expected)
    }
  }
})

test('a cost that nobody should pay is refused before any memory is taken', () => {
  const salt = new Uint8Array(16)
  const wrong = [
    { N: 512, r: 8, p: 1 },
    { N: 3_000, r: 8, p: 1 },
    { N: 2 ** 19, r: 8, p: 1 },
    { N: 2 ** 40, r: 8, p: 1 },
    { N: 2 ** 14, r: 1_024, p: 1 },
    { N: 2 ** 14, r: 0, p: 1 },
    { N: 2 ** 14, r: 8, p: 5 },
    { N: 2 ** 14, r: 8.5, p: 1 },
    { N: Number.NaN, r: 8, p: 1 },
  ]
  for (const cost of wrong) {
    assert.throws(() => scryptKey(utf8.encode('x'), salt, cost), isCost, JSON.stringify(cost))
  }
  assert.throws(() => scryptKey(utf8.encode('x'), new Uint8Array(15), SCRYPT_COST), RangeError)
})

test('the usual cost is paid', async () => {
  const key = await scryptKey(utf8.encode('x'), new Uint8Array(16), SCRYPT_COST)
  assert.equal(key.length, 32)
})

test.run()
