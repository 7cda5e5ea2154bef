import assert from 'node:assert/strict'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  checkConsistency,
  checkInclusion,
  consistencyProof,
  inclusionProof,
  leafHash,
  MERKLE_EMPTY_ROOT,
  MerkleFrontier,
  merkleRoot,
  merkleRootOfHashes,
  nodeHash,
  sha256,
} from '../src/index.ts'
import { readVectorTexts } from './shared-vectors.ts'

const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const hashes = Array.from({ length: 200 }, (_, index) => leafHash(Uint8Array.of(index)))

// The definitions of RFC 9162 section 2.1, word for word.
function split(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

function treeHash(leaves: Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return sha256()
  if (leaves.length === 1) return first
  const k = split(leaves.length)
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

function pathOf(index: number, leaves: Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  return index < k
    ? [...pathOf(index, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...pathOf(index - k, leaves.slice(k)), treeHash(leaves.slice(0, k))]
}

function subproof(size: number, leaves: Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (size === leaves.length) return isWhole ? [] : [treeHash(leaves)]
  const k = split(leaves.length)
  return size <= k
    ? [...subproof(size, leaves.slice(0, k), isWhole), treeHash(leaves.slice(k))]
    : [...subproof(size - k, leaves.slice(k), false), treeHash(leaves.slice(0, k))]
}

function leafAt(index: number): Uint8Array {
  const hash = hashes[index]
  assert.ok(hash !== undefined)
  return hash
}

function inclusionOf(index: number, size: number): Parameters<typeof checkInclusion>[0] {
  const leaves = hashes.slice(0, size)
  const root = merkleRootOfHashes(leaves)
  return { leafHash: leafAt(index), index, size, path: inclusionProof(leaves, index), root }
}

function consistencyOf(oldSize: number, newSize: number): Parameters<typeof checkConsistency>[0] {
  const leaves = hashes.slice(0, newSize)
  return {
    oldSize,
    newSize,
    oldRoot: merkleRootOfHashes(leaves.slice(0, oldSize)),
    newRoot: merkleRootOfHashes(leaves),
    path: consistencyProof(leaves, oldSize),
  }
}

const sizes = fc
  .integer({ min: 1, max: 70 })
  .chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)))

/** Every way to damage one path a little. */
function damaged(path: readonly Uint8Array[]): Uint8Array[][] {
  const extra = leafAt(199)
  const results: Uint8Array[][] = [
    [...path, extra],
    [extra, ...path],
  ]
  for (const [index, hash] of path.entries()) {
    const flipped = hash.with(index % 32, (hash[index % 32] ?? 0) ^ 1)
    results.push(
      path.toSpliced(index, 1),
      path.toSpliced(index, 1, flipped),
      path.toSpliced(index, 0, hash),
    )
  }
  return results
}

test('the trees of the published leaves have the published roots', () => {
  const leaves = LEAVES.map(fromHex)
  for (const [index, root] of ROOTS.entries()) {
    assert.equal(toHex(merkleRoot(leaves.slice(0, index + 1))), root, `size ${index + 1}`)
  }
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  assert.equal(toHex(MERKLE_EMPTY_ROOT), empty)
  assert.equal(toHex(merkleRoot([])), empty)
})

test('roots and proofs are those of the definitions', () => {
  fc.assert(
    fc.property(sizes, ([index, size]) => {
      const leaves = hashes.slice(0, size)
      assert.deepEqual(merkleRootOfHashes(leaves), treeHash(leaves))
      assert.deepEqual(inclusionProof(leaves, index), pathOf(index, leaves))
      assert.deepEqual(consistencyProof(leaves, index + 1), subproof(index + 1, leaves, true))
    }),
    { numRuns: 150 },
  )
})

test('every proof of every small tree holds', () => {
  for (let size = 1; size <= 33; size += 1) {
    for (let index = 0; index < size; index += 1) {
      assert.equal(checkInclusion(inclusionOf(index, size)), undefined, `${index} of ${size}`)
      assert.equal(
        checkConsistency(consistencyOf(index + 1, size)),
        undefined,
        `${index} in ${size}`,
      )
    }
  }
})

