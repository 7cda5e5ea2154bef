import assert from 'node:assert/strict'
import { equalBytes } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  checkStateProof,
  sha256,
  STATE_EMPTY_ROOT,
  stateBit,
  stateLeafHash,
  stateNodeHash,
  type StateProof,
} from '../src/index.ts'

interface Leaf {
  keyHash: Uint8Array
  valueHash: Uint8Array
}

// The tree as its definition says, over a list of leaves.
function leafOf(key: Uint8Array, value: Uint8Array): Leaf {
  return { keyHash: sha256(key), valueHash: sha256(value) }
}

function rootOf(leaves: Leaf[], depth = 0): Uint8Array {
  const [first] = leaves
  if (first === undefined) return new Uint8Array(32)
  if (leaves.length === 1) return stateLeafHash(first.keyHash, first.valueHash)
  const [left, right] = halves(leaves, depth)
  return stateNodeHash(rootOf(left, depth + 1), rootOf(right, depth + 1))
}

function halves(leaves: Leaf[], depth: number): [left: Leaf[], right: Leaf[]] {
  return [
    leaves.filter(({ keyHash }) => stateBit(keyHash, depth) === 0),
    leaves.filter(({ keyHash }) => stateBit(keyHash, depth) === 1),
  ]
}

function proofOf(leaves: Leaf[], keyHash: Uint8Array, depth = 0): StateProof {
  if (leaves.length <= 1) return { siblings: [], leaf: leaves[0] ?? null }
  const [left, right] = halves(leaves, depth)
  const [near, far] = stateBit(keyHash, depth) === 0 ? [left, right] : [right, left]
  const { siblings, leaf } = proofOf(near, keyHash, depth + 1)
  return { siblings: [...siblings, rootOf(far, depth + 1)], leaf }
}

function keyOf(index: number): Uint8Array {
  return Uint8Array.of(index & 255, index >> 8)
}

const states = fc.uniqueArray(fc.nat(2000), { maxLength: 60 }).map((indices) => {
  const entries = indices.map((index) => ({ key: keyOf(index), value: Uint8Array.of(index & 15) }))
  const leaves = entries.map(({ key, value }) => leafOf(key, value))
  return { entries, leaves, root: rootOf(leaves), indices: new Set(indices) }
})

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const index = at % bytes.length
  return bytes.with(index, (bytes[index] ?? 0) ^ (1 << (at & 7)))
}

test('the root of an empty tree is zero and of one leaf is that leaf', () => {
  assert.deepEqual(STATE_EMPTY_ROOT, new Uint8Array(32))
  const key = Uint8Array.of(1)
  const value = Uint8Array.of(2)
  const leaf = leafOf(key, value)
  const root = stateLeafHash(leaf.keyHash, leaf.valueHash)
  assert.deepEqual(root, sha256(Uint8Array.of(0), leaf.keyHash, leaf.valueHash))
  assert.equal(checkStateProof(root, key, value, { siblings: [], leaf }), undefined)
  assert.equal(checkStateProof(root, Uint8Array.of(9), null, { siblings: [], leaf }), undefined)
  const nothing = { siblings: [], leaf: null }
  assert.equal(checkStateProof(STATE_EMPTY_ROOT, key, null, nothing), undefined)
  assert.equal(checkStateProof(root, key, null, nothing)?.code, 'wrong_root')
})

