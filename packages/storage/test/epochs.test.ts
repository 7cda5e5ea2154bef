import assert from 'node:assert/strict'
import { test } from 'uvu'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import * as keys from '../src/keys.ts'
import { authoritiesAfter, makeBlocks, openChain, textBytes } from './chain-world.ts'
import { withDatabase } from './folder.ts'

const ENDED = [7, 14, 21].map((height, epoch) => ({
  epoch,
  height,
  authoritySet: authoritiesAfter(height),
}))

test('every sealing block enters the index, in one batch or one by one, and is found again', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    assert.deepEqual(chain.epochs(), [])
    await chain.commitAll(makeBlocks(chain, 16, 1))
    for (const block of makeBlocks(chain, 6, 1)) await chain.commit(block)
    assert.deepEqual(plain(chain.epochs()), ENDED)
    assert.deepEqual(plain((await openChain(database)).epochs()), ENDED)
  })
})

test('a sealing block that is the tip belongs to the epoch that it ends', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 7, 1))
    assert.deepEqual(plain((await openChain(database)).epochs()), ENDED.slice(0, 1))
  })
})

test('a block of another epoch, set or without its own finalization is refused', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    const blocks = makeBlocks(chain, 8, 1)
    const [sealing, next] = blocks.slice(6)
    assert.ok(sealing && next)
    await chain.commitAll(blocks.slice(0, 6))
    for (const wrong of [
      { ...sealing, nextAuthorities: null },
      { ...sealing, nextAuthorities: textBytes('others') },
      { ...sealing, finalization: null },
    ])
      await refused('out_of_order', () => chain.commit(wrong))
    await chain.commit(sealing)
    await refused('out_of_order', () => chain.commit({ ...next, nextAuthorities: sealing.block }))
    await chain.commit(next)
    assert.equal(chain.tip.height, 8)
  })
})

test('an index that lacks an epoch, or tells of another, is found when the chain is opened', async () => {
  const damages: [
    StorageErrorCode,
    (keyOf: typeof keys) => { from: Uint8Array | null; to: Uint8Array },
  ][] = [
    ['corrupt', ({ epochKey }) => ({ from: null, to: epochKey(1) })],
    ['corrupt', ({ epochKey }) => ({ from: null, to: epochKey(0) })],
    ['corrupt', ({ epochKey }) => ({ from: epochKey(0), to: epochKey(1) })],
    ['corrupt', ({ epochKey }) => ({ from: epochKey(1), to: epochKey(2) })],
    ['missing', ({ finalizationKey }) => ({ from: null, to: finalizationKey(7) })],
  ]
  for (const [code, damageOf] of damages) {
    await withDatabase(async (database) => {
      const chain = await openChain(database)
      await chain.commitAll(makeBlocks(chain, 16, 1))
      const { from, to } = damageOf(keys)
      const value = from === null ? undefined : database.getSync(from)
      const damage =
        value === undefined
          ? ({ type: 'del', key: to } as const)
          : ({ type: 'put', key: to, value } as const)
      await database.batch([damage], { sync: false })
      await refused(code, () => openChain(database))
    })
  }
})

function plain(epochs: readonly { epoch: number; height: number; authoritySet: Uint8Array }[]) {
  return epochs.map((ended) => ({ ...ended, authoritySet: new Uint8Array(ended.authoritySet) }))
}

async function refused(code: StorageErrorCode, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof StorageError && error.code === code)
}

test.run()
