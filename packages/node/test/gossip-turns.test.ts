// Gossip is judged in turns that agreement leaves over, and no peer takes those of another.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { GossipTurns } from '../src/gossip-turns.ts'

/** Turns that a test gives by hand, and time that passes by what is judged. */
function byHand() {
  const next: (() => void)[] = []
  let now = 0
  const turns = new GossipTurns(
    () => now,
    (run) => void next.push(run),
  )
  const judged: string[] = []
  const offer = (peerId: string, ms: number) =>
    turns.judge(peerId, () => {
      judged.push(peerId)
      now += ms
      return 'accept'
    })
  return { turns, judged, offer, turn: () => next.shift()?.(), planned: () => next.length }
}

test('nothing is judged where it arrives, and one turn takes a few milliseconds of it', async () => {
  const { judged, offer, turn, planned } = byHand()
  const offered = [offer('a', 3), offer('a', 3), offer('a', 3)]
  assert.deepEqual(judged, [])
  assert.equal(planned(), 1)
  turn()
  assert.equal(judged.length, 2)
  turn()
  assert.equal(judged.length, 3)
  assert.equal(planned(), 0)
  assert.deepEqual(await Promise.all(offered), ['accept', 'accept', 'accept'])
})

test('peers take turns, and what one has too much of is ignored alone', async () => {
  const { judged, offer, turn } = byHand()
  const flood = Array.from({ length: 38 }, () => offer('flood', 1))
  const other = offer('other', 1)
  turn()
  assert.deepEqual(judged.slice(0, 2), ['flood', 'other'])
  assert.equal(await other, 'accept')
  while (judged.length < 33) turn()
  const verdicts = await Promise.all(flood)
  assert.equal(verdicts.filter((verdict) => verdict === 'ignore').length, 6)
})

test('what is still being judged counts, and what fails is told to whoever asked', async () => {
  const { turns, turn } = byHand()
  const verdict = Promise.withResolvers<'accept'>()
  const open = Array.from({ length: 32 }, () => turns.judge('a', () => verdict.promise))
  for (let at = 0; at < 32; at += 1) turn()
  assert.equal(await turns.judge('a', () => 'accept'), 'ignore')
  verdict.resolve('accept')
  await Promise.all(open)
  const failed = turns.judge('a', () => {
    throw new Error('no')
  })
  turn()
  await assert.rejects(failed, /no/)
})

test.run()
