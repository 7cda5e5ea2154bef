import assert from 'node:assert/strict'
import { decodeBlock, decodeTransaction } from '@mooring/ledger'
import { StorageError } from '@mooring/storage'
import { test } from 'uvu'
import { batchIn } from '../src/anchor-search.ts'
import { createFinalRoots } from '../src/final-roots.ts'
import { MadeChain } from './made-chain.ts'

async function withChain(
  work: (
    made: MadeChain,
    anchors: { custodian: string; root: Uint8Array; id: Uint8Array; height: number }[],
  ) => void,
): Promise<void> {
  const made = await MadeChain.open()
  try {
    await made.grow(4, { transactionsPerBlock: 2 })
    const anchors = [...made.chain.blocks(1, made.height)].flatMap(({ block, height }) =>
      decodeBlock(block).transactions.flatMap((encoded) => {
        const { id, payload } = decodeTransaction(encoded, made.digest)
        const batch = batchIn(payload, 'record.anchor')
        if (batch === undefined) return []
        return [{ custodian: batch.organisation, root: batch.batchRoot, id, height }]
      }),
    )
    assert.equal(anchors.length, 8)
    work(made, anchors)
  } finally {
    await made.remove()
  }
}

test('every root of the chain is there for its custodian, in the block of its transaction', () =>
  withChain((made, anchors) => {
    const roots = createFinalRoots(made.chain, made.digest)
    for (const { custodian, root, id, height } of anchors) {
      assert.ok(roots.has(custodian, root))
      assert.equal(roots.heightOf(custodian, root, id), height)
      assert.equal(roots.heightOf(custodian, root, id), height)
      const other = anchors.find((each) => each.custodian !== custodian)
      assert.ok(other !== undefined)
      assert.equal(roots.has(other.custodian, root), false)
      assert.equal(roots.has(custodian, other.root), false)
    }
  }))

test('a transaction that did not anchor this root tells no height, and spoils nothing', () =>
  withChain((made, [one, two]) => {
    assert.ok(one !== undefined && two !== undefined)
    const roots = createFinalRoots(made.chain, made.digest)
    assert.equal(roots.heightOf(one.custodian, one.root, two.id), null)
    assert.equal(roots.heightOf(one.custodian, one.root, new Uint8Array(32)), null)
    assert.equal(roots.heightOf(two.custodian, one.root, one.id), null)
    assert.equal(roots.has(two.custodian, one.root), false)
    assert.equal(roots.heightOf(one.custodian, one.root, one.id), one.height)
  }))

test('where the block was dropped the root is there still, and its height is not known', () =>
  withChain((made, [one]) => {
    assert.ok(one !== undefined)
    const pruned = {
      state: () => made.chain.state(),
      getTransaction: (id: Uint8Array) => made.chain.getTransaction(id),
      getBlock: () => {
        throw new StorageError('pruned', 'dropped')
      },
    }
    const roots = createFinalRoots(pruned, made.digest)
    assert.ok(roots.has(one.custodian, one.root))
    assert.equal(roots.heightOf(one.custodian, one.root, one.id), null)
  }))

test.run()
