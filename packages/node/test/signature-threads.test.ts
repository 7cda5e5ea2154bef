// Threads that verify for a node that catches up: what they say spares work, and is never more than is true.

import assert from 'node:assert/strict'
import { decodeBlock } from '@mooring/ledger'
import { test } from 'uvu'
import { SignatureThreads } from '../src/signature-threads.ts'
import { MadeChain } from './made-chain.ts'

const TRANSACTIONS = 700

async function withBlocks(work: (made: MadeChain, blocks: Uint8Array[]) => Promise<void>) {
  const made = await MadeChain.open()
  try {
    await made.grow(2, { transactionsPerBlock: TRANSACTIONS })
    const blocks = [1, 2].map((height) => made.chain.getBlock(height))
    assert.ok(blocks.every((block) => block !== undefined))
    await work(made, blocks)
  } finally {
    await made.remove()
  }
}

function read(encoded: Uint8Array) {
  return { encoded, transactions: decodeBlock(encoded).transactions }
}

test('a block is signed when every transaction in it is, for this network', () =>
  withBlocks(async (made, [first, second]) => {
    assert.ok(first && second)
    const other = await MadeChain.open({ heartbeatMs: 12_345 })
    await other.grow(1, { transactionsPerBlock: 3 })
    const foreign = other.chain.getBlock(1)
    assert.ok(foreign)
    const threads = new SignatureThreads(made.digest, 2)
    try {
      const [good, bad, better] = [read(first), read(foreign), read(second)]
      assert.deepEqual([...(await threads.check([good, bad, better]))], [good, better])
    } finally {
      threads.stop()
      await other.remove()
    }
  }))

test('little work, one core, or threads that end: nothing is known, and nobody waits', () =>
  withBlocks(async (made, [first, second]) => {
    assert.ok(first && second)
    const both = [read(first), read(second)]
    const threads = new SignatureThreads(made.digest, 2)
    assert.equal((await threads.check(both.slice(0, 1))).size, 0)
    const begun = threads.check(both)
    threads.stop()
    assert.equal((await begun).size, 0)
    assert.equal((await new SignatureThreads(made.digest, 1).check(both)).size, 0)
  }))

test.run()
