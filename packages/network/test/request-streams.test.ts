// Requests for records on streams that carry many, between two bare nodes, and with software that ends a stream after one.

import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { test } from 'uvu'
import { createCounters } from '../src/counters.ts'
import { readFrame, writeFrame } from '../src/frames.ts'
import { defaultLimits, type Limits } from '../src/limits.ts'
import { type RequestLink, Requests } from '../src/request.ts'
import { eventually } from './world.ts'

const PROTOCOL = '/mooring/records/1'
const ONE_STREAM = { writeBytesMax: 65_000 }

interface Pair {
  asker: Requests
  link: RequestLink
  /** Those that were opened to the answerer. */
  streams: Stream[]
  connection: Connection
  ask: (byte: number) => Promise<Uint8Array>
}

function createRequests(limits: Partial<Limits>): Requests {
  const shared = {
    limits: { ...defaultLimits, ...limits },
    counters: createCounters(),
    handling: { ms: 0 },
    log: () => undefined,
    now: () => performance.now(),
  }
  return new Requests(shared, (_peerId, _protocol, payload) => Promise.resolve(payload))
}

async function createNode(): Promise<Libp2p> {
  return await createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
}

async function withPair(
  body: (pair: Pair) => Promise<void>,
  {
    limits = {},
    serve,
  }: { limits?: Partial<Limits>; serve?: (stream: Stream) => Promise<void> } = {},
): Promise<void> {
  const [a, b] = await Promise.all([createNode(), createNode()])
  try {
    const answerer = createRequests(limits)
    const streams: Stream[] = []
    await b.handle(PROTOCOL, async (stream, connection) => {
      streams.push(stream)
      if (serve === undefined) await answerer.serve(linkOf(connection), 'records', stream)
      else await serve(stream)
    })
    const connection = await a.dial(b.getMultiaddrs())
    const asker = createRequests(limits)
    const link = linkOf(connection)
    const ask = (byte: number) => asker.request(link, 'records', Uint8Array.of(byte), 5_000)
    await body({ asker, link, streams, connection, ask })
  } finally {
    await Promise.all([a.stop(), b.stop()])
  }
}

function linkOf(connection: Connection): RequestLink {
  const peerId = connection.remotePeer.toString()
  return { member: { peerId, name: 'other', authority: true }, connection, heard: () => undefined }
}

/** One question and its answer, and the end. */
async function answerOnce(stream: Stream): Promise<void> {
  const signal = AbortSignal.timeout(5_000)
  const payload = await readFrame(stream, 1_000, signal)
  await writeFrame(stream, Uint8Array.of(0, ...payload), { ...ONE_STREAM, signal })
  await stream.close({ signal })
}

test('requests follow each other on one stream, and those at once are on several', async () => {
  await withPair(async ({ ask, streams }) => {
    for (const byte of [1, 2, 3]) assert.deepEqual(await ask(byte), Uint8Array.of(byte))
    assert.equal(streams.length, 1)
    const answers = await Promise.all([4, 5, 6].map(ask))
    assert.deepEqual(
      answers,
      [4, 5, 6].map((byte) => Uint8Array.of(byte)),
    )
    assert.equal(streams.length, 3)
    await Promise.all([7, 8, 9].map(ask))
    assert.equal(streams.length, 3)
  })
})

test('a stream on which nothing is asked is ended, by either side', async () => {
  for (const limits of [{ idleAskerMs: 30 }, { idleAnswererMs: 30 }]) {
    await withPair(
      async ({ ask, streams }) => {
        await ask(1)
        await eventually(() => streams.every(({ status }) => status === 'closed'))
        assert.deepEqual(await ask(2), Uint8Array.of(2))
        assert.equal(streams.length, 2)
      },
      { limits },
    )
  }
})

test('who ends a stream after one answer is asked on another', async () => {
  await withPair(
    async ({ ask, streams }) => {
      for (const byte of [1, 2, 3]) assert.deepEqual(await ask(byte), Uint8Array.of(byte))
      assert.equal(streams.length, 3)
    },
    { serve: answerOnce },
  )
})

test('what is asked on a stream that breaks is asked again on another', async () => {
  let isFirst = true
  await withPair(
    async ({ ask, streams }) => {
      await ask(1)
      assert.deepEqual(await ask(2), Uint8Array.of(2))
      assert.equal(streams.length, 2)
    },
    {
      async serve(stream) {
        if (!isFirst) return await answerOnce(stream)
        isFirst = false
        const signal = AbortSignal.timeout(5_000)
        await readFrame(stream, 1_000, signal)
        await writeFrame(stream, Uint8Array.of(0, 1), { ...ONE_STREAM, signal })
        await readFrame(stream, 1_000, signal)
        stream.abort(new Error('broken'))
      },
    },
  )
})

test('who asks once and ends the stream is answered, and nothing is left open', async () => {
  await withPair(async ({ connection, streams }) => {
    const stream = await connection.newStream(PROTOCOL)
    const signal = AbortSignal.timeout(5_000)
    await writeFrame(stream, Uint8Array.of(7), { ...ONE_STREAM, signal })
    assert.deepEqual(await readFrame(stream, 1_000, signal), Uint8Array.of(0, 7))
    await stream.close({ signal })
    await eventually(() => streams.every(({ status }) => status === 'closed'))
  })
})

test.run()
