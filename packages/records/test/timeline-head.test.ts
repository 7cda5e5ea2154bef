import assert from 'node:assert/strict'
import { keyPairFromSeed, sha256 } from '@mooring/crypto'
import { test } from 'uvu'
import {
  checkTimeline,
  signTimelineHead,
  type TimelineHead,
  timelineRoot,
  verifyTimelineHead,
} from '../src/timeline-head.ts'

const anchorKey = keyPairFromSeed(new Uint8Array(32).fill(7))
const other = keyPairFromSeed(new Uint8Array(32).fill(8))
const commits = Array.from({ length: 9 }, (_, at) => sha256(Uint8Array.of(at)))

function headOf(count: number, from = commits): TimelineHead {
  return {
    custodian: 'st-mary',
    patientKey: other.publicKey,
    count,
    root: timelineRoot(from.slice(0, count)),
    time: 1_790_000_000_000,
  }
}

test('a head is signed by its custodian, and says what it says', () => {
  const signed = signTimelineHead(anchorKey, headOf(3))
  assert.equal(verifyTimelineHead(signed, anchorKey.publicKey), true)
  assert.equal(verifyTimelineHead(signed, other.publicKey), false)
  for (const change of [
    { count: 4 },
    { time: 1 },
    { custodian: 'st-marx' },
    { root: timelineRoot([]) },
  ]) {
    const head = { ...signed.head, ...change }
    assert.equal(verifyTimelineHead({ ...signed, head }, anchorKey.publicKey), false)
  }
})

test('a timeline continues every one that was seen before it', () => {
  for (let before = 0; before <= commits.length; before += 1) {
    for (let now = before; now <= commits.length; now += 1)
      assert.equal(checkTimeline(headOf(now), commits.slice(0, now), headOf(before)), undefined)
  }
})

test('a record that is taken away, put in, changed or moved is noticed', () => {
  const seen = headOf(5)
  const check = (now: readonly Uint8Array[]) =>
    checkTimeline(headOf(now.length, [...now]), now, seen)
  assert.equal(check(commits.slice(0, 4)), 'records_missing')
  assert.equal(check([]), 'records_missing')
  assert.equal(check(commits.toSpliced(2, 1)), 'records_changed')
  assert.equal(check(commits.toSpliced(2, 0, sha256(Uint8Array.of(99)))), 'records_changed')
  assert.equal(check(commits.with(4, sha256(Uint8Array.of(99)))), 'records_changed')
  assert.equal(check(commits.toReversed()), 'records_changed')
  assert.equal(check(commits.with(5, sha256(Uint8Array.of(99)))), undefined)
  assert.equal(checkTimeline(headOf(5), commits.slice(0, 4), null), 'head_differs')
  assert.equal(checkTimeline(headOf(5), commits.slice(1, 6), null), 'head_differs')
})

test.run()
