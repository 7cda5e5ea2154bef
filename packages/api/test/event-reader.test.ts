import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { readEvents, type ServerEvent } from '../src/event-reader.ts'

async function read(chunks: Uint8Array[], onRetry?: (ms: number) => void) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const event of readEvents(body, onRetry)) events.push(event)
  return events
}

const utf8 = new TextEncoder()

test('events are the same however the bytes are cut', async () => {
  const text =
    'retry: 3000\n\n: \n\nid: 1.0\nevent: block\ndata: {"é": "–"}\n\nevent:peer\r\ndata:[1,\r\ndata: 2]\r\n\r\ndata: 3\r\rdata: cut off'
  const bytes = utf8.encode(text)
  const expected: ServerEvent[] = [
    { type: 'block', id: '1.0', data: { é: '–' } },
    { type: 'peer', id: null, data: [1, 2] },
    { type: 'message', id: null, data: 3 },
  ]
  const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const sorted = [0, ...places.toSorted((a, b) => a - b), bytes.length]
      const chunks = sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
      const retries: number[] = []
      assert.deepEqual(await read(chunks, (ms) => retries.push(ms)), expected)
      assert.deepEqual(retries, [3_000])
    }),
  )
})

test('an event without data, an unknown field and a retry that is no number say nothing', async () => {
  const text = 'event: block\n\nfoo: bar\nretry: soon\ndata\n\n'
  await assert.rejects(read([utf8.encode(text)]), SyntaxError)
  const retries: number[] = []
  const events = await read([utf8.encode('event: x\n\nretry: soon\n\n')], (ms) => retries.push(ms))
  assert.deepEqual([events, retries], [[], []])
})

test.run()
