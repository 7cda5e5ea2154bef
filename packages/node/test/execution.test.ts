import assert from 'node:assert/strict'
import { decodeBlock, encodeBlock } from '@mooring/ledger'
import { test } from 'uvu'
import { MadeChain } from './made-chain.ts'

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

test.run()
