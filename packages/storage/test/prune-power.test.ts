// Power lost in the middle of pruning and of an import: what is found afterwards is a chain that knows
// what it keeps, or no chain at all.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'uvu'
import { ChainStore } from '../src/chain.ts'
import { type Database, openDatabaseOn } from '../src/database.ts'
import { tipKey } from '../src/keys.ts'
import { MemoryLevel } from '../src/memory-level.ts'
import { verifyChain } from '../src/verify.ts'
import { chainOptions, makeBlocks, openChain } from './chain-world.ts'
import { withDatabase } from './folder.ts'
import { importSnapshot, takeSnapshot } from './snapshots.ts'

const DRAWS = 12

/** A database that fails its power at every batch, many times over: each time another one survives. */
function failing(): { level: MemoryLevel; survivors: MemoryLevel[] } {
  let seed = 11
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const survivors: MemoryLevel[] = []
  const level: MemoryLevel = new MemoryLevel('memory', () => {
    for (let draw = 0; draw < DRAWS; draw += 1)
      survivors.push(level.afterPowerLoss(random, () => Promise.resolve()))
    return Promise.resolve()
  })
  return { level, survivors }
}

async function problemsOf(database: Database): Promise<string[]> {
  const { problems } = await verifyChain(database, chainOptions)
  return problems.map(({ message, details }) => `${message} ${JSON.stringify(details)}`)
}

test('after a power loss while blocks are dropped the chain is whole above what it says was dropped', async () => {
  const { level, survivors } = failing()
  const database = await openDatabaseOn(level, 'chain')
  const chain = await openChain(database)
  await chain.commitAll(makeBlocks(chain, 700, 1))
  survivors.length = 0
  await chain.prune(650)
  const found = new Set<number>()
  for (const survivor of survivors) {
    const again = await openDatabaseOn(survivor, 'chain')
    const reopened = await ChainStore.open(again, chainOptions)
    found.add(reopened.prunedTo)
    assert.equal(reopened.tip.height, 700)
    assert.ok(reopened.getBlock(reopened.prunedTo + 1))
    assert.deepEqual(await problemsOf(again), [])
  }
  assert.deepEqual(
    [...found].toSorted((a, b) => a - b),
    [0, 256, 512, 650],
  )
})

test('after a power loss during an import there is no chain, or all of it', async () => {
  await withDatabase(async (source, path) => {
    const folder = join(path, '..', 'snapshots')
    const whole = await openChain(source)
    await whole.commitAll(makeBlocks(whole, 25, 3))
    await takeSnapshot(whole, folder)
    const { level, survivors } = failing()
    await importSnapshot(folder, 25, await openDatabaseOn(level, 'chain'))
    survivors.push(level)
    let chains = 0
    for (const survivor of survivors) {
      if (survivor.size === 0) continue
      const database = await openDatabaseOn(survivor, 'chain').catch(() => undefined)
      if (database?.getSync(tipKey()) === undefined) continue
      chains += 1
      assert.deepEqual(await problemsOf(database), [])
      assert.deepEqual((await openChain(database)).tip, whole.tip)
    }
    assert.ok(chains > 0 && chains < survivors.length)
  })
})

test.run()
