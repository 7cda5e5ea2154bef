import assert from 'node:assert/strict'
import { test } from 'uvu'
import { NetworkError, type NetworkHandlers } from '../src/index.ts'
import { Places } from '../src/places.ts'
import { closeAll, eventually, type Node, startPair } from './world.ts'

const MIB = 1024 * 1024

const echo: NetworkHandlers['onRequest'] = (_peerId, _protocol, payload) => Promise.resolve(payload)

test('records are megabytes in both directions, where a block request is refused', async () => {
  const [nodes, a, peer] = await startPair(echo)
  const payload = new Uint8Array(5 * MIB - 16).fill(9)
  const answer = await a.network.request(peer, 'records', payload, { timeoutMs: 10_000 })
  assert.deepEqual(answer, payload)
  const { recordsBytesSent, recordsBytesReceived } = a.network.stats()
  assert.ok(recordsBytesSent >= payload.length && recordsBytesReceived >= payload.length)
  const over = new Uint8Array(5 * MIB + 1)
  await assert.rejects(a.network.request(peer, 'records', over, { timeoutMs: 1_000 }), {
    code: 'too_large',
  })
  await assert.rejects(a.network.request(peer, 'blocks', payload, { timeoutMs: 1_000 }), {
    code: 'too_large',
  })
  await closeAll(nodes)
})

test('who has filled his budget and his places for records still gets blocks and votes', async () => {
  const held = Promise.withResolvers<void>()
  const [nodes, a, peer] = await startPair(
    async (_peerId, protocol, payload) => {
      if (protocol === 'records') await held.promise
      return payload
    },
    { recordsBytesPerSecond: 64 * 1024, recordsPlacesMax: 2 },
  )
  const large = new Uint8Array(MIB)
  const records = Array.from({ length: 4 }, () => ask(a, peer, 'records', large, 1_500))
  const outcomes = Promise.allSettled(records)
  const b = nodes[1]
  if (b === undefined) throw new Error('no second node')
  for (let round = 0; round < 5; round += 1) {
    const block = await ask(a, peer, 'blocks', new Uint8Array([round]), 5_000)
    assert.deepEqual(block, new Uint8Array([round]))
    a.network.send(peer, 'urgent', new Uint8Array([round]))
    await eventually(() => b.seen.frames.some(({ frame }) => frame[0] === round))
  }
  held.resolve()
  const codes = (await outcomes).map((outcome) => {
    if (outcome.status === 'fulfilled') return 'answered'
    return outcome.reason instanceof NetworkError ? outcome.reason.code : 'strange'
  })
  assert.deepEqual(new Set(codes), new Set(['timeout']))
  await closeAll(nodes)
})

test('a budget for records that is paid back opens again', async () => {
  const [nodes, a, peer] = await startPair(echo, { recordsBytesPerSecond: 512 * 1024 })
  const large = new Uint8Array(MIB)
  await ask(a, peer, 'records', large)
  await ask(a, peer, 'records', new Uint8Array([1]), 10_000)
  await closeAll(nodes)
})

test('a peer that has all its places is passed over by the next in line', async () => {
  const places = new Places(3, 2)
  const signal = new AbortController().signal
  const seated: string[] = []
  const enter = async (peerId: string) => {
    const leave = await places.enter(peerId, signal)
    seated.push(peerId)
    return leave
  }
  const first = await enter('greedy')
  await enter('greedy')
  const third = enter('greedy')
  const leaveOther = await enter('modest')
  const fourth = enter('patient')
  leaveOther()
  const leaveFourth = await fourth
  assert.deepEqual(seated, ['greedy', 'greedy', 'modest', 'patient'])
  leaveFourth()
  leaveFourth()
  await new Promise(setImmediate)
  assert.equal(seated.length, 4)
  first()
  await third
  assert.equal(seated.length, 5)
})

test('who waits for a place gives up at his deadline, and leaves no gap behind', async () => {
  const places = new Places(1, 1)
  const controller = new AbortController()
  const leave = await places.enter('a', new AbortController().signal)
  const late = assert.rejects(places.enter('b', controller.signal), { code: 'timeout' })
  controller.abort()
  await late
  leave()
  await places.enter('c', new AbortController().signal)
})

function ask(
  node: Node,
  peerId: string,
  protocol: 'blocks' | 'records',
  payload: Uint8Array,
  timeoutMs = 5_000,
): Promise<Uint8Array> {
  return node.network.request(peerId, protocol, payload, { timeoutMs })
}

test.run()
