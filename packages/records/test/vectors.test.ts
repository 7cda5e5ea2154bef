import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode, fromHex, toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  decodeKeyDeposit,
  decodeShardSet,
  decodeVaultAnswer,
  decodeVaultRequest,
  encodeVaultAnswer,
  encodeVaultRequest,
  gateOf,
  manifestSchema,
  openKeyDeposit,
  openManifest,
  openRecord,
  shardSetId,
} from '../src/index.ts'
import { sealedExample } from './vault-values.ts'
import { vectorFolder, vectors } from './vectors.ts'

function frozen(name: keyof typeof vectors): string {
  return readFileSync(new URL(name, vectorFolder), 'utf8')
}

for (const [name, made] of Object.entries(vectors)) {
  test(`${name} is what records makes today`, () => {
    assert.deepEqual(JSON.parse(readFileSync(new URL(name, vectorFolder), 'utf8')), made)
  })
}

test('the frozen record reads back: set, manifest, bytes', () => {
  const vector: (typeof vectors)['records-sealed.json'] = JSON.parse(frozen('records-sealed.json'))
  const set = decodeShardSet(fromHex(vector.set))
  const setId = shardSetId(fromHex(vector.set))
  assert.equal(toHex(setId), vector.setId)
  const sealed = fromHex(vector.sealedManifest)
  const manifest = openManifest(sealed, fromHex(vector.classKey), setId)
  assert.deepEqual(manifest, decode(manifestSchema, fromHex(vector.manifest)))
  assert.ok(manifest)
  assert.equal(toHex(gateOf(fromHex(vector.rec), manifest.facts)), toHex(set.gate))
  const opened = openRecord(set, manifest, [null, ...sealedExample.shards.slice(1)])
  assert.ok(opened.ok)
  assert.equal(toHex(opened.raw), vector.raw)
})

test('the frozen deposit opens for both of its readers', () => {
  const name = 'records-class-keys.json'
  const vector: (typeof vectors)[typeof name] = JSON.parse(frozen(name))
  const deposit = decodeKeyDeposit(fromHex(vector.deposit))
  for (const secret of vector.readerSecrets) {
    const content = openKeyDeposit(deposit, fromHex(secret))
    assert.ok(content)
    assert.equal(toHex(content.classKey), vector.content.classKey)
    assert.equal(content.class, vector.content.class)
  }
})

test('the frozen messages read back', () => {
  const name = 'records-messages.json'
  const vector: (typeof vectors)[typeof name] = JSON.parse(frozen(name))
  for (const { kind, bytes } of vector.requests) {
    const request = decodeVaultRequest(fromHex(bytes))
    assert.equal(request.kind, kind)
    assert.equal(toHex(encodeVaultRequest(request)), bytes)
  }
  for (const { kind, bytes } of vector.answers) {
    const answer = decodeVaultAnswer(fromHex(bytes))
    assert.equal(answer.kind, kind)
    assert.equal(toHex(encodeVaultAnswer(answer)), bytes)
  }
})

test.run()