test('bits are read from the most significant', () => {
  const keyHash = Uint8Array.of(0b1010_0000, 0b0000_0001)
  assert.deepEqual(
    Array.from({ length: 16 }, (_, depth) => stateBit(keyHash, depth)),
    [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  )
})

test('every entry is present with its value, and with no other', () => {
  fc.assert(
    fc.property(states, ({ entries, leaves, root }) => {
      for (const { key, value } of entries) {
        const proof = proofOf(leaves, sha256(key))
        assert.equal(checkStateProof(root, key, value, proof), undefined)
        assert.equal(checkStateProof(root, key, null, proof)?.code, 'present')
        assert.equal(checkStateProof(root, key, Uint8Array.of(99), proof)?.code, 'wrong_value')
      }
    }),
    { numRuns: 40 },
  )
})

test('every other key is absent', () => {
  fc.assert(
    fc.property(states, fc.array(fc.nat(2000), { maxLength: 20 }), (state, others) => {
      for (const index of others) {
        if (state.indices.has(index)) continue
        const key = keyOf(index)
        const proof = proofOf(state.leaves, sha256(key))
        assert.equal(checkStateProof(state.root, key, null, proof), undefined)
        assert.equal(checkStateProof(state.root, key, Uint8Array.of(0), proof)?.code, 'absent')
      }
    }),
    { numRuns: 100 },
  )
})

/** The proof, also cut short from below, with its leaf and without. */
function variations({ siblings, leaf }: StateProof): StateProof[] {
  const cuts = Array.from({ length: siblings.length + 1 }, (_, cut) => siblings.slice(cut))
  return cuts.flatMap((rest) => [
    { siblings: rest, leaf },
    { siblings: rest, leaf: null },
  ])
}

test('a present key cannot be shown absent by the proof of another', () => {
  const others = fc.array(fc.nat(2000), { minLength: 5, maxLength: 20 })
  fc.assert(
    fc.property(states, others, ({ entries, leaves, root }, indices) => {
      const proofs = indices.flatMap((index) => variations(proofOf(leaves, sha256(keyOf(index)))))
      for (const { key } of entries) {
        for (const proof of proofs) {
          assert.notEqual(checkStateProof(root, key, null, proof), undefined)
        }
      }
    }),
    { numRuns: 15 },
  )
})

test('a changed proof, value or root does not hold', () => {
  fc.assert(
    fc.property(states, fc.nat(), fc.nat(), ({ entries, leaves, root }, which, at) => {
      const entry = entries[which % Math.max(1, entries.length)]
      if (entry === undefined) return
      const { key, value } = entry
      const { siblings, leaf } = proofOf(leaves, sha256(key))
      assert.ok(leaf !== null)
      const changed: StateProof[] = [
        { siblings: [...siblings, root], leaf },
        { siblings: [root, ...siblings], leaf },
        { siblings: [new Uint8Array(32), ...siblings], leaf },
        { siblings, leaf: null },
        { siblings, leaf: { ...leaf, keyHash: flip(leaf.keyHash, at) } },
        { siblings, leaf: { ...leaf, valueHash: flip(leaf.valueHash, at) } },
      ]
      for (const [index, sibling] of siblings.entries()) {
        changed.push({ siblings: siblings.with(index, flip(sibling, at)), leaf })
        changed.push({ siblings: siblings.toSpliced(index, 1), leaf })
      }
      for (const proof of changed) {
        assert.notEqual(checkStateProof(root, key, value, proof), undefined)
        assert.notEqual(checkStateProof(root, key, null, proof), undefined)
      }
      assert.equal(
        checkStateProof(flip(root, at), key, value, { siblings, leaf })?.code,
        'wrong_root',
      )
    }),
    { numRuns: 100 },
  )
})

test('a leaf off the path of the key proves nothing', () => {
  const leaves = Array.from({ length: 40 }, (_, index) => leafOf(keyOf(index), Uint8Array.of(1)))
  const root = rootOf(leaves)
  const key = keyOf(3)
  const proof = proofOf(leaves, sha256(keyOf(1000)))
  const other = leaves.find(({ keyHash }) => stateBit(keyHash, 0) !== stateBit(sha256(key), 0))
  assert.ok(other !== undefined && proof.siblings.length > 0)
  const strayed = { siblings: proof.siblings, leaf: other }
  assert.equal(checkStateProof(root, key, null, strayed)?.code, 'wrong_path')
})

test('malformed digests and paths deeper than a key are refused', () => {
  const key = Uint8Array.of(1)
  const value = Uint8Array.of(2)
  const leaf = leafOf(key, value)
  const codeOf = (proof: StateProof, root = STATE_EMPTY_ROOT): string | undefined =>
    checkStateProof(root, key, value, proof)?.code
  const deep = Array.from({ length: 257 }, () => new Uint8Array(32))
  assert.equal(codeOf({ siblings: deep, leaf }), 'malformed')
  assert.equal(codeOf({ siblings: deep.slice(1), leaf }), 'wrong_root')
  assert.equal(codeOf({ siblings: [new Uint8Array(31)], leaf }), 'malformed')
  assert.equal(
    codeOf({ siblings: [], leaf: { ...leaf, valueHash: new Uint8Array(0) } }),
    'malformed',
  )
  assert.equal(
    codeOf({ siblings: [], leaf: { ...leaf, keyHash: new Uint8Array(33) } }),
    'malformed',
  )
})

test('the order in which the model is filled does not matter', () => {
  fc.assert(
    fc.property(states, ({ leaves, root }) => {
      assert.ok(equalBytes(rootOf(leaves.toReversed()), root))
    }),
    { numRuns: 20 },
  )
})

test.run()
