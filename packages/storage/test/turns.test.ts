// Application and commit in steps: the same root however the steps are spread, the old state for whoever reads in
// between, and of a commit that ends between two turns nothing.

import type { Steps } from '@mooring/ledger'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { ChainStore } from '../src/chain.ts'
import { type Database, openDatabase } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { type StateEntry, StateTree } from '../src/state-tree.ts'
import type { StartTurns } from '../src/steps.ts'
import { verifyChain } from '../src/verify.ts'
import { askAll, chainOptions, makeBlocks, openChain, textBytes } from './chain-world.ts'
import { inFolder, withDatabase } from './folder.ts'

const KEYS = 400

function entryOf(key: number, value: number | null): StateEntry {
  return { key: textBytes(`key ${key}`), value: value === null ? null : textBytes(`${value}`) }
}

const all = (value: number) => Array.from({ length: KEYS }, (_, key) => entryOf(key, value))
const some = (value: number | null) => all(value ?? 0).filter((_, key) => key % 3 !== 0)

async function commit(database: Database, tree: StateTree, entries: StateEntry[]): Promise<void> {
  await database.batch(tree.begin(tree.view().apply(entries)), { sync: false })
  tree.end()
}

/** What `between` does comes after the step of that number. */
function run<T>(steps: Steps<T>, between: (step: number) => void): T {
  for (let step = 0; ; step += 1) {
    const { done, value } = steps.next()
    if (done === true) return value
    between(step)
  }
}

test('a state comes to the same root while others are made, read and committed between its steps', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database, 0)
    await commit(database, tree, all(1))
    const expected = tree
      .view()
      .apply([entryOf(1, 2)])
      .apply(some(3)).root
    const base = tree.view()
    const steps = run(base.apply([entryOf(1, 2)]).applyInSteps(some(3)), () => undefined)
    assert.equal(toHex(steps.root), toHex(expected))
    fc.assert(
      fc.property(fc.array(fc.nat({ max: KEYS }), { maxLength: 30 }), (places) => {
        const view = run(base.apply([entryOf(1, 2)]).applyInSteps(some(3)), (step) => {
          if (!places.includes(step)) return
          assert.equal(toHex(base.apply(some(3)).apply([entryOf(1, 2)]).root).length, 64)
          assert.deepEqual(
            base.get(textBytes(`key ${step}`)),
            step < KEYS ? textBytes('1') : undefined,
          )
        })
        assert.equal(toHex(view.root), toHex(expected))
      }),
      { numRuns: 20 },
    )
  })
})

test('the base may move to the view below while one is made on it, and is read rightly at each step', async () => {
  for (const at of [0, 10, 300, 532, 533, 534, 535]) {
    await withDatabase(async (database) => {
      const tree = StateTree.open(database, 20_000)
      await commit(database, tree, all(1))
      const below = tree.view().apply(some(2))
      const expected = below.apply(some(4)).root
      const work = below.applyInSteps(some(4))
      for (let step = 0; step < at; step += 1) assert.notEqual(work.next().done, true)
      const operations = [...tree.begin(below)]
      assert.notEqual(work.next().done, true)
      await database.batch(operations, { sync: false })
      let key = 0
      run(tree.endInSteps(), () => {
        key = (key + 1) % KEYS
        assert.deepEqual(below.get(textBytes(`key ${key}`)), textBytes(key % 3 === 0 ? '1' : '2'))
      })
      const made = run(work, () => undefined)
      assert.equal(toHex(made.root), toHex(expected))
      await database.batch(tree.begin(made), { sync: false })
      tree.end()
      assert.equal(toHex(StateTree.open(database).root), toHex(expected))
    })
  }
})

test('a state that is made on a fork that lost meanwhile is stale', async () => {
  await withDatabase(async (database) => {
    const tree = StateTree.open(database)
    await commit(database, tree, all(1))
    const base = tree.view()
    const work = base.apply([entryOf(1, 2)]).applyInSteps(some(3))
    work.next()
    await database.batch(tree.begin(base.apply([entryOf(1, 5)])), { sync: false })
    tree.end()
    assert.throws(
      () => run(work, () => undefined),
      (error) => error instanceof StorageError && error.code === 'stale_view',
    )
  })
})

/** Every step is a turn of its own; null: the next one never comes. */
function stopAndGo(next: () => Promise<void> | null): StartTurns {
  return () => () => next() ?? new Promise(() => undefined)
}

test('a commit in turns shows the old chain until it is durable, and the next one waits', async () => {
  await withDatabase(async (database) => {
    let turns = 0
    let look: (() => void) | null = null
    const chain = await ChainStore.open(database, {
      ...chainOptions,
      turns: stopAndGo(() => {
        turns += 1
        look?.()
        return Promise.resolve()
      }),
    })
    const [first, second, third] = makeBlocks(chain, 3, 20)
    if (first === undefined || second === undefined || third === undefined) throw new Error('none')
    await chain.commit(first)
    look = () => {
      if (chain.tip.height !== 1) return
      assert.equal(chain.getBlock(2), undefined)
      assert.equal(chain.getTransaction(second.transactionIds[0] ?? second.digest), undefined)
    }
    const done: number[] = []
    await Promise.all([
      chain.commit(second).then(() => done.push(chain.tip.height)),
      chain.commit(third).then(() => done.push(chain.tip.height)),
    ])
    assert.deepEqual(done, [2, 3])
    assert.ok(turns > 60)
    assert.deepEqual(chain.state().root, third.state.root)
    assert.deepEqual((await verifyChain(database, chainOptions)).problems, [])
  })
})

test('of a commit that was under way when the process ended nothing is there, whichever turn it had', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const open = () => openDatabase(path, { name: 'chain' })
    const made = await open()
    const chain = await openChain(made)
    await chain.commitAll(makeBlocks(chain, 2, 8))
    const expected = askAll(chain, { blocks: 3, transactions: 8 })
    await made.close()
    for (const last of [1, 2, 9, 20, 33]) {
      const database = await open()
      let turns = 0
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const stopping = await ChainStore.open(database, {
        ...chainOptions,
        turns: stopAndGo(() => {
          turns += 1
          if (turns < last) return Promise.resolve()
          resolve(undefined)
          return null
        }),
      })
      void stopping.commitAll(makeBlocks(stopping, 1, 8))
      await promise
      await database.close()
      const again = await open()
      assert.deepEqual(askAll(await openChain(again), { blocks: 3, transactions: 8 }), expected)
      assert.deepEqual((await verifyChain(again, chainOptions)).problems, [])
      await again.close()
    }
  })
})

test.run()
