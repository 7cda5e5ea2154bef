import assert from 'node:assert/strict'
import { concatBytes, fromHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  CryptoError,
  type CryptoErrorCode,
  decodeBase58,
  decodeBase64url,
  encodeBase58,
  encodeBase64url,
  formatDidKey,
  formatPeerId,
  keyPairFromSeed,
  parseDidKey,
} from '../src/index.ts'
import { readVectors } from './shared-vectors.ts'

function codeOf(action: () => unknown): CryptoErrorCode | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
}

test('a seed gives the published did:key', () => {
  const { publicKey } = keyPairFromSeed(new Uint8Array(32))
  assert.equal(formatDidKey(publicKey), 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the published shape
  const vectors = readVectors('did-key/ed25519-x25519.json') as
    | Record<string, { seed: string; verificationKeyPair: { publicKeyBase58: string } }>
    | undefined
  for (const [did, { seed, verificationKeyPair }] of Object.entries(vectors ?? {})) {
    const keyPair = keyPairFromSeed(fromHex(seed))
    assert.equal(formatDidKey(keyPair.publicKey), did)
    assert.deepEqual(parseDidKey(did), keyPair.publicKey)
    assert.equal(encodeBase58(keyPair.publicKey), verificationKeyPair.publicKeyBase58)
  }
})

test('a did:key reads back as its key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (publicKey) => {
      assert.deepEqual(parseDidKey(formatDidKey(publicKey)), publicKey)
    }),
  )
})

test('any other identifier is refused', () => {
  const did = formatDidKey(new Uint8Array(32).fill(1))
  const multibase = did.slice('did:key:z'.length)
  const short = encodeBase58(concatBytes(Uint8Array.of(0xed, 1), new Uint8Array(31)))
  const other = encodeBase58(concatBytes(Uint8Array.of(0xed, 2), new Uint8Array(32)))
  const x25519 = encodeBase58(concatBytes(Uint8Array.of(0xec, 1), new Uint8Array(32)))
  const cases: [text: string, code: CryptoErrorCode][] = [
    ['', 'not_did_key'],
    [multibase, 'not_did_key'],
    [`did:web:z${multibase}`, 'not_did_key'],
    [`DID:KEY:z${multibase}`, 'not_did_key'],
    [`did:key:${multibase}`, 'not_did_key'],
    [`did:key:z1${multibase}`, 'not_did_key'],
    [`did:key:z${short}`, 'not_did_key'],
    [`did:key:z${x25519}`, 'not_did_key'],
    [`did:key:z${other}`, 'not_did_key'],
    [`${did}#${multibase}`, 'not_base58'],
    [`${did} `, 'not_base58'],
    [`did:key:z${multibase.replace('6', '0')}`, 'not_base58'],
    [`did:key:z${'1'.repeat(100_000)}`, 'too_long'],
  ]
  for (const [text, code] of cases)
    assert.equal(
      codeOf(() => parseDidKey(text)),
      code,
      text,
    )
})

test('a peer id is the one libp2p gives the key', () => {
  const known: [byte: number, peerId: string][] = [
    [0, '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'],
    [7, '12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7'],
    [255, '12D3KooWHoSyTgntm77sXShoeX9uNkqKNMhHxKtskaHqnA54SrSG'],
  ]
  for (const [byte, peerId] of known) {
    assert.equal(formatPeerId(keyPairFromSeed(new Uint8Array(32).fill(byte)).publicKey), peerId)
  }
})

test('base58 keeps leading zeros and refuses other characters', () => {
  assert.equal(encodeBase58(fromHex('0000287fb4cd')), '11233QC4')
  assert.deepEqual(decodeBase58('11233QC4'), fromHex('0000287fb4cd'))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
      assert.deepEqual(decodeBase58(encodeBase58(input)), input)
    }),
  )
  for (const text of ['0', 'O', 'I', 'l', ' 1', '1\n', 'é']) {
    assert.equal(
      codeOf(() => decodeBase58(text)),
      'not_base58',
      text,
    )
  }
})

test('base64url has no padding and one spelling', () => {
  assert.equal(encodeBase64url(fromHex('fbff')), '-_8')
  fc.assert(
    fc.property(fc.uint8Array(), (input) => {
      assert.equal(encodeBase64url(input), Buffer.from(input).toString('base64url'))
      assert.deepEqual(decodeBase64url(encodeBase64url(input)), input)
    }),
  )
  for (const text of ['-_8=', '+/8', '-_9', 'A', '-_8 ', 'é']) {
    assert.equal(
      codeOf(() => decodeBase64url(text)),
      'not_base64url',
      text,
    )
  }
})

test.run()
