import assert from 'node:assert/strict'
import { CodecError, encode } from '@mooring/codec'
import { aeadSeal, hkdfSha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  type Manifest,
  manifestSchema,
  openManifest,
  openRecord,
  sealManifest,
  sealRecord,
} from '../src/index.ts'
import { classKey, detailsOf, noise, optionsFor, text } from './seal-world.ts'

const raw = noise(900)
const record = sealRecord(raw, detailsOf(raw), optionsFor(1))
const { setId } = record

function opened(): Manifest {
  const manifest = openManifest(record.manifest, classKey, setId)
  assert.ok(manifest)
  return manifest
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
}

test('a manifest opens under its class key, for its set', () => {
  const manifest = opened()
  assert.deepEqual(manifest, {
    ...detailsOf(raw),
    dek: manifest.dek,
    rawBytes: raw.length,
    payloadBytes: raw.length,
    encoding: 'identity',
  })
  assert.deepEqual(sealManifest(manifest, classKey, setId), record.manifest)
})

test('not under another class key, for another set, or with any bit changed', () => {
  for (let bit = 0; bit < 256; bit += 1) {
    assert.equal(openManifest(record.manifest, flip(classKey, bit), setId), undefined)
    assert.equal(openManifest(record.manifest, classKey, flip(setId, bit)), undefined)
  }
  for (let bit = 0; bit < record.manifest.length * 8; bit += 1) {
    assert.equal(openManifest(flip(record.manifest, bit), classKey, setId), undefined)
  }
  for (const length of [0, 1, 15, 16, record.manifest.length - 1]) {
    assert.equal(openManifest(record.manifest.subarray(0, length), classKey, setId), undefined)
  }
  assert.equal(openManifest(new Uint8Array(1 << 20), classKey, setId), undefined)
})

test('whoever has the class key may have sealed anything: it is a manifest or a CodecError', () => {
  const info = new Uint8Array([...text.encode('manifest/v1'), ...setId])
  const key = hkdfSha256(classKey, new Uint8Array(0), info, 32)
  const seal = (plaintext: Uint8Array) => aeadSeal(key, new Uint8Array(12), setId, plaintext)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), (plaintext) => {
      try {
        openManifest(seal(plaintext), classKey, setId)
      } catch (error) {
        assert.ok(error instanceof CodecError, String(error))
      }
    }),
  )
  const encoded = encode(manifestSchema, opened())
  const whole = new Uint8Array(832)
  new DataView(whole.buffer).setUint32(0, encoded.length)
  whole.set(encoded, 4)
  assert.deepEqual(openManifest(seal(whole), classKey, setId), opened())
  for (const wrong of [whole.with(831, 1), whole.with(3, 1), whole.with(0, 0xff)]) {
    assert.throws(() => openManifest(seal(wrong), classKey, setId), CodecError)
  }
})

test('a manifest that does not fit its set opens no record, and says why', () => {
  const manifest = opened()
  const codeOf = (changed: Partial<Manifest>) => {
    const result = openRecord(record.set, { ...manifest, ...changed }, record.shards)
    return result.ok ? undefined : result.code
  }
  const other = new Uint8Array(32).fill(7)
  assert.equal(codeOf({}), undefined)
  assert.equal(codeOf({ dek: other }), 'key_commitment_differs')
  assert.equal(codeOf({ rec: other }), 'gate_differs')
  assert.equal(codeOf({ facts: { ...manifest.facts, class: 'emergency' } }), 'gate_differs')
  assert.equal(codeOf({ facts: { ...manifest.facts, patientKey: other } }), 'gate_differs')
  assert.equal(codeOf({ rawBytes: 901 }), 'sizes_differ')
  assert.equal(codeOf({ payloadBytes: 5000, rawBytes: 5000 }), 'sizes_differ')
  assert.equal(codeOf({ payloadBytes: 899, rawBytes: 899 }), 'padding_not_zero')
  const longer = raw.length + 1
  assert.equal(codeOf({ payloadBytes: longer, rawBytes: longer }), 'record_commitment_differs')
  assert.equal(codeOf({ recordCommit: other }), 'facts_differ')
  assert.equal(codeOf({ encoding: 'deflate' }), 'not_inflatable')
  assert.equal(codeOf({ encoding: 'deflate', rawBytes: 1e12 }), 'sizes_differ')
  assert.equal(codeOf({ resourceType: 'Observation' }), 'facts_differ')
})

test('segments of a set in another order, or of another set, do not open', () => {
  const long = noise(3 * 1024 * 1024)
  const one = sealRecord(long, detailsOf(long), optionsFor(2))
  const manifest = openManifest(one.manifest, classKey, one.setId)
  assert.ok(manifest)
  const size = Math.ceil(one.set.segmentBytes / one.set.k)
  const swapped = one.shards.map((shard) => {
    const copy = shard.slice()
    copy.set(shard.subarray(size, 2 * size), 0)
    copy.set(shard.subarray(0, size), size)
    return copy
  })
  const two = sealRecord(raw, detailsOf(raw), optionsFor(3))
  const refused = openRecord(one.set, manifest, swapped)
  assert.deepEqual(refused.badShards, [0, 1, 2, 3, 4])
  const foreign = openRecord(record.set, opened(), two.shards)
  assert.deepEqual(foreign.badShards, [0, 1, 2, 3, 4])
})

test.run()
