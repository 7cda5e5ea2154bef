import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import type { Limits } from '../src/index.ts'
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
setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const ROUND_TRIPS = 20
const FLOOD_MS = 800
const GROWTH_BYTES_MAX = 50 * 1024 * 1024
const ATTACKS = ['garbage', 'slivers', 'undecodable', 'subscriptions', 'subscriptions over length']

test('a member that floods slows down itself, and nobody else', async () => {
  const { victim, friend, flooder, hostile, honest } = await startWorld('hostile')
  await eventually(() => honest.length > 3)
  const before = memoryInUse()
  for (const attack of ATTACKS) {
    const honestBefore = honest.length
    const noticedBefore = noticed(victim)
    flooder.stdin?.write(`${attack}\n`)
    const times = await roundTrips(victim, friend, () => noticed(victim) > noticedBefore)
    await eventually(() => honest.length > honestBefore + 5)
    const growth = memoryInUse() - before
    process.stdout.write(
      `${attack}: round trip of the others ${times.medianMs.toFixed(1)} ms, ` +
        `worst ${times.worstMs.toFixed(0)} ms; memory ${(growth / 2 ** 20).toFixed(0)} MiB\n`,
    )
    assert.ok(growth < GROWTH_BYTES_MAX, `${growth} bytes`)
  }
  assert.deepEqual(honest, [...Array(honest.length).keys()])
  assert.ok(connected(victim).includes(hostile.peerId))
  flooder.stdin?.write('oversize\n')
  await eventually(() => victim.network.stats().disconnectsForCause === 1)
  assert.ok(victim.network.stats().framesRefused >= 3)
  assert.deepEqual(connected(victim), [friend.identity.peerId])
  await end(flooder)
  await closeAll([victim, friend])
})

test('streams that a member resets are opened again, on the same connection', async () => {
  const limits = { gossipRepairAfterMs: 100, keepAliveMs: 100 }
  const { victim, friend, flooder, hostile } = await startWorld('sloppy', limits)
  await eventually(() => victim.network.stats().gossipRepairs > 0)
  await eventually(() => victim.network.stats().streamsReopened > 0)
  const until = performance.now() + 20_000
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
  const { victim, friend, flooder, hostile } = await startWorld('mute', { helloTimeoutMs: 1_000 })
  const errorOfMute = () =>
    victim.network.peers().find(({ peerId }) => peerId === hostile.peerId)?.lastError
  await eventually(() => errorOfMute()?.code === 'hello_timeout')
  await eventually(() => victim.network.stats().connections === 1)
  await end(flooder)
  await closeAll([victim, friend])
})

async function startWorld(manners: string, limits: Partial<Limits> = {}) {
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
  await eventually(() => connected(victim).includes(other.peerId))
  const flooder = spawnHostile(manners, own, hostile)
  return { victim, friend, flooder, hostile, honest }
}

function spawnHostile(manners: string, victim: Identity, own: Identity): ChildProcess {
  const args = [HOSTILE, manners, String(victim.port), String(own.port)]
  return spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] })
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** What is held, not what the collector has not come round to. */
function memoryInUse(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function noticed(victim: Node): number {
  const stats = victim.network.stats()
  return stats.connectionPauses + stats.inboundPauses + stats.gossipErrors + stats.gossipPauses
}

/** For as long as the flood lasts, and until the victim has felt it. */
async function roundTrips(victim: Node, friend: Node, isFelt: () => boolean) {
  const times: number[] = []
  const start = performance.now()
  const isDone = () =>
    times.length >= ROUND_TRIPS && performance.now() - start > FLOOD_MS && isFelt()
  while (!isDone()) {
    const sentAt = performance.now()
    const answers = friend.seen.frames.length
    victim.network.send(friend.identity.peerId, 'urgent', new Uint8Array(200))
    await eventually(() => friend.seen.frames.length > answers)
    times.push(performance.now() - sentAt)
    assert.ok(performance.now() - start < 20_000, `${times.length} round trips in 20 s`)
  }
  times.sort((a, b) => a - b)
  return { medianMs: times[times.length >> 1] ?? 0, worstMs: times.at(-1) ?? 0 }
}

test.run()
