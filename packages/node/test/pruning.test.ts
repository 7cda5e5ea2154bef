import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportSnapshot } from '@mooring/storage'
import { test } from 'uvu'
import { holdsFile, placeHold, readHolds, releaseHold } from '../src/holds.ts'
import type { Retention } from '../src/option-values.ts'
import { planPruning, Pruning, runPruning } from '../src/pruning.ts'
import { createLogger } from '../src/logger.ts'
import { MadeChain } from './made-chain.ts'
import { TestClock } from './test-clock.ts'

const BLOCKS = 100
/** At ten blocks a second. */
const WINDOW_BLOCKS = 20

interface Life {
  made: MadeChain
  needsBlocks: boolean
  now: number
  plan: (retention: Retention) => ReturnType<typeof planPruning>
  run: (retention: Retention) => ReturnType<typeof runPruning>
  takeSnapshot: () => Promise<void>
}

async function withLife(work: (life: Life) => Promise<void>): Promise<void> {
  const made = await MadeChain.open({ expiryWindowMs: WINDOW_BLOCKS * 100 })
  try {
    await made.grow(BLOCKS)
    const snapshotsFolder = join(made.folder, 'snapshots')
    const optionsOf = (retention: Retention) => ({
      home: made.folder,
      snapshotsFolder,
      retention,
      genesis: made.genesis,
    })
    const life: Life = {
      made,
      needsBlocks: false,
      now: made.chain.tip.time,
      plan: (retention) => planPruning(optionsOf(retention), modules),
      run: (retention) => runPruning(optionsOf(retention), modules),
      takeSnapshot: async () => {
        const pinned = await made.chain.pin()
        await exportSnapshot(pinned, {
          folder: snapshotsFolder,
          genesisDigest: made.digest,
          windowMs: WINDOW_BLOCKS * 100,
          laterFinality: () => Promise.reject(new Error('not needed')),
        })
        await pinned.close()
      },
    }
    const modules = {
      chain: made.chain,
      now: () => life.now,
      needsBlocks: () => life.needsBlocks,
    }
    await work(life)
  } finally {
    await made.remove()
  }
}

const TEN: Retention = { kind: 'blocks', count: 10 }

test('each reason to keep blocks holds back by itself, and the lowest counts', async () => {
  await withLife(async (life) => {
    assert.equal((await life.plan(TEN)).prunableTo, 0, 'without a snapshot nobody could start here')
    await life.takeSnapshot()
    const window = BLOCKS - WINDOW_BLOCKS - 1
    const plan = await life.plan(TEN)
    assert.deepEqual(Object.fromEntries(plan.limits.map(({ limit, to }) => [limit, to])), {
      retention: 90,
      window,
      snapshot: BLOCKS,
    })
    assert.equal(plan.prunableTo, window)
    assert.equal((await life.plan({ kind: 'blocks', count: 60 })).prunableTo, 40)
    assert.equal((await life.plan({ kind: 'time', ms: 5_000 })).prunableTo, 50)
    assert.equal((await life.plan({ kind: 'forever' })).prunableTo, 0)
    life.now += 3_600_000
    assert.equal((await life.plan({ kind: 'time', ms: 3_600_000 })).prunableTo, window)
    life.needsBlocks = true
    assert.equal((await life.plan(TEN)).prunableTo, 0)
  })
})

test('what may go goes, and what the plan keeps can still be read', async () => {
  await withLife(async (life) => {
    await life.takeSnapshot()
    const { blocks, plan } = await life.run({ kind: 'blocks', count: 60 })
    assert.deepEqual([blocks, plan.prunableTo], [40, 40])
    assert.equal((await life.run({ kind: 'blocks', count: 60 })).blocks, 0)
    assert.throws(() => life.made.chain.getBlock(40), { code: 'pruned' })
    assert.ok(life.made.chain.getBlock(41))
    assert.ok(life.made.chain.getHeader(1))
    await life.made.grow(10)
    assert.equal((await life.run({ kind: 'blocks', count: 60 })).blocks, 10)
  })
})

test('a legal hold stops it, is on the disk with its name and date, and ends when it is released', async () => {
  await withLife(async (life) => {
    await life.takeSnapshot()
    const hold = { name: 'case-4711', reason: 'court order', placedAt: '2026-11-20T09:00:00.000Z' }
    await placeHold(life.made.folder, hold)
    await placeHold(life.made.folder, { ...hold, name: 'audit' })
    const { blocks, plan } = await life.run(TEN)
    assert.equal(blocks, 0)
    assert.deepEqual(plan.holds[0], hold)
    assert.ok((await readFile(holdsFile(life.made.folder), 'utf8')).includes('case-4711'))
    await assert.rejects(placeHold(life.made.folder, hold), { code: 'hold_exists' })
    await releaseHold(life.made.folder, 'case-4711')
    assert.equal((await life.run(TEN)).blocks, 0, 'another one stands')
    await releaseHold(life.made.folder, 'audit')
    await assert.rejects(releaseHold(life.made.folder, 'audit'), { code: 'hold_unknown' })
    assert.ok((await life.run(TEN)).blocks > 0)
  })
})

test('a file of holds that cannot be read lets nothing go', async () => {
  await withLife(async (life) => {
    await life.takeSnapshot()
    for (const text of [
      '',
      '{}',
      '{"version":1,"holds":[{"name":"x"}]}',
      '{"version":2,"holds":[]}',
    ]) {
      await writeFile(holdsFile(life.made.folder), text)
      await assert.rejects(life.run(TEN), { code: 'holds_unreadable' }, text)
    }
    assert.equal(life.made.chain.prunedTo, 0)
  })
})

test('a hold needs a plain name and a reason', async () => {
  await withLife(async ({ made }) => {
    const placedAt = '2026-11-20T09:00:00.000Z'
    for (const [name, reason] of [
      ['', 'x'],
      ['a b', 'x'],
      ['../x', 'x'],
      ['x', ' '],
      ['x', 'y'.repeat(501)],
    ])
      await assert.rejects(
        placeHold(made.folder, { name: name ?? '', reason: reason ?? '', placedAt }),
        {
          code: 'hold_invalid',
        },
      )
    assert.deepEqual(await readHolds(made.folder), [])
  })
})

test('a node with a retention prunes by itself, again and again, and stops when it is closed', async () => {
  await withLife(async (life) => {
    await life.takeSnapshot()
    const clock = new TestClock()
    const folder = join(life.made.folder, 'home')
    await mkdir(folder)
    const pruning = new Pruning(
      {
        home: folder,
        snapshotsFolder: join(life.made.folder, 'snapshots'),
        retention: { kind: 'blocks', count: 60 },
        genesis: life.made.genesis,
      },
      {
        chain: life.made.chain,
        now: () => life.now,
        needsBlocks: () => false,
        clock,
        logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
      },
    )
    const pruned = async (to: number): Promise<void> => {
      const until = Date.now() + 5_000
      while (life.made.chain.prunedTo !== to) {
        if (Date.now() > until) throw new Error(`pruned to ${life.made.chain.prunedTo}`)
        clock.advance(100_000)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    await pruned(40)
    await life.made.grow(10)
    await pruned(50)
    await pruning.close()
    const timers = clock.timers
    clock.advance(10_000_000)
    assert.equal(clock.timers, 0, `${timers} timers were left`)
  })
})

test.run()
