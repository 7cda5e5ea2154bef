import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'uvu'
import type { Client, EventOptions } from '../src/client.ts'
import type { ServerEvent } from '../src/event-reader.ts'
import type { MemoryNode } from './memory-node.ts'
import { problemOf, rawAnswer, refusal, serving, until } from './serving.ts'

/** Reads until `count` events have come, then hangs up. */
async function take(client: Client, count: number, query: EventOptions = {}) {
  const leaving = new AbortController()
  const taken: ServerEvent[] = []
  for await (const event of client.events({ ...query, signal: leaving.signal })) {
    taken.push(event)
    if (taken.length === count) break
  }
  leaving.abort()
  return taken
}

const idsOf = (events: ServerEvent[]) => events.map(({ id }) => id)

/** A block with one transaction: two placed events. */
function grow(node: MemoryNode, blocks: number): void {
  for (let n = 0; n < blocks; n += 1) {
    node.pending.set(String(node.chain.length).padStart(64, '0'), Uint8Array.of(1))
    node.finalize()
  }
}

test('a stream begins with its retry time and carries blocks and transactions as they happen', async () => {
  await serving(async ({ api, node, client }) => {
    const events = take(client, 2)
    await until(() => node.listeners === 1)
    grow(node, 1)
    const [block, transaction] = await events
    const { digest, time } = node.chain[0] ?? {}
    assert.deepEqual(block, { type: 'block', id: '1.0', data: { height: 1, digest, time } })
    assert.deepEqual([transaction?.type, transaction?.id], ['transaction', '1.1'])
    await until(() => node.listeners === 0)
    assert.equal(api.stats().streams, 0)
    const raw = rawAnswer(api.url, 'GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await until(() => api.stats().streams === 1)
    await api.close()
    assert.match(await raw, /content-type: text\/event-stream[^]*retry: 3000\n\n[^]*event: bye/i)
  })
})

test('history from a height runs into the live stream without gap or duplicate', async () => {
  await serving(async ({ node, client }) => {
    grow(node, 3)
    let readings = 0
    // Blocks become final while the history is being read, as many times as it is read.
    node.onReading = () => {
      readings += 1
      if (readings <= 3) grow(node, 1)
    }
    const events = take(client, 12, { from: 2 })
    await until(() => node.chain.length === 6 && node.listeners === 1)
    grow(node, 2)
    const expected = [2, 3, 4, 5, 6, 7].flatMap((height) => [`${height}.0`, `${height}.1`])
    assert.deepEqual(idsOf(await events), expected)
  })
})

test('events between two turns of a reading are neither lost nor sent twice', async () => {
  await serving(async ({ node, client }) => {
    grow(node, 2)
    const eventsFrom = node.events.eventsFrom
    // A block after the last event of each reading, before the stream can go live.
    node.events.eventsFrom = async function* (height) {
      yield* eventsFrom(height)
      if (node.chain.length < 8) grow(node, 1)
    }
    const expected = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((height) => [`${height}.0`, `${height}.1`])
    assert.deepEqual(idsOf(await take(client, 16, { from: 1 })), expected)
  })
})

test('Last-Event-ID resumes in the middle of a block, before `from`', async () => {
  await serving(async ({ node, client }) => {
    grow(node, 3)
    const resumed = await take(client, 3, { lastEventId: '2.0', from: 1 })
    assert.deepEqual(idsOf(resumed), ['2.1', '3.0', '3.1'])
  })
})

test('acceptance 12: a client that reconnects again and again sees every event once, in order', async () => {
  await serving(async ({ node, client }) => {
    const seen: (string | null)[] = []
    grow(node, 1)
    let query: EventOptions = { from: 1 }
    for (let connection = 0; connection < 8; connection += 1) {
      const events = await take(client, 1 + (connection % 3), query)
      seen.push(...idsOf(events))
      grow(node, 2)
      query = { lastEventId: seen.at(-1) ?? '' }
    }
    const all = node.chain.flatMap(({ height }) => [`${height}.0`, `${height}.1`])
    assert.deepEqual(seen, all.slice(0, seen.length))
  })
})

test('only the types asked for are sent, and resuming keeps the place', async () => {
  await serving(async ({ node, client }) => {
    grow(node, 2)
    const blocks = await take(client, 2, { from: 1, types: ['block'] })
    assert.deepEqual(idsOf(blocks), ['1.0', '2.0'])
    const rest = take(client, 2, { lastEventId: '1.0', types: ['transaction', 'alarm'] })
    assert.deepEqual(idsOf(await rest), ['1.1', '2.1'])
  })
})

test('news without a place is sent live without an id, and never replayed', async () => {
  await serving(async ({ node, client }) => {
    const alarm = { type: 'alarm', place: null, body: { code: 'disk_low' } } as const
    const live = take(client, 2)
    await until(() => node.listeners === 1)
    node.announce(alarm)
    grow(node, 1)
    assert.deepEqual(
      (await live).map(({ type, id }) => [type, id]),
      [
        ['alarm', null],
        ['block', '1.0'],
      ],
    )
    assert.deepEqual(idsOf(await take(client, 2, { from: 0 })), ['1.0', '1.1'])
  })
})

test('a stream from a height that does not exist yet waits for it', async () => {
  await serving(async ({ node, client }) => {
    const events = take(client, 2, { from: 3 })
    await until(() => node.listeners === 1)
    grow(node, 3)
    assert.deepEqual(idsOf(await events), ['3.0', '3.1'])
  })
})

test('what is pruned is said to be missing', async () => {
  await serving(async ({ node, client }) => {
    grow(node, 4)
    node.oldest = 3
    const events = await take(client, 3, { from: 1 })
    assert.deepEqual(events[0], { type: 'gap', id: null, data: { from: 1, to: 2 } })
    assert.deepEqual(idsOf(events), [null, '3.0', '3.1'])
  })
})

test('closing says goodbye to every stream', async () => {
  await serving(async ({ api, node, client }) => {
    const streams = [take(client, 9), take(client, 9), take(client, 9, { from: 1 })]
    await until(() => api.stats().streams === 3)
    await api.close()
    for (const stream of streams) {
      const bye = { type: 'bye', id: null, data: { code: 'closing' } }
      assert.deepEqual(await stream, [bye])
    }
    assert.equal(node.listeners, 0)
    assert.equal(api.stats().streamsEnded.closing, 3)
  })
})

test('a quiet stream is kept open by comments, past the time-out of idle connections', async () => {
  const limits = { streamCommentMs: 20, connectionTimeoutMs: 60, requestTimeoutMs: 60 }
  await serving(async ({ api }) => {
    const { hostname, port } = new URL(api.url)
    const socket = connect(Number(port), hostname)
    socket.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    let received = ''
    for await (const chunk of socket) {
      received += String(chunk)
      if ((received.match(/^: $/gm)?.length ?? 0) >= 10) break
    }
    assert.equal(api.stats().streamsEnded.gone, 0)
  }, limits)
})

test('the hundred and first stream is refused, and a place that is left is free again', async () => {
  await serving(
    async ({ api, client }) => {
      const leaving = new AbortController()
      const { signal } = leaving
      const streams = [1, 2, 3].map(() => client.events({ signal }).next())
      await until(() => api.stats().streams === 3)
      const refused = await fetch(`${api.url}/v1/events`)
      assert.equal(refused.headers.get('retry-after'), '3')
      assert.equal((await refusal(refused, 503)).code, 'too_many_streams')
      leaving.abort()
      await Promise.all(streams)
      await until(() => api.stats().streams === 0)
      const next = take(client, 1)
      await until(() => api.stats().streams === 1)
      await api.close()
      assert.equal((await next)[0]?.type, 'bye')
    },
    { streamsMax: 3 },
  )
})

test('more at once than a queue holds is no reason to cut off who reads', async () => {
  await serving(
    async ({ api, node, client }) => {
      let readings = 0
      node.onReading = () => {
        readings += 1
      }
      const events = take(client, 4_002)
      await until(() => node.listeners === 1)
      grow(node, 2_000)
      await until(() => api.stats().streams === 0 || readings > 0)
      grow(node, 1)
      const expected = node.chain.flatMap(({ height }) => [`${height}.0`, `${height}.1`])
      assert.deepEqual(idsOf(await events), expected)
    },
    { streamQueueMax: 10 },
  )
})

test('a live client that does not read is disconnected when its queue is full', async () => {
  await serving(
    async ({ api, node }) => {
      const { hostname, port } = new URL(api.url)
      const socket = connect(Number(port), hostname).pause()
      socket.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
      await until(() => api.stats().streams === 1)
      const body = 'x'.repeat(1024 * 1024)
      for (let n = 0; n < 40 && api.stats().streams > 0; n += 1) {
        node.announce({ type: 'peer', place: null, body })
        await new Promise(setImmediate)
      }
      await until(() => api.stats().streamsEnded.slow_consumer === 1)
      assert.equal(node.listeners, 0)
      socket.destroy()
    },
    { streamQueueMax: 10 },
  )
})

test('a client that stops reading its history is disconnected after a while', async () => {
  await serving(
    async ({ api, node }) => {
      const big = 'x'.repeat(1024 * 1024)
      node.events.eventsFrom = async function* () {
        for (let height = 1; height < 1_000; height += 1) {
          yield await Promise.resolve({ type: 'block', place: { height, index: 0 }, body: big })
        }
      }
      const { hostname, port } = new URL(api.url)
      const socket = connect(Number(port), hostname).pause()
      socket.write('GET /v1/events?from=1 HTTP/1.1\r\nhost: localhost\r\n\r\n')
      await until(() => api.stats().streamsEnded.slow_consumer === 1)
      socket.destroy()
    },
    { streamStalledMs: 50 },
  )
})

test('a history that cannot be read ends the stream, is logged, and tells nothing', async () => {
  await serving(async ({ api, node, client, logged }) => {
    node.events.eventsFrom = () => {
      throw new Error('secret path')
    }
    const [bye] = await take(client, 1, { from: 1 })
    assert.deepEqual(bye, { type: 'bye', id: null, data: { code: 'failed' } })
    await until(() => api.stats().streamsEnded.failed === 1)
    assert.equal(logged[0]?.sentence, 'event stream failed')
  })
})

test('a Last-Event-ID of another form is 400', async () => {
  await serving(async ({ client }) => {
    for (const lastEventId of ['7', '1.x', '-1.0', '1.0.0']) {
      const problem = await problemOf(client.events({ lastEventId }).next())
      assert.deepEqual([problem.status, problem.code], [400, 'invalid_request'])
      assert.equal(problem.errors[0]?.in, 'header')
    }
  })
})

test('streams do not count as requests in flight', async () => {
  await serving(
    async ({ api, client }) => {
      const leaving = new AbortController()
      const { signal } = leaving
      const streams = [1, 2, 3].map(() => client.events({ signal }).next())
      await until(() => api.stats().streams === 3)
      assert.equal(api.stats().inFlight, 0)
      assert.equal((await client.network()).name, 'test')
      leaving.abort()
      await Promise.all(streams)
    },
    { inFlightMax: 1 },
  )
})

test('following goes on across connections', async () => {
  await serving(
    async ({ node, client }) => {
      grow(node, 2)
      const leaving = new AbortController()
      const seen: (string | null)[] = []
      // Each connection is cut after three events of its history.
      const eventsFrom = node.events.eventsFrom
      node.events.eventsFrom = async function* (height) {
        let given = 0
        for await (const event of eventsFrom(height)) {
          given += 1
          if (given > 3) throw new Error('cut')
          yield event
        }
      }
      for await (const event of client.follow({ from: 1, signal: leaving.signal })) {
        if (event.type !== 'bye') seen.push(event.id)
        if (seen.length === 4) break
      }
      leaving.abort()
      assert.deepEqual(seen, ['1.0', '1.1', '2.0', '2.1'])
    },
    { streamRetryMs: 10 },
  )
})

test.run()