test('a damaged inclusion proof does not hold', () => {
  fc.assert(
    fc.property(sizes, fc.nat(69), ([index, size], other) => {
      const inclusion = inclusionOf(index, size)
      for (const path of damaged(inclusion.path)) {
        assert.notEqual(checkInclusion({ ...inclusion, path }), undefined)
      }
      const claims = [
        { ...inclusion, root: leafAt(199) },
        { ...inclusion, leafHash: leafAt(199) },
        { ...inclusion, leafHash: inclusion.root, path: [] },
      ]
      if (other !== index) claims.push({ ...inclusion, index: other })
      for (const claim of claims) {
        if (size > 1) assert.notEqual(checkInclusion(claim), undefined)
      }
    }),
    { numRuns: 200 },
  )
})

test('a damaged consistency proof does not hold', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 70 }), ([index, size], other) => {
      const consistency = consistencyOf(index + 1, size)
      for (const path of damaged(consistency.path)) {
        assert.notEqual(checkConsistency({ ...consistency, path }), undefined)
      }
      const { oldSize, newSize, oldRoot, newRoot } = consistency
      const claims = [
        { ...consistency, oldRoot: leafAt(199) },
        { ...consistency, newRoot: leafAt(199) },
      ]
      if (oldSize < newSize) {
        claims.push({ ...consistency, oldRoot: newRoot, newRoot: oldRoot })
        claims.push({ ...consistency, oldSize: newSize, newSize: oldSize })
        claims.push({ ...consistency, oldSize: newSize, oldRoot: newRoot })
        if (other !== oldSize) claims.push({ ...consistency, oldSize: other })
      }
      for (const claim of claims) assert.notEqual(checkConsistency(claim), undefined)
    }),
    { numRuns: 200 },
  )
})

test('each refusal has its code', () => {
  const inclusion = inclusionOf(2, 5)
  const codeOf = (change: Partial<typeof inclusion>): string | undefined =>
    checkInclusion({ ...inclusion, ...change })?.code
  assert.equal(codeOf({}), undefined)
  assert.equal(codeOf({ size: 0 }), 'empty_tree')
  assert.equal(codeOf({ size: 0, index: 0, path: [], root: MERKLE_EMPTY_ROOT }), 'empty_tree')
  for (const index of [5, -1, 1.5, Number.NaN]) assert.equal(codeOf({ index }), 'size_out_of_range')
  for (const size of [2, -5, 5.5, 2 ** 53]) assert.equal(codeOf({ size }), 'size_out_of_range')
  assert.equal(codeOf({ path: [] }), 'wrong_path_length')
  assert.equal(codeOf({ path: [...inclusion.path, leafAt(0)] }), 'wrong_path_length')
  assert.equal(codeOf({ path: inclusion.path.toReversed() }), 'wrong_root')
  assert.equal(codeOf({ root: new Uint8Array(31) }), 'malformed_digest')
  assert.equal(codeOf({ leafHash: new Uint8Array(0) }), 'malformed_digest')
  assert.equal(codeOf({ path: [new Uint8Array(33)] }), 'malformed_digest')

  const consistency = consistencyOf(3, 7)
  const codeOfGrowth = (change: Partial<typeof consistency>): string | undefined =>
    checkConsistency({ ...consistency, ...change })?.code
  assert.equal(codeOfGrowth({}), undefined)
  assert.equal(codeOfGrowth({ oldSize: 0 }), 'empty_tree')
  assert.equal(codeOfGrowth({ oldSize: 0, newSize: 0, path: [] }), 'empty_tree')
  for (const oldSize of [8, -1, 2.5]) assert.equal(codeOfGrowth({ oldSize }), 'size_out_of_range')
  assert.equal(codeOfGrowth({ path: [] }), 'wrong_path_length')
  assert.equal(codeOfGrowth({ oldSize: 7 }), 'wrong_path_length')
  assert.equal(codeOfGrowth({ oldSize: 7, path: [] }), 'wrong_root')
  assert.equal(codeOfGrowth({ oldRoot: new Uint8Array(0) }), 'malformed_digest')
})

