import assert from 'node:assert/strict'
import { test } from 'uvu'
import type { Database } from '../src/database.ts'
import * as keys from '../src/keys.ts'
import { verifyChain } from '../src/verify.ts'
import { chainOptions, idOf, makeBlocks, openChain, textBytes } from './chain-world.ts'
import { withDatabase } from './folder.ts'

async function withChain(work: (database: Database) => Promise<void>): Promise<void> {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 12, 4))
    await work(database)
  })
}

test('a sound chain has no problems', async () => {
  await withChain(async (database) => {
    const { problems, ...counts } = await verifyChain(database, chainOptions)
    assert.deepEqual(problems, [])
    assert.deepEqual(counts, { blocks: 12, transactions: 48, stateValues: 51 })
  })
})

test('every key that is gone or holds a value of another is found and named', async () => {
  for (const key of [
    keys.blockKey(3),
    keys.receiptsKey(3),
    keys.summaryKey(3),
    keys.finalizationKey(4),
    keys.transactionKey(idOf(5, 2)),
    keys.historyKey(1, 2),
    keys.valueKey(idOf(6, 1)),
    keys.valueKey(textBytes('sequence')),
    keys.epochKey(0),
    keys.tipKey(),
  ]) {
    await withChain(async (database) => {
      await database.batch([{ type: 'del', key }], { sync: false })
      const { problems } = await verifyChain(database, chainOptions)
      assert.equal(problems.length, 1, keys.formatDatabaseKey(key))
      assert.equal(problems[0]?.code, 'missing')
    })
  }
})

test('contradictions are found', async () => {
  for (const [from, to] of [
    [keys.transactionKey(idOf(5, 2)), keys.transactionKey(idOf(5, 1))],
    [keys.historyKey(0, 1), keys.historyKey(0, 2)],
    [keys.headerKey(2), keys.headerKey(3)],
    [keys.valueKey(idOf(6, 1)), keys.valueKey(textBytes('unknown to the tree'))],
    [keys.valueKey(idOf(6, 1)), keys.valueKey(idOf(7, 1))],
  ] as const) {
    await withChain(async (database) => {
      const value = database.getSync(from)
      assert.ok(value)
      await database.batch([{ type: 'put', key: to, value }], { sync: false })
      const { problems } = await verifyChain(database, chainOptions)
      assert.ok(problems.length > 0, keys.formatDatabaseKey(to))
    })
  }
})

test('a state page of another place is found', async () => {
  await withChain(async (database) => {
    const pages: { key: Uint8Array; value: Uint8Array }[] = []
    const range = { from: keys.pageKey('0'), to: keys.pageKey('g') }
    for await (const page of database.iterate(range)) pages.push(page)
    const [first, second] = pages
    assert.ok(first && second)
    await database.batch([{ type: 'put', key: second.key, value: first.value }], { sync: false })
    const { problems } = await verifyChain(database, chainOptions)
    assert.ok(problems.length > 0)
    assert.equal(problems[0]?.details['key'], keys.formatDatabaseKey(second.key))
  })
})

test.run()
