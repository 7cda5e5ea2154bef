import assert from 'node:assert/strict'
import { sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  type AuditQuestion,
  auditAnswer,
  auditWindow,
  judgeAudit,
  type SealedRecord,
  sealRecord,
  shardBytesOf,
} from '../src/index.ts'
import { choices, detailsOf, noise, optionsFor, splits } from './seal-world.ts'

const records = splits.map((split) => {
  const raw = noise(2 * 1024 * 1024 + 5000, split.n)
  return { split, record: sealRecord(raw, detailsOf(raw), optionsFor(split.n, split)) }
})

function questionOf(record: SealedRecord, number: number, auditor = 'st-anna'): AuditQuestion {
  const nonce = sha256(Uint8Array.of(number, number >> 8)).slice(0, 16)
  return { setId: record.setId, auditor, nonce }
}

function answersOf(record: SealedRecord, question: AuditQuestion, shards = record.shards) {
  const { offset, length } = auditWindow(record.set, question)
  return shards.map((shard) => auditAnswer(shard.subarray(offset, offset + length), question))
}

/** All sets of numbers below n. */
function subsetsBelow(n: number): number[][] {
  const numbers = Array.from({ length: n }, (_, at) => at)
  return [...numbers, n].flatMap((count) => choices(numbers, count))
}

test('those who have their shards agree, and any more than k of them are judged good', () => {
  for (const { split, record } of records) {
    const { k, n } = split
    for (let number = 0; number < 20; number += 1) {
      const answers = answersOf(record, questionOf(record, number))
      for (const there of subsetsBelow(n)) {
        const given = answers.map((answer, at) => (there.includes(at) ? answer : null))
        const verdict = there.length > k ? 'good' : 'undecided'
        assert.deepEqual(judgeAudit(k, n, given), { verdict, wrong: [], isConsistent: true })
      }
    }
  }
})

test('one who answers something else is named where two more than k answered, and noticed with one', () => {
  for (const { split, record } of records) {
    const { k, n } = split
    for (let wrong = 0; wrong < n; wrong += 1) {
      const answers = answersOf(record, questionOf(record, wrong))
      const lied = answers.map((answer, at) => (at === wrong ? noise(16, 9) : answer))
      const isNamed = n - k >= 2
      assert.deepEqual(judgeAudit(k, n, lied), {
        verdict: isNamed ? 'bad' : 'undecided',
        wrong: isNamed ? [wrong] : [],
        isConsistent: false,
      })
      const silent = lied.map((answer, at) => (at === (wrong + 1) % n ? null : answer))
      const fewer = judgeAudit(k, n, silent)
      assert.equal(fewer.verdict, 'undecided')
      assert.equal(fewer.isConsistent, n - 1 <= k)
    }
  }
})

test('any changed byte in the window changes the answer', () => {
  const { record } = records[2] ?? assert.fail()
  const question = questionOf(record, 5)
  const { offset, length } = auditWindow(record.set, question)
  const [shard] = record.shards
  assert.ok(shard)
  const window = shard.subarray(offset, offset + length)
  const answer = auditAnswer(window, question)
  fc.assert(
    fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = window.with(at, (window[at] ?? 0) ^ change)
      assert.notDeepEqual(auditAnswer(changed, question), answer)
    }),
  )
})

test('every byte of a shard is asked about, sooner or later, and never past its end', () => {
  const { record } = records[0] ?? assert.fail()
  const { set } = record
  const covered = new Set<number>()
  for (let number = 0; number < 8000; number += 1) {
    const { offset, length } = auditWindow(set, questionOf(record, number))
    assert.ok(length > 0 && length <= 4096 && offset + length <= shardBytesOf(set))
    covered.add(offset)
    covered.add(offset + length)
  }
  const ends = [...covered].toSorted((a, b) => a - b)
  assert.equal(ends[0], 0)
  assert.equal(ends.at(-1), shardBytesOf(set))
  for (const [at, end] of ends.entries()) assert.ok(end - (ends[at - 1] ?? 0) <= 4096)
})

test('another auditor, set or nonce asks for something else: answers cannot be passed on', () => {
  const { record } = records[2] ?? assert.fail()
  const [shard] = record.shards
  assert.ok(shard)
  const window = shard.subarray(0, 4096)
  const question = questionOf(record, 1)
  const answer = auditAnswer(window, question)
  const others: AuditQuestion[] = [
    { ...question, auditor: 'riverside' },
    { ...question, setId: noise(32) },
    questionOf(record, 2),
  ]
  for (const other of others) assert.notDeepEqual(auditAnswer(window, other), answer)
  const relayed = answersOf(record, { ...question, auditor: 'riverside' })
  const given = answersOf(record, question).map((each, at) => (at === 4 ? relayed[4] : each))
  assert.deepEqual(
    judgeAudit(
      3,
      5,
      given.map((each) => each ?? null),
    ).wrong,
    [4],
  )
})

test('two liars of five that say the same lie are not believed', () => {
  const { record } = records[2] ?? assert.fail()
  const question = questionOf(record, 3)
  const answers = answersOf(record, question)
  const lied = answers.map((answer, at) => (at < 2 ? noise(16, 5) : answer))
  const { verdict, isConsistent } = judgeAudit(3, 5, lied)
  assert.deepEqual({ verdict, isConsistent }, { verdict: 'undecided', isConsistent: false })
})

test.run()
