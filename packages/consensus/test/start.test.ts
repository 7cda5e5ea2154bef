import assert from 'node:assert/strict'
import { test } from 'uvu'
import { decodeMessage, encodeMessage } from '../src/messages.ts'
import type { Vote } from '../src/types.ts'
import { Bench, configOf, voteOf } from './fixture.ts'

const NO_MARKS = { notarize: 0, nullify: 0, finalize: 0 }

test('a node that voted in hundreds of views without finality starts with messages within limits', () => {
  const made = new Bench(configOf(0))
  const views = Array.from({ length: 300 }, (_, index) => index + 1)
  const votes = views.map((view) => voteOf('nullify', view, 0))
  const certificates = views.map((view) => made.nullification(view))
  const marks = { ...NO_MARKS, nullify: 300 }
  const bench = new Bench(configOf(0), { votes, certificates, marks })
  const sent: Vote[] = []
  for (const { message } of bench.sent('broadcast')) {
    assert.doesNotThrow(() => decodeMessage(encodeMessage(message)))
    if (message.kind === 'votes') sent.push(...message.votes)
  }
  assert.equal(sent.at(-1)?.subject.view, 300)
  assert.equal(bench.state.view, 301)
})

test.run()
