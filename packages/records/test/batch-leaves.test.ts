import assert from 'node:assert/strict'
import { CodecError, compareBytes, concatBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  BATCH_BUCKETS,
  batchPath,
  batchRoot,
  buildBatch,
  decodeBatchDeposit,
  encodeBatchDeposit,
  leavesOfDeposit,
  rootOfPlace,
} from '../src/index.ts'
import { BATCH_DEPOSIT_BYTES_MAX } from '../src/batch-leaves.ts'
import { bytesOf } from './access-world.ts'
import { seededRandom } from './seal-world.ts'

const anchor = { custodian: 'st-anna', sequence: 3, transaction: bytesOf('it'), height: 7 }

function built(records: number, seed = 1) {
  const commits = Array.from({ length: records }, (_, at) => bytesOf(`record ${seed} ${at}`))
  const batch = buildBatch(commits, seededRandom(seed))
  assert.ok(!('code' in batch))
  return { commits, batch }
}

function depositOf(leaves: readonly Uint8Array[]): Uint8Array {
  return encodeBatchDeposit({ ...anchor, leaves: concatBytes(...leaves) })
}

function sortedDeposit(leaves: readonly Uint8Array[]): Uint8Array {
  return depositOf(leaves.toSorted(compareBytes))
}

function pathOf(length: number): Uint8Array[] {
  return Array.from({ length }, (_, at) => bytesOf(`step ${at}`))
}

test('a deposit comes back as it was, and gives the root', () => {
  for (const records of [1, 17, 300]) {
    const { batch } = built(records)
    const leaves = leavesOfDeposit(decodeBatchDeposit(depositOf(batch.leaves)))
    assert.deepEqual(leaves, batch.leaves)
    assert.deepEqual(batchRoot(leaves), batch.root)
  }
})

test('the largest batch keeps within the limit', () => {
  const leaves = Array.from({ length: BATCH_BUCKETS[4] }, (_, at) => bytesOf(`leaf ${at}`))
  const encoded = encodeBatchDeposit({
    custodian: 'x'.repeat(64),
    sequence: Number.MAX_SAFE_INTEGER,
    transaction: bytesOf('it'),
    height: Number.MAX_SAFE_INTEGER,
    leaves: concatBytes(...leaves),
  })
  assert.ok(encoded.length <= BATCH_DEPOSIT_BYTES_MAX)
  assert.equal(leavesOfDeposit(decodeBatchDeposit(encoded)).length, 4096)
})

test('leaves that fill no bucket are no deposit', () => {
  const { batch } = built(3)
  for (const leaves of [[], batch.leaves.slice(1), [...batch.leaves, bytesOf('one more')]]) {
    assert.throws(() => depositOf(leaves), CodecError)
  }
})

test('whatever of its leaves are records, the same leaves are the same deposit', () => {
  const { batch } = built(5)
  const others = buildBatch(batch.leaves, seededRandom(9))
  assert.ok(!('code' in others))
  // All sixteen are records of this one, and eleven of the other are dummies: only the order differs.
  assert.deepEqual(sortedDeposit(others.leaves), sortedDeposit(batch.leaves))
  assert.equal(depositOf(batch.leaves).length, depositOf(others.leaves).length)
})

test('where records are in a batch does not follow from the order in which they came', () => {
  const counts = Array.from({ length: 16 }, () => 0)
  for (let seed = 1; seed <= 640; seed += 1) {
    const [position = -1] = built(3, seed).batch.positions
    counts[position] = (counts[position] ?? 0) + 1
  }
  // 40 are expected at each place; so far off it is by chance less than once in a million runs.
  assert.ok(
    counts.every((count) => count > 8 && count < 85),
    counts.join(' '),
  )
})

test('a leaf leads to the root from its own place and from no other', () => {
  const { batch } = built(20)
  fc.assert(
    fc.property(fc.nat(63), fc.nat(63), (at, other) => {
      const leaf = batch.leaves[at] ?? new Uint8Array(32)
      const path = batchPath(batch.leaves, at)
      assert.deepEqual(rootOfPlace(leaf, { index: at, path }), batch.root)
      if (other === at) return
      assert.notDeepEqual(rootOfPlace(leaf, { index: other, path }), batch.root)
      const stranger = batch.leaves[other] ?? leaf
      assert.notDeepEqual(rootOfPlace(stranger, { index: at, path }), batch.root)
    }),
  )
})

test('a place that no batch has leads nowhere', () => {
  const leaf = bytesOf('leaf')
  assert.equal(rootOfPlace(leaf, { index: 0, path: pathOf(3) }), undefined)
  assert.equal(rootOfPlace(leaf, { index: 0, path: [] }), undefined)
  assert.equal(rootOfPlace(leaf, { index: 16, path: pathOf(4) }), undefined)
  assert.ok(rootOfPlace(leaf, { index: 15, path: pathOf(4) }) !== undefined)
})

test.run()
