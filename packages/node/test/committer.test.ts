import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'uvu'
import { MadeChain } from './made-chain.ts'

test('who waits for a block is told when it is durable, whatever is still to be tidied up', async () => {
  const made = await MadeChain.open()
  try {
    const tidying = Promise.withResolvers<void>()
    made.settle = () => tidying.promise
    const told: { height: number; tip: number }[] = []
    made.committer.subscribe(({ height }) => told.push({ height, tip: made.height }))
    const growing = made.grow(1)
    while (told.length === 0) await nextTurn()
    assert.deepEqual(told, [{ height: 1, tip: 1 }])
    tidying.resolve()
    await growing
    assert.equal(told.length, 1)
  } finally {
    await made.close()
  }
})

test.run()
