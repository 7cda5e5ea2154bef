// A slow path of the devnet: what goes in comes out whole, in order, and never before its time.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'uvu'
import { openSlowPath } from '../src/devnet/slow-path.ts'

const PIECES = 300

function portOf(server: Server): number {
  const address = server.address()
  if (typeof address === 'string' || address === null) throw new TypeError('no port')
  return address.port
}

for (const jitterMs of [0, 3]) {
  test(`no byte is early, and none overtakes another, with a jitter of ${jitterMs} ms`, async () => {
    const delayMs = 5
    const arrived: { value: number; at: number }[] = []
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const target = createServer((socket) => {
      socket.on('close', end)
      socket.on('data', (bytes) => {
        for (const value of bytes) arrived.push({ value, at: performance.now() })
      })
    }).listen(0, '127.0.0.1')
    await once(target, 'listening')
    const path = await openSlowPath({ port: 0, target: portOf(target), delayMs, jitterMs })
    const near = connect(portOf(path), '127.0.0.1')
    near.setNoDelay(true)
    const sent: number[] = []
    for (let piece = 0; piece < PIECES; piece += 1) {
      sent.push(performance.now())
      near.write(Uint8Array.of(piece % 256))
      await nextTurn()
    }
    near.end()
    await ended
    path.close()
    target.close()
    assert.deepEqual(
      arrived.map(({ value }) => value),
      sent.map((_, piece) => piece % 256),
    )
    const early = arrived.filter(({ at }, piece) => at - (sent[piece] ?? 0) < delayMs)
    assert.equal(early.length, 0)
  })
}

test.run()
