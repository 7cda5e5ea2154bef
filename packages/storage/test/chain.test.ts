import assert from 'node:assert/strict'
import { join } from 'node:path'
import { equalBytes, toHex } from '@mooring/codec'
import { checkInclusion, checkStateProof, leafHash, merkleRoot } from '@mooring/crypto'
import { test } from 'uvu'
import { ChainStore } from '../src/chain.ts'
import type { Database } from '../src/database.ts'
import { openDatabase } from '../src/database.ts'
import { StorageError, type StorageErrorCode } from '../src/errors.ts'
import { growHistory, type HistoryFrontier, readFrontier, readHistoryPath } from '../src/history.ts'
import * as keys from '../src/keys.ts'
import {
  askAll,
  chainOptions,
  finalizationOf,
  GENESIS_DIGEST,
  GENESIS_TIME,
  idOf,
  isFinalizedAt,
  makeBlocks,
  openChain,
  textBytes,
  timeOf,
} from './chain-world.ts'
import { inFolder, withDatabase } from './folder.ts'

function withCode(code: StorageErrorCode, key?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StorageError, String(error))
    assert.equal(error.code, code, error.message)
    if (key !== undefined) assert.equal(error.details['key'], key)
    return true
  }
}

test('a new chain starts at genesis with its state', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    assert.equal(chain.tip.height, 0)
    assert.deepEqual(chain.tip.digest, GENESIS_DIGEST)
    assert.equal(chain.tip.time, GENESIS_TIME)
    assert.deepEqual(chain.state().get(textBytes('organisation')), textBytes('from genesis'))
    assert.deepEqual(chain.historyFrontier().root(), merkleRoot([GENESIS_DIGEST]))
    assert.equal(chain.getBlock(0), undefined)
    assert.equal(chain.getBlock(1), undefined)
    assert.deepEqual(chain.recentTransactionIds(0), [])
    assert.deepEqual((await openChain(database)).tip, chain.tip)
  })
})

test('what is committed can be read by height, digest and transaction, also later', async () => {
  await withDatabase(async (database) => {
    const first = await openChain(database)
    const blocks = [...makeBlocks(first, 10, 3)]
    await first.commitAll(blocks.slice(0, 4))
    for (const block of blocks.slice(4)) await first.commit(block)
    for (const chain of [first, await openChain(database)]) {
      assert.equal(chain.tip.height, 10)
      for (const [at, block] of blocks.entries()) {
        const height = at + 1
        assert.deepEqual(chain.getBlock(height), block.block)
        assert.deepEqual(chain.getBlock(block.digest), block.block)
        assert.deepEqual(chain.getHeader(block.digest), block.header)
        assert.deepEqual(chain.getReceipts(height), block.receipts)
        assert.equal(chain.heightOf(block.digest), height)
        assert.deepEqual(chain.getFinalization(height), block.finalization ?? undefined)
        assert.deepEqual(chain.getTransaction(idOf(height, 2)), { height, index: 2 })
      }
      assert.equal(chain.getBlock(11), undefined)
      assert.equal(chain.heightOf(GENESIS_DIGEST), undefined)
      assert.equal(chain.getTransaction(idOf(11, 0)), undefined)
      assert.deepEqual(chain.state().get(textBytes('sequence')), textBytes('10'))
      assert.equal(chain.state().get(textBytes('removed 9')), undefined)
    }
  })
})

test('ranges, finalizations and recent transactions follow the chain', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    await chain.commitAll(makeBlocks(chain, 9, 2))
    assert.deepEqual(
      [...chain.blocks(7, 20)].map(({ height, finalization }) => [height, finalization]),
      [
        [7, finalizationOf(7)],
        [8, finalizationOf(8)],
        [9, undefined],
      ],
    )
    assert.deepEqual(chain.finalizationAtOrAfter(2), { height: 2, finalization: finalizationOf(2) })
    assert.deepEqual(chain.finalizationAtOrAfter(3), { height: 4, finalization: finalizationOf(4) })
    assert.equal(isFinalizedAt(9), false)
    assert.equal(chain.finalizationAtOrAfter(9), undefined)
    assert.deepEqual(
      chain.recentTransactionIds(timeOf(8)),
      [8, 9].map((height) => ({
        height,
        time: timeOf(height),
        ids: [idOf(height, 0), idOf(height, 1)],
      })),
    )
    assert.equal(chain.recentTransactionIds(0).length, 9)
  })
})