test('a tree of more than 2^32 leaves is proved like a small one', () => {
  const size = 2 ** 40 + 1
  const full = leafAt(1)
  const last = leafAt(2)
  const root = nodeHash(full, last)
  const proof = { leafHash: last, index: 2 ** 40, size, path: [full], root }
  assert.equal(checkInclusion(proof), undefined)
  assert.equal(checkInclusion({ ...proof, index: 2 ** 40 - 2 ** 32 })?.code, 'wrong_path_length')
  const growth = { oldSize: 2 ** 40, newSize: size, oldRoot: full, newRoot: root, path: [last] }
  assert.equal(checkConsistency(growth), undefined)
  assert.equal(checkConsistency({ ...growth, oldSize: 2 ** 8 })?.code, 'wrong_path_length')
})

test('a frontier has the root of the whole tree at every size', () => {
  const frontier = MerkleFrontier.from(0, [])
  assert.deepEqual(frontier.root(), MERKLE_EMPTY_ROOT)
  for (let size = 1; size <= hashes.length; size += 1) {
    frontier.append(leafAt(size - 1))
    const root = merkleRootOfHashes(hashes.slice(0, size))
    assert.equal(frontier.size, size)
    assert.ok(equalBytes(frontier.root(), root), `size ${size}`)
    const copy = MerkleFrontier.from(frontier.size, frontier.hashes)
    copy.append(leafAt(0))
    assert.ok(equalBytes(frontier.root(), root), 'a copy grows alone')
    assert.deepEqual(copy.root(), merkleRootOfHashes([...hashes.slice(0, size), leafAt(0)]))
  }
})

test('a frontier that does not fit its size is not made', () => {
  const misfits: [size: number, count: number][] = [
    [0, 1],
    [1, 0],
    [3, 1],
    [4, 2],
    [-1, 1],
    [1.5, 1],
    [2 ** 53, 1],
  ]
  for (const [size, count] of misfits) {
    assert.throws(() => MerkleFrontier.from(size, hashes.slice(0, count)), RangeError)
  }
})

test('there is no proof about a leaf or a tree that is not there', () => {
  for (const index of [-1, 3, 0.5])
    assert.throws(() => inclusionProof(hashes.slice(0, 3), index), RangeError)
  for (const size of [0, -1, 4, 1.5])
    assert.throws(() => consistencyProof(hashes.slice(0, 3), size), RangeError)
  assert.throws(() => inclusionProof([], 0), RangeError)
})

interface MerkleVector {
  leafIdx: number
  treeSize: number
  root: string
  leafHash: string
  size1: number
  size2: number
  root1: string
  root2: string
  proof: string[] | null
  desc: string
  wantErr: boolean
}

function base64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

test('the published proofs hold, and the published forgeries do not', () => {
  let [good, bad] = [0, 0]
  for (const [name, content] of readVectorTexts('merkle-rfc9162/')) {
    const vector: MerkleVector = JSON.parse(content)
    const path = (vector.proof ?? []).map(base64)
    const reason = name.startsWith('inclusion')
      ? checkInclusion({
          leafHash: base64(vector.leafHash),
          index: vector.leafIdx,
          size: vector.treeSize,
          path,
          root: base64(vector.root),
        })
      : checkConsistency({
          oldSize: vector.size1,
          newSize: vector.size2,
          oldRoot: base64(vector.root1),
          newRoot: base64(vector.root2),
          path,
        })
    assert.equal(reason !== undefined, vector.wantErr, `${name}: ${reason?.code}`)
    if (vector.wantErr) bad += 1
    else good += 1
  }
  if (good + bad > 0) assert.ok(good >= 7 && bad >= 80, `${good} good, ${bad} bad`)
})

test.run()
