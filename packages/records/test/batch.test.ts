import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { checkInclusion, inclusionProof, leafHash, merkleRoot, sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  BATCH_BUCKETS,
  type Batch,
  batchPath,
  batchPaths,
  buildBatch,
  type InvalidBatch,
  type RandomBytes,
  RecordsError,
} from '../src/index.ts'

const utf8 = new TextEncoder()

function commits(count: number, label = 'record'): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => sha256(utf8.encode(`${label} ${index}`)))
}

function seeded(seed: number): RandomBytes {
  let counter = 0
  return (length) => {
    counter += 1
    return sha256(utf8.encode(`${seed}/${counter}`)).slice(0, length)
  }
}

function isOutOfRange(error: unknown): boolean {
  return error instanceof RecordsError && error.code === 'out_of_range'
}

function built(result: Batch | InvalidBatch): Batch {
  assert.ok(!('code' in result))
  return result
}

test('a batch has the smallest bucket that holds its records', () => {
  const expected = [
    [1, 16],
    [16, 16],
    [17, 64],
    [64, 64],
    [65, 256],
    [257, 1024],
    [1025, 4096],
    [4096, 4096],
  ] as const
  for (const [records, bucket] of expected) {
    const batch = built(buildBatch(commits(records), seeded(1)))
    assert.equal(batch.bucket, bucket)
    assert.equal(batch.leaves.length, bucket)
  }
})

test('no records, too many, and the same one twice make no batch', () => {
  const random = seeded(1)
  assert.deepEqual(buildBatch([], random), { code: 'empty_batch' })
  const [first, second] = commits(2)
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual(buildBatch([first, second, first], random), {
    code: 'duplicate_record',
    index: 2,
  })
  assert.deepEqual(buildBatch(commits(4097), random), {
    code: 'too_many_records',
    records: 4097,
    max: 4096,
  })
})

test('every record is at its position, and everything else is a dummy of its own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.nat(), (count, seed) => {
      const records = commits(count)
      const { leaves, positions } = built(buildBatch(records, seeded(seed)))
      assert.deepEqual(
        positions.map((position) => leaves[position]),
        records,
      )
      assert.equal(new Set(positions).size, count)
      assert.equal(new Set(leaves.map(toHex)).size, leaves.length)
      assert.ok(leaves.every((leaf) => leaf.length === 32))
    }),
    { numRuns: 60 },
  )
})

test('every path of a batch is the RFC 9162 path', () => {
  for (const count of [1, 16, 17, 200]) {
    const { leaves, positions, root } = built(buildBatch(commits(count), seeded(count)))
    const hashes = leaves.map((leaf) => leafHash(leaf))
    assert.deepEqual(root, merkleRoot(leaves))
    const paths = batchPaths(leaves, positions)
    for (const [record, index] of positions.entries()) {
      const path = paths[record] ?? []
      if (record < 20) assert.deepEqual(path, inclusionProof(hashes, index))
      assert.deepEqual(path.length, Math.log2(leaves.length))
      const shown = { leafHash: hashes[index] ?? leaf0(), index, size: leaves.length, path, root }
      assert.equal(checkInclusion(shown), undefined)
    }
    assert.deepEqual(batchPath(leaves, positions[0] ?? 0), paths[0])
  }
})

test('a place outside the batch, or leaves that fill no bucket, have no path', () => {
  const { leaves } = built(buildBatch(commits(3), seeded(5)))
  for (const index of [-1, 16, 1.5]) assert.throws(() => batchPath(leaves, index), isOutOfRange)
  assert.throws(() => batchPath(leaves.slice(1), 0), isOutOfRange)
  assert.throws(() => batchPath([], 0), isOutOfRange)
})

test('records are shuffled among the dummies, each place as likely as another', () => {
  const [record] = commits(1)
  assert.ok(record !== undefined)
  const counts = Array.from({ length: 16 }, () => 0)
  const random = seeded(9)
  for (let run = 0; run < 3_200; run += 1) {
    const [position = 0] = built(buildBatch([record], random)).positions
    counts[position] = (counts[position] ?? 0) + 1
  }
  // Expected 200 each; chi-square with 15 degrees of freedom is above 44 once in 10 000 seeds.
  const chiSquare = counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)
  assert.ok(chiSquare < 44, `counts ${counts.join(' ')}, chi-square ${chiSquare}`)
})

test('the same records with other randomness have another root and other places', () => {
  const one = built(buildBatch(commits(10), seeded(1)))
  const other = built(buildBatch(commits(10), seeded(2)))
  assert.notDeepEqual(one.root, other.root)
  assert.notDeepEqual(one.positions, other.positions)
})

test('buckets are powers of two, each four times the one before', () => {
  for (const [index, size] of BATCH_BUCKETS.entries()) assert.equal(size, 4 ** (index + 2))
})

function leaf0(): Uint8Array {
  return new Uint8Array(32)
}

test.run()