test('any block is proved in any later history, and any key in the state of the tip', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    const blocks = makeBlocks(chain, 40, 1)
    await chain.commitAll(blocks)
    const digests = [GENESIS_DIGEST, ...blocks.map(({ digest }) => digest)]
    for (let size = 1; size <= digests.length; size += 1) {
      const root = merkleRoot(digests.slice(0, size))
      const headerOfSize = chain.getHeader(size)
      if (headerOfSize !== undefined) {
        assert.deepEqual(chainOptions.decodeHeader(headerOfSize).historyRoot, root)
      }
      for (let index = 0; index < size; index += 1) {
        const path = chain.historyPath(index, size)
        const leaf = leafHash(digests[index] ?? GENESIS_DIGEST)
        assert.equal(checkInclusion({ leafHash: leaf, index, size, path, root }), undefined)
      }
    }
    assert.throws(() => chain.historyPath(3, 42), RangeError)
    assert.throws(() => chain.historyPath(41, 41), RangeError)
    const { root } = chain.state()
    const proof = chain.state().prove(textBytes('sequence'))
    assert.equal(checkStateProof(root, textBytes('sequence'), textBytes('40'), proof), undefined)
  })
})

test('the path of a leaf in a huge history takes few reads', () => {
  const nodes = new Map<string, Uint8Array>()
  let frontier: HistoryFrontier = { size: 0, digests: [] }
  for (let height = 0; height < 5000; height += 1) {
    const grown = growHistory(frontier, idOf(height, 0))
    frontier = grown.frontier
    for (const { level, index, digest } of grown.nodes) nodes.set(`${level}.${index}`, digest)
  }
  let reads = 0
  const read = (level: number, index: number) => {
    reads += 1
    const node = nodes.get(`${level}.${index}`)
    assert.ok(node, `${level}.${index}`)
    return node
  }
  assert.deepEqual(readFrontier(5000, read), frontier)
  for (const [index, size] of [
    [0, 4095],
    [4096, 5000],
    [4999, 5000],
    [17, 4999],
  ] as const) {
    reads = 0
    readHistoryPath(index, size, read)
    assert.ok(reads <= 26, `${reads} reads`)
  }
})

test('a block that does not follow the tip is refused before anything is written', async () => {
  await withDatabase(async (database) => {
    const chain = await openChain(database)
    const [first, second, third] = makeBlocks(chain, 3, 1)
    assert.ok(first && second && third)
    await assert.rejects(chain.commit(second), withCode('out_of_order'))
    await assert.rejects(chain.commitAll([first, third]), withCode('out_of_order'))
    await assert.rejects(chain.commit({ ...first, state: second.state }), withCode('out_of_order'))
    await assert.rejects(
      chain.commit({ ...first, digest: second.digest }),
      withCode('out_of_order'),
    )
    assert.equal(chain.tip.height, 0)
    await Promise.all([chain.commit(first), chain.commit(second), chain.commitAll([third])])
    assert.equal(chain.tip.height, 3)
    await assert.rejects(chain.commit(third), withCode('out_of_order'))
    await chain.commitAll([])
    assert.equal((await openChain(database)).tip.height, 3)
  })
})

test('acceptance 6: a chain of another genesis is refused', async () => {
  await withDatabase(async (database) => {
    await openChain(database)
    const genesis = { ...chainOptions.genesis, digest: idOf(0, 0) }
    await assert.rejects(
      ChainStore.open(database, { ...chainOptions, genesis }),
      withCode('wrong_network'),
    )
  })
})

