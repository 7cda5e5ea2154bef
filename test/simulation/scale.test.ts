// The model in which scale is measured: lines take size by bandwidth, a thread does one thing at a time, and a
// seed is a run. What is final is judged in every run, here as in the benchmark.

import assert from 'node:assert/strict'
import type { BlockMeta } from '@mooring/consensus'
import { test } from 'uvu'
import { GENESIS } from './blocks.ts'
import { randomOf } from './random.ts'
import { Chain } from './scale/chain.ts'
import { REFERENCE } from './scale/costs.ts'
import { meshOf } from './scale/mesh.ts'
import { ScaleNetwork, type ScalePlan } from './scale/network.ts'
import { Processor } from './scale/processor.ts'
import { FRAME_BYTES, type Frame, Wires } from './scale/wires.ts'
import { Scheduler } from './scheduler.ts'
import { Violation } from './violation.ts'

const PLAN: ScalePlan = {
  seed: 7,
  authorities: 7,
  observers: 0,
  megabits: 10,
  latencyMs: 100,
  deltaMs: 500,
  rate: 20,
  warmMs: 1_000,
  measuredMs: 4_000,
}
/** 10 Mbit/s. */
const BYTES_PER_MS = 1_250

function linesOf(nodes: number): {
  scheduler: Scheduler
  arrivals: number[]
  send: (frame: Partial<Frame>) => void
} {
  const scheduler = new Scheduler(0)
  const wires = new Wires(scheduler, { nodes, bytesPerMs: BYTES_PER_MS, latencyMs: () => 100 })
  const arrivals: number[] = []
  const send = (frame: Partial<Frame>): void => {
    const bytes = 12_500 - FRAME_BYTES
    wires.send({ from: 0, to: 1, bytes, isBulk: false, ...frame }, scheduler.now, () => {
      arrivals.push(Math.round(scheduler.now * 1_000) / 1_000)
    })
  }
  return { scheduler, arrivals, send }
}

test('a frame takes its size by the bandwidth, and then the way', () => {
  const { scheduler, arrivals, send } = linesOf(3)
  send({})
  send({ to: 2 })
  scheduler.run(1_000)
  assert.deepEqual(arrivals, [110, 120], 'the second waits for the line of the sender')
})

test('frames of two senders wait for the line of the receiver', () => {
  const { scheduler, arrivals, send } = linesOf(3)
  send({ from: 0, to: 2 })
  send({ from: 1, to: 2 })
  scheduler.run(1_000)
  assert.deepEqual(arrivals, [110, 120])
})

test('what is urgent waits for one piece of a large frame, not for all of it', () => {
  const { scheduler, arrivals, send } = linesOf(2)
  send({ isBulk: true, bytes: 650_000 })
  scheduler.after(1, () => send({}))
  scheduler.run(2_000)
  const [urgent = 0, bulk = 0] = arrivals
  assert.ok(urgent > 110 && urgent < 170, `${urgent}`)
  assert.ok(bulk > 620 && bulk < 640, `${bulk}`)
})

test('a thread does one thing after the other, and what is patient last', () => {
  const scheduler = new Scheduler(0)
  const thread = new Processor(scheduler)
  const done: string[] = []
  const work = (name: string) => () => {
    thread.spend(5)
    done.push(`${name} ${thread.time}`)
  }
  thread.do(work('first'))
  thread.doPatiently(work('gossip'))
  thread.do(work('second'))
  scheduler.run(100)
  assert.deepEqual(done, ['first 5', 'second 10', 'gossip 15'])
  assert.equal(thread.busyMs, 15)
})

test('a second final block at a height ends the run', () => {
  const chain = new Chain(REFERENCE)
  const on = (parent: BlockMeta, view: number): BlockMeta => chain.build(parent, view, 1, []).meta
  chain.finalize(on(GENESIS, 1), 0)
  assert.throws(() => chain.finalize(on(GENESIS, 2), 1), Violation)
})

test('gossip reaches every node of a mesh', () => {
  const neighbours = meshOf(200, randomOf(3))
  const reached = new Set([0])
  for (const node of reached) for (const other of neighbours[node] ?? []) reached.add(other)
  assert.equal(reached.size, 200)
})

test('one seed is one run, and its figures are those of the protocol', () => {
  const outcome = new ScaleNetwork(PLAN, REFERENCE).run()
  assert.deepEqual(new ScaleNetwork(PLAN, REFERENCE).run(), outcome)
  const other = new ScaleNetwork({ ...PLAN, seed: 8 }, REFERENCE).run()
  assert.notDeepEqual(other.finalMs, outcome.finalMs)
  // Three times the way from a proposal to finality, and at most two more to the next proposal.
  const median = outcome.finalMs[Math.floor(outcome.finalMs.length / 2)] ?? 0
  assert.ok(median > 300 && median < 700, `${median}`)
  assert.ok(Math.abs(outcome.committedPerSecond - PLAN.rate) < 3)
})

test('observers follow by asking', () => {
  const outcome = new ScaleNetwork({ ...PLAN, authorities: 4, observers: 20 }, REFERENCE).run()
  assert.ok(outcome.observerLag < 15, `${outcome.observerLag} blocks behind`)
  assert.ok(outcome.observer.receivedPerSecond > 0)
})

test.run()
