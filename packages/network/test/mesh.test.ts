import assert from 'node:assert/strict'
import { test } from 'uvu'
import {
  bestMs,
  closeAll,
  connected,
  eventually,
  isFullMesh,
  type Node,
  numberOf,
  numbered,
  startMembers,
} from './world.ts'

test('four members reach a full mesh within two seconds, with one connection per pair', async () => {
  const best = await bestMs(2_000, async () => {
    const start = performance.now()
    const nodes = await startMembers(4)
    await eventually(
      () => isFullMesh(nodes),
      20_000,
      () => nodes.map(connected),
    )
    const elapsedMs = performance.now() - start
    await eventually(() => nodes.every((node) => node.network.stats().connections === 3))
    for (const node of nodes) {
      assert.equal(node.seen.events.filter(({ event }) => event === 'connected').length, 3)
      for (const peer of node.network.peers()) assert.equal(peer.height, 5)
    }
    await closeAll(nodes)
    return elapsedMs
  })
  process.stdout.write(`full mesh of 4 after ${best.toFixed(0)} ms\n`)
  assert.ok(best < 2_000, `${best} ms`)
})

test('frames of a channel arrive complete and in order', async () => {
  const nodes = await startMembers(2)
  const [a, b] = pair(nodes)
  await eventually(() => isFullMesh(nodes))
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let index = 0; index < 10_000; index += 1) {
    assert.equal(a.network.send(b.identity.peerId, 'urgent', numbered(index)), true)
  }
  for (let index = 0; index < 5; index += 1) {
    a.network.send(b.identity.peerId, 'bulk', numbered(index, 1_000_000))
  }
  await eventually(() => received(b, 'urgent').length === 10_000)
  const elapsedMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  await eventually(() => received(b, 'bulk').length === 5)
  assert.deepEqual(received(b, 'urgent').map(numberOf), [...Array(10_000).keys()])
  assert.deepEqual(received(b, 'bulk').map(numberOf), [0, 1, 2, 3, 4])
  assert.equal(b.network.stats().urgentBytesReceived, 2_000_000)
  const perFrameUs = (elapsedMs * 1_000) / 10_000
  const cpuUs = (user + system) / 10_000
  process.stdout.write(
    `10 000 urgent frames: ${perFrameUs.toFixed(1)} us and ${cpuUs.toFixed(1)} us CPU per frame\n`,
  )
  await closeAll(nodes)
})

test('an urgent frame comes back within two milliseconds', async () => {
  const nodes = await startMembers(2)
  const [a, b] = pair(nodes)
  await eventually(() => isFullMesh(nodes))
  const best = await bestMs(2, async () => {
    const times: number[] = []
    for (let index = 0; index < 300; index += 1) times.push(await roundTrip(a, b, index))
    return times.toSorted((x, y) => x - y)[150] ?? Number.NaN
  })
  process.stdout.write(`urgent round trip: median ${best.toFixed(2)} ms\n`)
  assert.ok(best < 2, `${best} ms`)
  await closeAll(nodes)
})

test('a bulk frame of four megabytes does not hold up the urgent frames behind it', async () => {
  const nodes = await startMembers(2)
  const [a, b] = pair(nodes)
  await eventually(() => isFullMesh(nodes))
  await roundTrip(a, b, 0)
  const best = await bestMs(50, async () => {
    const bulk = received(b, 'bulk').length
    a.network.send(b.identity.peerId, 'bulk', new Uint8Array(4 << 20))
    let worstMs = 0
    let count = 0
    while (received(b, 'bulk').length === bulk) {
      count += 1
      worstMs = Math.max(worstMs, await roundTrip(a, b, count))
    }
    assert.ok(count > 3, 'the urgent frames waited for the bulk frame')
    return worstMs
  })
  process.stdout.write(`urgent behind 4 MiB: worst ${best.toFixed(1)} ms\n`)
  assert.ok(best < 100, `${best} ms`)
  await closeAll(nodes)
})

test('a full queue drops its oldest frames and keeps the newest', async () => {
  const nodes = await startMembers(2, { limits: { urgentQueueBytesMax: 20_400 } })
  const [a, b] = pair(nodes)
  await eventually(() => isFullMesh(nodes))
  for (let index = 0; index < 1_000; index += 1) {
    assert.equal(a.network.send(b.identity.peerId, 'urgent', numbered(index)), true)
  }
  await eventually(() => received(b, 'urgent').some((frame) => numberOf(frame) === 999))
  assert.deepEqual(
    received(b, 'urgent').map(numberOf),
    Array.from({ length: 100 }, (_, index) => 900 + index),
  )
  assert.equal(a.network.stats().urgentFramesDropped, 900)
  await closeAll(nodes)
})

test('a broadcast goes to every connected authority, and a stranger to the mesh gets false', async () => {
  const nodes = await startMembers(3)
  await eventually(() => isFullMesh(nodes))
  const [first, ...others] = nodes
  assert.equal(first?.network.broadcast('urgent', numbered(1)), 2)
  await eventually(() => others.every((node) => received(node, 'urgent').length === 1))
  assert.equal(first?.network.send('12D3KooWNobody', 'urgent', numbered(1)), false)
  assert.throws(() => first?.network.broadcast('urgent', new Uint8Array(300_000)), /at most 262144/)
  await closeAll(nodes)
})

function pair(nodes: Node[]): [Node, Node] {
  const [a, b] = nodes
  if (a === undefined || b === undefined) throw new Error('not a pair')
  return [a, b]
}

function received(node: Node, channel: string): Uint8Array[] {
  return node.seen.frames.filter((one) => one.channel === channel).map((one) => one.frame)
}

async function roundTrip(a: Node, b: Node, index: number): Promise<number> {
  const start = performance.now()
  const count = a.seen.frames.length
  const seen = received(b, 'urgent').length
  a.network.send(b.identity.peerId, 'urgent', numbered(index))
  await spinUntil(() => received(b, 'urgent').length > seen)
  b.network.send(a.identity.peerId, 'urgent', numbered(index))
  await spinUntil(() => a.seen.frames.length > count)
  return performance.now() - start
}

async function spinUntil(check: () => boolean): Promise<void> {
  while (!check()) await new Promise(setImmediate)
}

test.run()