async function committed(database: Database, height: number): Promise<void> {
  const chain = await openChain(database)
  for (const block of makeBlocks(chain, height, 2)) await chain.commit(block)
}

async function remove(database: Database, ...gone: Uint8Array[]): Promise<void> {
  await database.batch(
    gone.map((key) => ({ type: 'del', key })),
    { sync: false },
  )
}

test('a chain with a hole, a wrong tip or a wrong state does not open', async () => {
  for (const [damage, code] of [
    [(database) => remove(database, keys.headerKey(3)), 'missing'],
    [(database) => remove(database, keys.tipKey()), 'missing'],
    [(database) => remove(database, keys.genesisKey()), 'missing'],
    [(database) => remove(database, keys.historyKey(0, 5)), 'missing'],
    [(database) => remove(database, keys.historyKey(2, 0)), 'missing'],
    [(database) => remove(database, keys.headerKey(5)), 'missing'],
    [(database) => remove(database, keys.pageKey('')), 'corrupt'],
    [(database) => copy(database, keys.headerKey(2), keys.headerKey(3)), 'corrupt'],
    [(database) => copy(database, keys.headerKey(5), keys.headerKey(6)), 'corrupt'],
    [(database) => copy(database, keys.historyKey(0, 1), keys.historyKey(0, 4)), 'corrupt'],
    [(database) => copy(database, keys.historyKey(0, 1), keys.historyKey(0, 5)), 'corrupt'],
  ] as [(database: Database) => Promise<void>, StorageErrorCode][]) {
    await withDatabase(async (database) => {
      await committed(database, 5)
      await damage(database)
      await assert.rejects(openChain(database), withCode(code), String(damage))
    })
  }
})

async function copy(database: Database, from: Uint8Array, to: Uint8Array): Promise<void> {
  const value = database.getSync(from)
  assert.ok(value)
  await database.batch([{ type: 'put', key: to, value }], { sync: false })
}

test('what is gone below the tip is an error that names it', async () => {
  await withDatabase(async (database) => {
    await committed(database, 5)
    const chain = await openChain(database)
    await remove(database, keys.blockKey(2), keys.finalizationKey(2), keys.summaryKey(4))
    assert.throws(() => chain.getBlock(2), withCode('missing', 'block 2'))
    assert.throws(() => chain.getFinalization(2), withCode('missing'))
    assert.throws(() => chain.recentTransactionIds(0), withCode('missing'))
    assert.throws(() => [...chain.blocks(1, 5)], withCode('missing'))
  })
})

test('a failed write stops the chain and leaves it readable', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const database = await openDatabase(path, { name: 'chain' })
    const chain = await openChain(database)
    const [first, second, third] = makeBlocks(chain, 3, 1)
    assert.ok(first && second && third)
    await chain.commit(first)
    await database.close()
    await assert.rejects(chain.commit(second), withCode('io'))
    await assert.rejects(chain.commit(second), withCode('io'))
    assert.equal(chain.tip.height, 1)
    const again = await openDatabase(path, { name: 'chain' })
    const reopened = await openChain(again)
    assert.equal(reopened.tip.height, 1)
    assert.ok(equalBytes(reopened.tip.digest, first.digest))
    await again.close()
  })
})

test('a chain answers the same after it is reopened', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    let answers = ''
    for (let round = 0; round < 3; round += 1) {
      const database = await openDatabase(path, { name: 'chain' })
      const chain = await openChain(database)
      const found = JSON.stringify([...askAll(chain, { blocks: 8 * round, transactions: 2 })])
      if (round > 0) assert.equal(found, answers)
      await chain.commitAll(makeBlocks(chain, 8, 2))
      answers = JSON.stringify([...askAll(chain, { blocks: 8 * (round + 1), transactions: 2 })])
      assert.ok(!answers.includes('error'), answers)
      assert.equal(toHex(chain.state().root), toHex(chain.tip.stateRoot))
      await database.close()
    }
  })
})

test.run()
