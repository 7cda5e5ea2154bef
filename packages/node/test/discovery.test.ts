import assert from 'node:assert/strict'
import type { ShardHead } from '@mooring/records'
import { test } from 'uvu'
import { newHeads } from '../src/discovery.ts'

const honest: ShardHead = {
  set: Uint8Array.of(1),
  manifest: Uint8Array.of(2),
  holders: ['a', 'b', 'c'],
  index: 0,
}

test('a set comes once, and again with other holders', () => {
  const seen = new Map<string, string>()
  const moved = { ...honest, holders: ['a', 'b', 'd'] }
  assert.equal(newHeads([honest, { ...honest, index: 1 }], seen).length, 1)
  assert.deepEqual(
    newHeads([honest, moved], seen).map(({ holders }) => holders),
    [moved.holders],
  )
})

test('a holder with a made-up manifest does not hide the true one of another', () => {
  const seen = new Map<string, string>()
  const forged = { ...honest, manifest: Uint8Array.of(3) }
  const heads = [...newHeads([forged], seen), ...newHeads([honest], seen)]
  assert.deepEqual(
    heads.map(({ manifest }) => manifest),
    [forged.manifest, honest.manifest],
  )
})

test.run()
