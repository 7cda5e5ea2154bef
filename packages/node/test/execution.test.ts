import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { toHex } from '@mooring/codec'
import { type DecodedBlock, decodeBlock, encodeBlock } from '@mooring/ledger'
import { test } from 'uvu'
import type { Work } from '../src/long-work.ts'
import { certificateOf } from './chain-members.ts'
import { MadeChain } from './made-chain.ts'

const PER_BLOCK = 40

test('a block in a place that nobody asked for is not kept', async () => {
  const made = await MadeChain.open()
  try {
    await made.grow(2)
    const { header, transactions } = decodeBlock(made.chain.getBlock(2) ?? new Uint8Array(0))
    const far = encodeBlock({ header: { ...header, height: 2 ** 50, view: 2 ** 50 }, transactions })
    let digest = ''
    const refused = made.execution.holdIf(far, (meta) => {
      digest = meta.digest
      return false
    })
    assert.equal(refused, null)
    assert.notEqual(digest, '')
    assert.equal(made.execution.encodedOf(digest), undefined)
  } finally {
    await made.remove()
  }
})

test('a block that says it is a million blocks high is let go with the view that it was for', async () => {
  const made = await MadeChain.open()
  try {
    await made.grow(3)
    const { header, transactions } = decodeBlock(made.chain.getBlock(3) ?? new Uint8Array(0))
    const of = (view: number): Uint8Array =>
      encodeBlock({ header: { ...header, height: 1_000_000, view }, transactions })
    const { digest: passing } = made.execution.hold(of(4))
    const { digest: coming } = made.execution.hold(of(6))
    assert.ok(made.execution.encodedOf(passing) !== undefined)
    await made.grow(2)
    assert.equal(made.execution.encodedOf(passing), undefined)
    assert.ok(made.execution.encodedOf(coming) !== undefined)
  } finally {
    await made.remove()
  }
})

/** A node with nothing but genesis, and the blocks of another one that it may execute. */
async function withBlocks(
  work: (made: MadeChain, blocks: DecodedBlock[]) => Promise<void>,
): Promise<void> {
  const [long, made] = [await MadeChain.open(), await MadeChain.open()]
  try {
    await long.grow(4, { transactionsPerBlock: PER_BLOCK })
    const blocks = [1, 2, 3, 4].map((height) =>
      decodeBlock(long.chain.getBlock(height) ?? new Uint8Array(0)),
    )
    await work(made, blocks)
  } finally {
    await long.remove()
    await made.remove()
  }
}

function hold(made: MadeChain, block: DecodedBlock | undefined): string {
  if (block === undefined) throw new Error('no block')
  return made.execution.hold(encodeBlock(block), block).digest
}

function seal(made: MadeChain, block: DecodedBlock | undefined): Promise<void> {
  if (block === undefined) throw new Error('no block')
  const { view, parentView, height, epoch } = block.header
  const digest = toHex(block.digest)
  const certificate = certificateOf(made.digest, 'finalize', {
    epoch,
    view,
    parentView,
    height,
    digest,
  })
  made.committer.commit(made.execution.seal([digest]), certificate)
  return made.committer.idle()
}

/** So many steps; the value when it has come to its end. */
function go<T>(steps: Work<T>, count = Infinity): T | undefined {
  for (let step = 0; step < count; step += 1) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
  return undefined
}

test('a block is executed the same whatever happens between its steps', async () => {
  await withBlocks(async (made, [first, second]) => {
    const { execution } = made
    const one = hold(made, first)
    const two = hold(made, second)
    const root = execution.tip.view.root
    const steps = execution.executeInSteps(one)
    assert.equal(go(steps, PER_BLOCK + 5), undefined)
    assert.equal(execution.executedOf(one), undefined, 'half a block is there')
    assert.deepEqual(execution.finalState().get(new Uint8Array(32)), undefined)
    assert.deepEqual(execution.tip.view.root, root)
    assert.equal(go(steps), null)
    const next = execution.executeInSteps(two)
    // Its parent becomes the tip and durable meanwhile.
    go(next, PER_BLOCK / 2)
    await seal(made, first)
    go(next, PER_BLOCK)
    assert.equal(go(next), null)
    assert.deepEqual(execution.executedOf(two)?.view.root, second?.header.stateRoot)
    await seal(made, second)
    assert.deepEqual(made.chain.state().root, second?.header.stateRoot)
  })
})

test('a block that is overtaken between two steps is neither good nor bad, and nothing is kept of it', async () => {
  await withBlocks(async (made, [first, second, third]) => {
    const { execution } = made
    const [one, two] = [hold(made, first), hold(made, second)]
    go(execution.executeInSteps(one))
    // Somebody else executes the same block faster, and it is final before these have got to its end.
    const slow = [0, 3, PER_BLOCK + 3].map((done) => {
      const steps = execution.executeInSteps(two)
      go(steps, done)
      return steps
    })
    const { meta } = execution.executedOf(one) ?? execution.tip
    const input = { view: 9, now: meta.time + 5, candidates: [], mayBeEmpty: true }
    const building = execution.buildInSteps(meta, input)
    go(building, 1)
    go(execution.executeInSteps(two))
    await seal(made, first)
    await seal(made, second)
    for (const steps of slow) assert.equal(go(steps), 'overtaken')
    assert.equal(go(building), 'overtaken')
    assert.equal(execution.executedOf(two), undefined)
    const late = hold(made, third)
    assert.equal(go(execution.executeInSteps(late)), null)
    assert.equal(go(execution.executeInSteps(two)), 'overtaken', 'its body is not even held')
  })
})

test('a large block reads ahead what is not in memory, and a small one does not', async () => {
  const long = await MadeChain.open()
  const first = await MadeChain.open()
  try {
    await long.grow(7, { transactionsPerBlock: 300 })
    await long.grow(1, { transactionsPerBlock: 20 })
    const blockAt = (height: number) =>
      decodeBlock(long.chain.getBlock(height) ?? new Uint8Array(0))
    for (let height = 1; height <= 6; height += 1) {
      assert.equal(go(first.execution.executeInSteps(hold(first, blockAt(height)))), null)
      await seal(first, blockAt(height))
    }
    await first.close()
    const cold = await MadeChain.open({}, first.folder)
    try {
      const { transactions } = blockAt(7)
      assert.equal(cold.execution.readAhead(transactions.slice(0, 20)), null)
      const steps = cold.execution.executeInSteps(hold(cold, blockAt(7)))
      const { value: reading } = steps.next()
      assert.ok(reading instanceof Promise)
      await reading
      assert.equal(cold.execution.readAhead(transactions), null, 'it is in memory now')
      assert.equal(go(steps), null)
      const small = cold.execution.executeInSteps(hold(cold, blockAt(8)))
      assert.equal(small.next().value, undefined)
    } finally {
      await cold.close()
    }
  } finally {
    await long.remove()
    await rm(first.folder, { recursive: true, force: true })
  }
})

test.run()
