import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { fromHex } from '@mooring/codec'
import { test } from 'uvu'
import { Waiters } from '../src/waiters.ts'
import { type World, withWorld } from './chain-world.ts'

function waitersOf({ parts }: World): Waiters {
  const heightOf = (id: string) => parts.chain.getTransaction(fromHex(id))?.height
  return new Waiters({ committer: parts.committer, heightOf })
}

function idAt(index: number): string {
  return index.toString(16).padStart(64, '0')
}

test('a wait ends with the last of its blocks and leaves nothing behind', async () => {
  await withWorld(async (world) => {
    const waiters = waitersOf(world)
    const [first, second] = [world.anchor('st-mary', 1), world.anchor('st-mary', 2)]
    const ids = [second, first, second].map((bytes) => world.idOf(bytes))
    const { signal } = new AbortController()
    const both = waiters.wait(ids, signal)
    const one = waiters.wait([world.idOf(first)], signal)
    assert.equal(waiters.size, 2)
    await world.finalize([first])
    assert.deepEqual(await one, [1])
    assert.equal(waiters.size, 1)
    await world.finalize([second])
    assert.deepEqual(await both, [2, 1, 2])
    assert.equal(waiters.size, 0)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.deepEqual(await waiters.wait(ids, signal), [2, 1, 2])
  })
})

test('a signal ends the wait with what was found so far', async () => {
  await withWorld(async (world) => {
    const waiters = waitersOf(world)
    const [first, second] = [world.anchor('st-mary', 1), world.anchor('st-mary', 2)]
    const ids = [first, second].map((bytes) => world.idOf(bytes))
    const client = new AbortController()
    const patient = new AbortController()
    const short = waiters.wait(ids, client.signal)
    const long = waiters.wait(ids, patient.signal)
    await world.finalize([first])
    client.abort()
    assert.deepEqual(await short, [1, null])
    assert.equal(waiters.size, 1)
    assert.deepEqual(await waiters.wait(ids, client.signal), [1, null])
    waiters.close()
    assert.deepEqual(await long, [1, null])
    assert.equal(waiters.size, 0)
  })
})

test('beyond its bound nobody waits', async () => {
  await withWorld(async (world) => {
    const waiters = waitersOf(world)
    const { signal } = new AbortController()
    const many = Array.from({ length: 100_000 }, (_, index) => idAt(index))
    const full = waiters.wait(many, signal)
    assert.deepEqual(await waiters.wait([idAt(100_000)], signal), [null])
    waiters.close()
    assert.ok((await full).every((height) => height === null))
  })
})

test.run()
