import assert from 'node:assert/strict'
import { getHeapCodeStatistics } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { test } from 'uvu'
import { collectAll, collectWhenQuiet } from '../src/idle-memory.ts'
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
  collectAll()
  assert.equal(held.deref(), undefined)
})

test('a collection forgets code that is not running, and it runs again when it is asked', () => {
  const numbers = Array.from({ length: 2_000 }, (_, at) => at)
  const functions = numbers.map((at) => runInThisContext(`(n) => ${'n + '.repeat(50)}${at}`))
  const sum = () => functions.reduce((all, each) => all + each(1), 0)
  const first = sum()
  const before = getHeapCodeStatistics().bytecode_and_metadata_size
  collectAll()
  const after = getHeapCodeStatistics().bytecode_and_metadata_size
  assert.ok(after < before / 2, `${before} bytes of code became ${after}`)
  assert.equal(sum(), first)
})

test.run()
