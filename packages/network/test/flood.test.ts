import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import {
  closeAll,
  connected,
  createIdentities,
  eventually,
  type Identity,
  type Node,
  numberOf,
  startNode,
} from './world.ts'

const HOSTILE = fileURLToPath(new URL('hostile.ts', import.meta.url))
const FLOOD_MS = 1_000
const GROWTH_BYTES_MAX = 50 * 1024 * 1024

for (const attack of [
  'garbage',
  'slivers',
  'undecodable',
  'subscriptions',
  'subscriptionsOverLength',
]) {
  test(`a member that floods (${attack}) slows down itself, and nobody else`, async () => {
    const { victim, friend, flooder, hostile, honest } = await startWorld(attack)
    await eventually(() => honest.length > 3, 10_000)
    const rssBefore = process.memoryUsage.rss()
    const honestBefore = honest.length
    const { medianMs, worstMs } = await roundTripsFor(FLOOD_MS, victim, friend)
    const growthMb = (process.memoryUsage.rss() - rssBefore) / 2 ** 20
    process.stdout.write(
      `${attack}: round trip of the others ${medianMs.toFixed(1)} ms, worst ${worstMs.toFixed(0)} ms; ` +
        `memory ${growthMb.toFixed(0)} MiB\n`,
    )
    assert.ok(medianMs < 50, `${medianMs} ms`)
    assert.ok(growthMb * 2 ** 20 < GROWTH_BYTES_MAX, `${growthMb} MiB`)
    assert.ok(honest.length > honestBefore + 5, 'its honest frames do not arrive')
    assert.deepEqual(honest, [...Array(honest.length).keys()])
    assert.ok(connected(victim).includes(hostile.peerId))
    const stats = victim.network.stats()
    const noticed =
      stats.connectionPauses + stats.inboundPauses + stats.gossipErrors + stats.gossipPauses
    assert.ok(noticed > 0, JSON.stringify(stats))
    await end(flooder)
    await closeAll([victim, friend])
  })
}

test('a member that sends oversize frames is cut off after a few, and may come back', async () => {
  const { victim, friend, flooder } = await startWorld('oversize')
  await eventually(() => victim.network.stats().disconnectsForCause === 1, 10_000)
  assert.ok(victim.network.stats().framesRefused >= 3)
  const { medianMs } = await roundTripsFor(200, victim, friend)
  assert.ok(medianMs < 50, `${medianMs} ms`)
  await end(flooder)
  await closeAll([victim, friend])
})

test('streams that a member resets are opened again, on the same connection', async () => {
  const limits = { gossipRepairAfterMs: 100, keepAliveMs: 100 }
  const { victim, friend, flooder, hostile } = await startWorld('breaks', limits)
  await eventually(() => victim.network.stats().gossipRepairs > 0, 10_000)
  await eventually(() => victim.network.stats().streamsReopened > 0, 10_000)
  const until = performance.now() + 5_000
  while ((await victim.network.publishTransactions(new Uint8Array(9))) < 2) {
    assert.ok(performance.now() < until, 'gossip is not repaired')
    await new Promise(setImmediate)
  }
  assert.equal(victim.network.send(hostile.peerId, 'urgent', new Uint8Array(5)), true)
  const events = victim.seen.events.filter(({ peerId }) => peerId === hostile.peerId)
  assert.deepEqual(
    events.map(({ event }) => event),
    ['connected'],
  )
  await end(flooder)
  await closeAll([victim, friend])
})

test('a member that says no hello is cut off', async () => {
  const { victim, friend, flooder, hostile } = await startWorld('mute', { helloTimeoutMs: 300 })
  const errorOfMute = () =>
    victim.network.peers().find(({ peerId }) => peerId === hostile.peerId)?.lastError
  await eventually(() => errorOfMute()?.code === 'hello_timeout', 10_000)
  await eventually(() => victim.network.stats().connections === 1, 1_000)
  await end(flooder)
  await closeAll([victim, friend])
})

async function startWorld(attack: string, limits = {}) {
  const identities = await createIdentities(3)
  const [own, hostile, other] = identities
  if (own === undefined || hostile === undefined || other === undefined) throw new Error('no ids')
  const honest: number[] = []
  const victim = await startNode(own, {
    members: identities,
    limits,
    knows: [other],
    handlers: {
      onMessage(from, channel, frame) {
        if (from === hostile.peerId && channel === 'bulk') honest.push(numberOf(frame))
      },
    },
  })
  const friend = await startNode(other, { members: identities, limits, knows: [own] })
  await eventually(() => connected(victim).includes(other.peerId), 5_000)
  const flooder = spawnHostile(attack, own, hostile)
  return { victim, friend, flooder, hostile, honest }
}

function spawnHostile(attack: string, victim: Identity, own: Identity): ChildProcess {
  const args = [HOSTILE, attack, String(victim.port), String(own.port)]
  return spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] })
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function roundTripsFor(durationMs: number, victim: Node, friend: Node) {
  const times: number[] = []
  const until = performance.now() + durationMs
  while (performance.now() < until) {
    const start = performance.now()
    const answers = friend.seen.frames.length
    victim.network.send(friend.identity.peerId, 'urgent', new Uint8Array(200))
    await eventually(() => friend.seen.frames.length > answers, 5_000)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return { medianMs: times[times.length >> 1] ?? 0, worstMs: times.at(-1) ?? 0 }
}

test.run()
