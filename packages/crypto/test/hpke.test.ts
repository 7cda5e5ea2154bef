// Vectors of RFC 9180 for X25519 and HKDF-SHA256. Of the eight published, one is of our suite and mode
// (base, ChaCha20-Poly1305): it is checked down to every value in between. Others do not apply:
// AES-128-GCM, since there is one cipher here; PSK and Auth modes, since a sender is known by
// its signature; encryptions after the first and exported secrets, since one key seals one message.
// Of those, what is shared with ours still is: a key derived from a seed, and its public half.

import assert from 'node:assert/strict'
import { concatBytes, fromHex, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { keySchedule, sharedSecret } from '../src/hpke.ts'
import {
  aeadOpen,
  hpkeOpen,
  hpkeSeal,
  hpkeSecretFromSeed,
  x25519,
  x25519PublicKey,
} from '../src/index.ts'
import { readVectors } from './shared-vectors.ts'

interface Vector {
  mode: number
  kem_id: number
  kdf_id: number
  aead_id: number
  info: string
  ikmR: string
  ikmE: string
  skRm: string
  skEm: string
  pkRm: string
  pkEm: string
  enc: string
  shared_secret: string
  key: string
  base_nonce: string
  encryptions: { aad: string; ct: string; nonce: string; pt: string }[]
}

// RFC 9180 appendix A.2.1.
const BASE: Vector = {
  mode: 0,
  kem_id: 32,
  kdf_id: 1,
  aead_id: 3,
  info: '4f6465206f6e2061204772656369616e2055726e',
  ikmR: '1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df',
  ikmE: '909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b',
  skRm: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
  skEm: 'f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600',
  pkRm: '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
  pkEm: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
  enc: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
  shared_secret: '0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7',
  key: 'ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91',
  base_nonce: '5c4d98150661b848853b547f',
  encryptions: [
    {
      aad: '436f756e742d30',
      ct: '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
      nonce: '5c4d98150661b848853b547f',
      pt: '4265617574792069732074727574682c20747275746820626561757479',
    },
    {
      aad: '436f756e742d31',
      ct: '6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c',
      nonce: '5c4d98150661b848853b547e',
      pt: '4265617574792069732074727574682c20747275746820626561757479',
    },
  ],
}

function isOurs({ mode, kem_id: kem, kdf_id: kdf, aead_id: aead }: Vector): boolean {
  return mode === 0 && kem === 0x20 && kdf === 1 && aead === 3
}

function vectors(): Vector[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the published shape
  const shared = readVectors('hpke-rfc9180/x25519-sha256.json') as Vector[] | undefined
  return [BASE, ...(shared ?? [])]
}

test('a message is sealed and opened as the RFC says, every value in between included', () => {
  const ours = vectors().filter(isOurs)
  assert.ok(ours.length === 1 || ours.length === 2)
  for (const vector of ours) {
    const [first] = vector.encryptions
    assert.ok(first)
    const info = fromHex(vector.info)
    const message = {
      recipient: fromHex(vector.pkRm),
      info,
      aad: fromHex(first.aad),
      plaintext: fromHex(first.pt),
      ephemeral: fromHex(vector.ikmE),
    }
    const { enc, ciphertext } = hpkeSeal(message)
    assert.equal(toHex(enc), vector.enc)
    assert.equal(toHex(ciphertext), first.ct)
    const opened = hpkeOpen({ ...message, enc, ciphertext, secret: fromHex(vector.skRm) })
    assert.equal(opened && toHex(opened), first.pt)

    const dh = x25519(fromHex(vector.skEm), fromHex(vector.pkRm))
    assert.ok(dh)
    const shared = sharedSecret(dh, enc, message.recipient)
    assert.equal(toHex(shared), vector.shared_secret)
    const { key, nonce } = keySchedule(shared, info)
    assert.equal(toHex(key), vector.key)
    assert.equal(toHex(nonce), vector.base_nonce)
    for (const { aad, ct, nonce: next, pt } of vector.encryptions) {
      const plaintext = aeadOpen(key, fromHex(next), fromHex(aad), fromHex(ct))
      assert.equal(plaintext && toHex(plaintext), pt)
    }
  }
})

test('seeds lead to the keys of every vector, whatever its mode and cipher', () => {
  for (const { ikmR, skRm, pkRm, ikmE, skEm, pkEm } of vectors()) {
    assert.equal(toHex(hpkeSecretFromSeed(fromHex(ikmR))), skRm)
    assert.equal(toHex(hpkeSecretFromSeed(fromHex(ikmE))), skEm)
    assert.equal(toHex(x25519PublicKey(fromHex(skRm))), pkRm)
    assert.equal(toHex(x25519PublicKey(fromHex(skEm))), pkEm)
  }
})

test('what was sealed in another suite or mode does not open', () => {
  const others = vectors().filter((vector) => !isOurs(vector))
  for (const { skRm, enc, info, encryptions } of others) {
    const [first] = encryptions
    assert.ok(first)
    const opening = { secret: fromHex(skRm), enc: fromHex(enc), info: fromHex(info) }
    const ciphertext = fromHex(first.ct)
    assert.equal(hpkeOpen({ ...opening, aad: fromHex(first.aad), ciphertext }), undefined)
  }
})

function longer(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, Uint8Array.of(0))
}

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const sealing = fc.record({
  secret: bytes32,
  ephemeral: bytes32,
  info: fc.uint8Array({ maxLength: 40 }),
  aad: fc.uint8Array({ maxLength: 40 }),
  plaintext: fc.uint8Array({ maxLength: 200 }),
})

test('who has the key opens it, and nothing else does', () => {
  fc.assert(
    fc.property(sealing, fc.nat(), ({ secret, ...message }, position) => {
      const sealed = hpkeSeal({ ...message, recipient: x25519PublicKey(secret) })
      assert.equal(sealed.ciphertext.length, message.plaintext.length + 16)
      const opening = { ...sealed, secret, info: message.info, aad: message.aad }
      assert.deepEqual(hpkeOpen(opening), message.plaintext)

      const flipped = (bytes: Uint8Array): Uint8Array => {
        const at = position % bytes.length
        return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
      }
      for (const wrong of [
        { secret: secret.map((byte) => byte ^ 0x18) },
        { enc: flipped(sealed.enc) },
        { enc: sealed.enc.subarray(1) },
        { enc: new Uint8Array(32) },
        { ciphertext: flipped(sealed.ciphertext) },
        { ciphertext: longer(sealed.ciphertext) },
        { ciphertext: new Uint8Array(0) },
        { info: longer(message.info) },
        { aad: longer(message.aad) },
      ]) {
        assert.equal(hpkeOpen({ ...opening, ...wrong }), undefined)
      }
    }),
    { numRuns: 40 },
  )
})

test('a recipient that is no key, and a seed of another length, are errors of the program', () => {
  const empty = new Uint8Array(0)
  const message = { info: empty, aad: empty, plaintext: empty, ephemeral: new Uint8Array(32) }
  for (const recipient of [new Uint8Array(32), new Uint8Array(31).fill(9), empty]) {
    assert.throws(() => hpkeSeal({ ...message, recipient }), RangeError)
  }
  const recipient = x25519PublicKey(new Uint8Array(32).fill(9))
  assert.throws(() => hpkeSeal({ ...message, recipient, ephemeral: empty }), RangeError)
})

test.run()
