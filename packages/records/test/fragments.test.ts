import assert from 'node:assert/strict'
import { merkleRootOfHashes, nodeHash } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  areDigestsOfShard,
  fragmentBytesOf,
  fragmentDigest,
  fragmentOffsetOf,
  fragmentsOfShard,
  isShard,
  sealRecord,
  shardBytesOf,
  ShardCheck,
} from '../src/index.ts'
import { detailsOf, noise, optionsFor, splits } from './seal-world.ts'

const raw = noise(3 * 1024 * 1024 + 17)
const { set, shards } = sealRecord(raw, detailsOf(raw), optionsFor(1, splits[2]))
const shard = shards[3] ?? new Uint8Array(0)

test('a shard is its fragments, one after the other', () => {
  assert.ok(set.segmentCount > 3)
  const fragments = fragmentsOfShard(set, shard)
  let offset = 0
  for (const [segment, fragment] of fragments.entries()) {
    assert.equal(fragmentOffsetOf(set, segment), offset)
    assert.equal(fragment.length, fragmentBytesOf(set, segment))
    offset += fragment.length
  }
  assert.equal(offset, shardBytesOf(set))
  assert.equal(offset, shard.length)
})

test('a shard is known by its place, and its digests stand for it', () => {
  for (const [index, each] of shards.entries()) {
    assert.ok(isShard(set, index, each))
    assert.ok(!isShard(set, (index + 1) % 5, each))
    const digests = fragmentsOfShard(set, each).map(fragmentDigest)
    assert.ok(areDigestsOfShard(set, index, digests))
    assert.ok(!areDigestsOfShard(set, index, digests.slice(1)))
    assert.ok(!areDigestsOfShard(set, index, digests.toReversed()))
  }
  // The nodes above the digests have the same root, and are fewer.
  const digests = fragmentsOfShard(set, shard).map(fragmentDigest)
  const above = digests.flatMap((digest, at) => {
    const next = digests[at + 1]
    if (at % 2 === 1) return []
    return next === undefined ? [digest] : [nodeHash(digest, next)]
  })
  assert.deepEqual(merkleRootOfHashes(above), set.leaves[3])
  assert.ok(!areDigestsOfShard(set, 3, above))
  assert.ok(!isShard(set, 5, shard))
  assert.ok(!isShard(set, 3, shard.subarray(1)))
  assert.ok(!isShard(set, 3, new Uint8Array([...shard, 0])))
})

test('a shard that comes in parts, cut anywhere, is checked as it comes', () => {
  const cuts = fc.array(fc.nat(shard.length), { maxLength: 8 })
  fc.assert(
    fc.property(cuts, (places) => {
      const check = new ShardCheck(set)
      const ends = [...places.toSorted((a, b) => a - b), shard.length]
      let start = 0
      for (const end of ends) {
        assert.ok(check.push(shard.subarray(start, end)))
        assert.equal(check.received, end)
        assert.equal(check.isShard(3), end === shard.length)
        start = end
      }
      assert.deepEqual(check.digests, fragmentsOfShard(set, shard).map(fragmentDigest))
      assert.ok(!check.isShard(2))
      assert.ok(!check.push(Uint8Array.of(1)), 'more than there is')
      assert.ok(check.isShard(3))
    }),
    { numRuns: 20 },
  )
})

test('a changed byte is found at the end, and in its fragment', () => {
  const at = fragmentOffsetOf(set, 2) + 5
  const check = new ShardCheck(set)
  check.push(shard.with(at, (shard[at] ?? 0) ^ 1))
  assert.ok(!check.isShard(3))
  const right = fragmentsOfShard(set, shard).map(fragmentDigest)
  const wrong = check.digests.flatMap((digest, segment) =>
    String(digest) === String(right[segment]) ? [] : [segment],
  )
  assert.deepEqual(wrong, [2])
})

test.run()
