import assert from 'node:assert/strict'
import { test } from 'uvu'
import { NetworkError } from '../src/index.ts'
import { defaultLimits } from '../src/limits.ts'
import { closeAll, eventually, type Node, startPair } from './world.ts'

test('an answer comes back whole, small or large', async () => {
  const [nodes, a, peer] = await startPair((_peerId, protocol, payload) => {
    const large = new Uint8Array(5 << 20).fill(payload[0] ?? 0)
    return Promise.resolve(protocol === 'blocks' ? large : payload)
  })
  const small = await a.network.request(peer, 'certificates', new Uint8Array([3]), {
    timeoutMs: 2_000,
  })
  assert.deepEqual(small, new Uint8Array([3]))
  const large = await a.network.request(peer, 'blocks', new Uint8Array([4]), { timeoutMs: 5_000 })
  assert.equal(large.length, 5 << 20)
  assert.ok(large.every((byte) => byte === 4))
  await closeAll(nodes)
})

test('a refusal carries its code, and nothing else of what went wrong', async () => {
  const [nodes, a, peer] = await startPair(() => {
    throw Object.assign(new Error('block 7 is missing, /secret/path'), { code: 'missing' })
  })
  await assert.rejects(ask(a, peer, 2_000), {
    code: 'refused',
    message: 'hospital-1 refused: missing',
  })
  await closeAll(nodes)
})

test('an answer that does not come in time is an error, not a wait', async () => {
  const [nodes, a, peer] = await startPair(() => new Promise(() => undefined))
  const start = performance.now()
  await assert.rejects(ask(a, peer, 150), { code: 'timeout' })
  assert.ok(performance.now() - start < 1_000)
  await closeAll(nodes)
})

for (const [protocol, places] of [
  ['blocks', 2],
  ['records', 4],
] as const) {
  test(`${places} requests for ${protocol} are open at a time, the others wait their turn`, async () => {
    let open = 0
    let most = 0
    const full = Promise.withResolvers<void>()
    const [nodes, a, peer] = await startPair(async (_peerId, _protocol, payload) => {
      open += 1
      most = Math.max(most, open)
      if (open === places) full.resolve()
      await full.promise
      // Long enough for one too many to come.
      await new Promise((resolve) => setTimeout(resolve, 20))
      open -= 1
      return payload
    })
    const answers = await Promise.all(
      Array.from({ length: 5 * places }, () =>
        a.network.request(peer, protocol, new Uint8Array([1]), { timeoutMs: 5_000 }),
      ),
    )
    assert.equal(answers.length, 5 * places)
    assert.equal(most, places)
    await closeAll(nodes)
  })
}

test('who asks for little very often waits as well', async () => {
  const [nodes, a, peer] = await startPair(
    (_peerId, _protocol, payload) => Promise.resolve(payload),
    { requestOverheadBytes: defaultLimits.responseBytesPerSecond * defaultLimits.burstSeconds },
  )
  await ask(a, peer, 5_000)
  await assert.rejects(ask(a, peer, 400), { code: 'timeout' })
  await closeAll(nodes)
})

test('a request to nobody and a request that is too large fail before they are sent', async () => {
  const [nodes, a, peer] = await startPair((_peerId, _protocol, payload) =>
    Promise.resolve(payload),
  )
  await assert.rejects(ask(a, '12D3KooWNobody', 1_000), { code: 'not_connected' })
  const large = new Uint8Array(65 * 1024)
  await assert.rejects(a.network.request(peer, 'blocks', large, { timeoutMs: 1_000 }), NetworkError)
  await closeAll(nodes)
})

test('a request fails when its peer goes away', async () => {
  const [nodes, a, peer] = await startPair(() => new Promise(() => undefined))
  const failed = assert.rejects(ask(a, peer, 5_000), { name: 'NetworkError' })
  await eventually(() => a.network.stats().requestsSent === 1)
  await nodes[1]?.network.close()
  await failed
  await a.network.close()
})

function ask(node: Node, peerId: string, timeoutMs: number): Promise<Uint8Array> {
  return node.network.request(peerId, 'blocks', new Uint8Array([1]), { timeoutMs })
}

test.run()
