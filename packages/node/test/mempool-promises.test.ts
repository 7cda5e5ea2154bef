// What a node has answered for outlives its process.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { NAMES } from './chain-members.ts'
import { withWorld } from './chain-world.ts'

const [OWN = ''] = NAMES

test('an accepted transaction stays although the one before it waits at another door', async () => {
  await withWorld(async (world) => {
    const [first, second] = [world.anchor(OWN, 1), world.anchor(OWN, 2)]
    assert.equal(world.mempool.receive([first]), 'accept')
    assert.equal((await world.mempool.submit(second)).status, 'accepted')
    const restarted = await world.restarted()
    assert.equal(restarted.size, 1)
    assert.ok(restarted.has(world.idOf(second)))
    restarted.receive([first])
    assert.equal(restarted.take(world.parts.execution.finalState(), ALL).length, 2)
  })
})

test('an accepted transaction stays although the quota of its minute is used up', async () => {
  await withWorld(
    async (world) => {
      const [first, second] = [world.anchor(OWN, 1), world.anchor(OWN, 2)]
      await world.mempool.submit(first)
      await world.mempool.submit(second)
      await world.finalize([first])
      assert.ok((await world.restarted()).has(world.idOf(second)))
    },
    { parameters: { quotaPerMinute: 1 } },
  )
})

test('what is known from gossip is kept before a client is told that it is known', async () => {
  await withWorld(async (world) => {
    const transaction = world.anchor(OWN, 1)
    world.mempool.receive([transaction])
    assert.equal((await world.restarted()).size, 0)
    assert.equal((await world.mempool.submit(transaction)).status, 'known')
    assert.ok((await world.restarted()).has(world.idOf(transaction)))
  })
})

test('a second client waits for the disk as the first does', async () => {
  await withWorld(async (world) => {
    const transaction = world.anchor(OWN, 1)
    const first = world.mempool.submit(transaction)
    assert.equal((await world.mempool.submit(transaction)).status, 'known')
    assert.ok((await world.restarted()).has(world.idOf(transaction)))
    assert.equal((await first).status, 'accepted')
  })
})

test('what can never be final any more goes, also from the disk', async () => {
  await withWorld(async (world) => {
    const [first, second] = [world.anchor(OWN, 1), world.anchor(OWN, 2)]
    await world.mempool.submit(first)
    await world.mempool.submit(second)
    await world.finalize([first])
    world.clock.advance(200_000)
    assert.equal((await world.restarted()).size, 1)
    world.clock.advance(200_000)
    assert.equal((await world.restarted()).size, 0)
    world.clock.advance(-390_000)
    assert.equal((await world.restarted()).size, 0)
  })
})

const ALL = { count: 10, bytes: 1 << 20 }

test.run()
