// Signatures verified on another core: what is said of them is true, and the mempool takes in what it would have
// taken in without.

import assert from 'node:assert/strict'
import { decodeTransaction } from '@mooring/ledger'
import { test } from 'uvu'
import { DoorSignatures } from '../src/door-signatures.ts'
import type { Mempool } from '../src/mempool.ts'
import { NAMES } from './chain-members.ts'
import { withWorld, type World } from './chain-world.ts'

const [OWN = '', OTHER = ''] = NAMES
const ALL = { count: 1_000, bytes: 1 << 20 }
const BUSY = 300

const anchors = (world: World, count: number, from = 1) =>
  Array.from({ length: count }, (_, at) => world.anchor(OWN, from + at))

function forged(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const last = copy.length - 1
  copy[last] = (copy[last] ?? 0) ^ 1
  return copy
}

async function withThread(world: World, work: (signatures: DoorSignatures) => Promise<void>) {
  const signatures = new DoorSignatures(world.parts.options.genesisDigest, world.clock, 2)
  try {
    await work(signatures)
  } finally {
    signatures.close()
  }
}

/** Asks somebody who answers when a test says so. */
function mempoolWith(world: World, check: DoorSignatures['check']): Mempool {
  return world.mempoolWith({ maxCount: 1_000, signatures: { check } })
}

test('each is told apart, and only where there is much to verify and a second core', () =>
  withWorld(async (world) => {
    const { genesisDigest } = world.parts.options
    const bytes = anchors(world, BUSY)
    const read = (each: Uint8Array) => decodeTransaction(each, genesisDigest)
    const mixed = bytes.map((each, at) => read(at % 7 === 3 ? forged(each) : each))
    await withThread(world, async (signatures) => {
      assert.equal(await signatures.check(mixed.slice(0, 100)), null)
      const answer = await signatures.check(mixed)
      const expected = mixed.map((_, at) => (at % 7 === 3 ? 0 : 1))
      assert.deepEqual([...(answer?.signed ?? [])], expected)
      // Now that it is there it is asked for less, but never for next to nothing.
      world.clock.advance(5_000)
      assert.deepEqual([...((await signatures.check(mixed.slice(0, 10)))?.signed ?? [])].length, 10)
      assert.equal(await signatures.check(mixed.slice(0, 2)), null)
    })
    const alone = new DoorSignatures(genesisDigest, world.clock, 1)
    assert.equal(await alone.check(mixed), null)
  }))

test('a list that is no message is verified here, whatever else is busy', () =>
  withWorld((world) =>
    withThread(world, async (signatures) => {
      const read = decodeTransaction(world.anchor(OWN, 1), world.parts.options.genesisDigest)
      const many = Array.from({ length: 5_000 }, () => read)
      assert.equal(await signatures.check(many), null)
      const large = { ...read, bytes: new Uint8Array(64 << 10) }
      assert.equal(await signatures.check(Array.from({ length: 20 }, () => large)), null)
    }),
  ))

test('who waits for a thread that goes verifies by itself, and an idle thread goes', () =>
  withWorld(async (world) => {
    const { genesisDigest } = world.parts.options
    const read = anchors(world, BUSY).map((each) => decodeTransaction(each, genesisDigest))
    await withThread(world, async (signatures) => {
      const asked = signatures.check(read)
      signatures.close()
      assert.equal(await asked, null)
      assert.notEqual(await signatures.check(read), null)
      world.clock.advance(61_000)
      assert.equal(await signatures.check(read.slice(0, 20)), null)
    })
  }))

test('a client is answered the same as without a thread, whichever is forged', () =>
  withWorld((world) =>
    withThread(world, async (signatures) => {
      const list = anchors(world, BUSY).map((each, at) => (at === 200 ? forged(each) : each))
      const mempool = mempoolWith(world, (transactions) => signatures.check(transactions))
      const expected = (await world.mempoolWith({ maxCount: 1_000 }).submitAll(list)).map(
        ({ status }) => status,
      )
      const answers = (await mempool.submitAll(list)).map(({ status }) => status)
      assert.deepEqual(answers, expected)
      assert.equal(answers.indexOf('rejected'), 200)
      assert.equal(mempool.size, 200)
    }),
  ))

test('lists that come at once are judged one after the other', () =>
  withWorld(async (world) => {
    const answers: (() => void)[] = []
    const mempool = mempoolWith(world, (transactions) => {
      const { promise, resolve } = Promise.withResolvers<null>()
      answers.push(() => resolve(null))
      return transactions.length > 1 ? promise : Promise.resolve(null)
    })
    const first = mempool.submitAll(anchors(world, 2))
    const second = mempool.submit(world.anchor(OWN, 3))
    await new Promise(setImmediate)
    answers[0]?.()
    assert.deepEqual(
      (await first).map(({ status }) => status),
      ['accepted', 'accepted'],
    )
    assert.equal((await second).status, 'accepted')
  }))

test('what became final while it was verified does not wait any more', () =>
  withWorld(async (world) => {
    const [first, second] = [world.anchor(OTHER, 1), world.anchor(OTHER, 2)]
    const answer = Promise.withResolvers<null>()
    const mempool = mempoolWith(world, () => answer.promise)
    const received = mempool.receiveLater([first, second])
    await world.finalize([first])
    answer.resolve(null)
    assert.equal(await received, 'accept')
    assert.equal(mempool.size, 1)
    assert.equal(mempool.take(world.parts.execution.finalState(), ALL).length, 1)
  }))

test('of two for one place in a lane the first is taken, and a forger is told of', () =>
  withWorld(async (world) => {
    const mempool = mempoolWith(world, (transactions) =>
      Promise.resolve({
        signed: Uint8Array.from(transactions, (_, at) => (at === 2 ? 0 : 1)),
        msEach: 0,
      }),
    )
    const first = world.anchor(OTHER, 1)
    world.clock.advance(1)
    const twin = world.anchor(OTHER, 1)
    assert.notDeepEqual(first, twin)
    const batch = [first, twin, world.anchor(OTHER, 2)]
    assert.equal(await mempool.receiveLater(batch), 'reject')
    assert.equal(mempool.size, 1)
    assert.ok(mempool.has(world.idOf(first)))
  }))

test.run()
