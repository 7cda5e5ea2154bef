import assert from 'node:assert/strict'
import { x25519PublicKey } from '@mooring/crypto'
import { test } from 'uvu'
import {
  manifestKeyOf,
  openManifest,
  openOneManifest,
  openRecordKeys,
  sealRecordKeys,
  sealRecord,
} from '../src/index.ts'
import { RECORD_KEYS_MAX } from '../src/record-keys.ts'
import { bytesOf } from './access-world.ts'
import { classKey, detailsOf, noise, optionsFor } from './seal-world.ts'

const secret = bytesOf('reader')
const recipient = x25519PublicKey(secret)
const question = bytesOf('question')
const keys = ['a', 'b'].map((name) => ({ setId: bytesOf(`set ${name}`), key: bytesOf(name) }))
const sealing = { recipient, question, ephemeral: bytesOf('ephemeral') }

test('keys open for the reader and the question, and for nothing else', () => {
  const sealed = sealRecordKeys(keys, sealing)
  assert.deepEqual(openRecordKeys(sealed, { secret, question }), keys)
  assert.equal(openRecordKeys(sealed, { secret: bytesOf('other'), question }), undefined)
  assert.equal(openRecordKeys(sealed, { secret, question: bytesOf('other') }), undefined)
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = sealed.with(at, (sealed[at] ?? 0) ^ 1)
    assert.equal(openRecordKeys(changed, { secret, question }), undefined)
  }
  for (const length of [0, 31, 32, 47])
    assert.equal(openRecordKeys(sealed.subarray(0, length), { secret, question }), undefined)
  assert.equal(openRecordKeys(new Uint8Array(200_000), { secret, question }), undefined)
})

test('as many as a page has fit, and no more are sealed', () => {
  const many = Array.from({ length: RECORD_KEYS_MAX }, (_, at) => ({
    setId: bytesOf(`set ${at}`),
    key: bytesOf(`key ${at}`),
  }))
  const sealed = sealRecordKeys(many, sealing)
  assert.equal(openRecordKeys(sealed, { secret, question })?.length, RECORD_KEYS_MAX)
  assert.throws(() => sealRecordKeys([...many, ...keys], sealing))
})

test('the key of one manifest opens it and no other of its class', () => {
  const [one, other] = [1, 2].map((seed) => {
    const raw = noise(600, seed)
    return sealRecord(raw, detailsOf(raw), optionsFor(seed))
  })
  assert.ok(one !== undefined && other !== undefined)
  const key = manifestKeyOf(classKey, one.setId)
  const manifest = openOneManifest(one.manifest, key, one.setId)
  assert.deepEqual(manifest, openManifest(one.manifest, classKey, one.setId))
  assert.ok(manifest !== undefined)
  assert.equal(openOneManifest(other.manifest, key, other.setId), undefined)
  assert.equal(openManifest(other.manifest, key, other.setId), undefined)
})

test.run()
