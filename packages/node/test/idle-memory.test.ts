import assert from 'node:assert/strict'
import { test } from 'uvu'
import { collectTwice, collectWhenQuiet } from '../src/idle-memory.ts'
import { TestClock } from './test-clock.ts'

function watched() {
  const world = { clock: new TestClock(), share: 0, collections: 0 }
  const watch = collectWhenQuiet({
    clock: world.clock,
    busyShare: () => world.share,
    collect: () => {
      world.collections += 1
    },
  })
  return { world, watch }
}

test('a process that has been quiet for twenty seconds collects, and not again while it stays quiet', () => {
  const { world } = watched()
  world.clock.advance(18_000)
  assert.equal(world.collections, 0)
  world.clock.advance(2_000)
  assert.equal(world.collections, 1)
  world.clock.advance(3_600_000)
  assert.equal(world.collections, 1)
})

test('a busy process does not collect; it does once it has been quiet again', () => {
  const { world } = watched()
  world.share = 0.5
  world.clock.advance(120_000)
  assert.equal(world.collections, 0)
  world.share = 0.02
  world.clock.advance(30_000)
  assert.equal(world.collections, 1)
  world.share = 0.5
  world.clock.advance(2_000)
  world.share = 0.02
  world.clock.advance(30_000)
  assert.equal(world.collections, 2)
})

test('nothing is looked at any more once it is closed', () => {
  const { world, watch } = watched()
  watch.close()
  assert.equal(world.clock.timers, 0)
})

test('a collection frees what nothing holds', async () => {
  const held = new WeakRef({ bytes: new Uint8Array(1_000) })
  await new Promise((resolve) => setImmediate(resolve))
  collectTwice()
  assert.equal(held.deref(), undefined)
})

test.run()
