import assert from 'node:assert/strict'
import { signersOf } from '@mooring/crypto'
import { test } from 'uvu'
import { recordOf, RETENTION, VIEWS_AHEAD } from '../src/state.ts'
import type { Certificate } from '../src/types.ts'
import {
  Bench,
  blockOn,
  configOf,
  DELTA_MS,
  GENESIS,
  only,
  SIGNATURE,
  typesIn,
  voteOf,
} from './fixture.ts'

const block = blockOn(GENESIS, 1)
const other = blockOn(GENESIS, 1, { salt: 1 })

function sentTo(bench: Bench, to: number): Certificate[] {
  return bench
    .sent('send')
    .filter((action) => action.to === to)
    .flatMap(({ message }) => (message.kind === 'certificates' ? message.certificates : []))
}

test('any certificate of this view or a later one ends it (R1)', () => {
  for (const kind of ['notarization', 'finalization'] as const) {
    const bench = new Bench(configOf(0))
    bench.certify(bench[kind](block))
    assert.equal(bench.state.view, 2)
  }
  const bench = new Bench(configOf(0))
  bench.certify(bench.nullification(5))
  assert.equal(bench.state.view, 6)
  bench.certify(bench.nullification(3))
  assert.equal(bench.state.view, 6, 'an older one is kept and moves nothing')
  assert.notEqual(recordOf(bench.state, 3).nullification, null)
})

test('a quorum of equal votes makes exactly a quorum of signatures', () => {
  const bench = new Bench(configOf(0, 7))
  for (const signer of [1, 2, 3, 4]) bench.vote(voteOf('notarize', block, signer))
  assert.equal(bench.state.view, 1)
  bench.vote(voteOf('notarize', other, 5))
  assert.equal(bench.state.view, 1, 'a vote for another block does not count')
  bench.vote(voteOf('notarize', block, 6))
  const { certificate } = only(bench.last, 'journal')
  assert.deepEqual(signersOf(certificate.bitmap), [1, 2, 3, 4, 6])
  assert.equal(certificate.signatures.length, 5)
  assert.equal(bench.state.view, 2)
  bench.vote(voteOf('notarize', block, 0))
  assert.ok(!typesIn(bench.last).includes('journal'), 'and one certificate is enough')
})

test('votes that differ in the parent view alone do not add up', () => {
  const bench = new Bench(configOf(0))
  const late = blockOn(GENESIS, 2)
  bench.vote(voteOf('notarize', late, 1), voteOf('notarize', late, 2))
  bench.vote(voteOf('notarize', { ...late, parentView: 1 }, 3))
  assert.equal(bench.state.view, 1)
})

test('the same signer twice is one vote', () => {
  const bench = new Bench(configOf(0))
  for (let again = 0; again < 5; again += 1) bench.vote(voteOf('nullify', 1, 2))
  bench.vote(voteOf('nullify', 1, 3))
  assert.equal(bench.state.view, 1)
})

test('an own vote counts when it comes back, not before', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('notarize', block, 2), voteOf('notarize', block, 1))
  bench.show(block)
  assert.deepEqual(bench.given(), ['notarize 1'])
  assert.equal(bench.state.view, 1)
  assert.equal(recordOf(bench.state, 1).notarize.has(0), false)
  bench.release()
  assert.equal(bench.state.view, 2)
})

test('votes come from a window, certificates from any view', () => {
  const bench = new Bench(configOf(0))
  bench.vote(voteOf('nullify', 1 + VIEWS_AHEAD, 1), voteOf('nullify', 2 + VIEWS_AHEAD, 1))
  assert.deepEqual([...bench.state.views.keys()], [1 + VIEWS_AHEAD])
  bench.certify(bench.nullification(1_000_000))
  assert.equal(bench.state.view, 1_000_001)
})

test('what is far below the last finalization is forgotten and stays so', () => {
  const bench = new Bench(configOf(0))
  const views = Array.from({ length: 99 }, (_, index) => index + 1)
  bench.certify(...views.map((view) => bench.nullification(view)))
  assert.equal(bench.state.views.size, 99)
  const late = blockOn(GENESIS, 100)
  bench.notarize(late)
  bench.certify(bench.finalization(late))
  assert.equal(Math.min(...bench.state.views.keys()), 100 - RETENTION + 1)
  bench.certify(bench.nullification(100 - RETENTION))
  bench.vote(voteOf('nullify', 100 - RETENTION, 1))
  assert.equal(Math.min(...bench.state.views.keys()), 100 - RETENTION + 1)
})

test('nothing above the last finalization is ever forgotten', () => {
  const bench = new Bench(configOf(0))
  for (let view = 1; view <= 300; view += 1) {
    bench.timer('certification')
    bench.feed({ type: 'work', waiting: true })
    bench.timer('certification')
    bench.vote(voteOf('nullify', view, 0))
    bench.certify(bench.nullification(view))
  }
  for (let view = 1; view <= 300; view += 1) {
    const record = recordOf(bench.state, view)
    assert.ok(record.ownNullify && record.nullification !== null, `view ${view}`)
  }
})

test('every certificate is journalled once, before the votes to which it leads', () => {
  const bench = new Bench(configOf(0))
  bench.feed({ type: 'block', block })
  bench.feed({ type: 'executed', digest: block.digest, outcome: 'valid' })
  bench.certify(bench.notarization(block))
  bench.executed(block)
  bench.certify(bench.notarization(block))
  const order = bench.actions.filter(({ type }) => type === 'journal' || type === 'vote')
  assert.deepEqual(typesIn(order), ['journal', 'vote'])
})

test('the last finalization never moves back, and its certificate is journalled', () => {
  const bench = new Bench(configOf(0))
  const second = blockOn(block, 2)
  bench.certify(bench.finalization(second))
  only(bench.last, 'journal')
  bench.certify(bench.finalization(block))
  assert.equal(bench.state.final.view, 2)
  assert.equal(bench.state.final.subject.digest, second.digest)
})

test('a notarized view may be nullified too', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.notarization(block), bench.nullification(1))
  assert.equal(bench.state.isHalted, false)
})

test('certificates that cannot both exist stop the node, and it chooses neither', () => {
  const pairs: ((bench: Bench) => Certificate[])[] = [
    (bench) => [bench.notarization(block), bench.notarization(other)],
    (bench) => [bench.finalization(block), bench.finalization(other)],
    (bench) => [bench.notarization(block), bench.finalization(other)],
    (bench) => [bench.finalization(block), bench.notarization(other)],
    (bench) => [bench.finalization(block), bench.nullification(1)],
    (bench) => [bench.nullification(1), bench.finalization(block)],
  ]
  for (const pair of pairs) {
    const bench = new Bench(configOf(0))
    const [first, second] = pair(bench)
    assert.ok(first !== undefined && second !== undefined)
    bench.certify(first)
    bench.certify(second)
    assert.deepEqual(only(bench.last, 'halt').reason, {
      code: 'conflicting_certificates',
      first,
      second,
    })
    bench.feed({ type: 'work', waiting: true })
    bench.timer('certification')
    bench.show(blockOn(block, 2))
    assert.deepEqual(bench.given(), [])
    assert.ok(!typesIn(bench.actions).includes('commit'))
  }
})

test('a certificate of another epoch means nothing', () => {
  const bench = new Bench(configOf(0))
  const foreign = bench.nullification(1)
  bench.certify({ ...foreign, subject: { ...foreign.subject, epoch: 1 } })
  bench.vote({ ...voteOf('nullify', 1, 1), subject: { ...foreign.subject, epoch: 1 } })
  assert.equal(bench.state.view, 1)
  assert.equal(bench.state.views.size, 0)
})

test('a fresh certificate is told to those who have not shown that they know (R9)', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.notarization(block))
  assert.ok(typesIn(bench.last).includes('relay'))
  bench.vote(voteOf('nullify', 2, 1))
  bench.vote(voteOf('finalize', block, 2))
  bench.timer('relay')
  assert.deepEqual(sentTo(bench, 1), [])
  assert.deepEqual(sentTo(bench, 2), [])
  assert.deepEqual(sentTo(bench, 3), [bench.notarization(block)])
  bench.timer('relay', 1)
  assert.deepEqual(bench.sent('send'), [], 'an old timer says nothing')
})

test('authorities relay one after the other, from half of delta on', () => {
  const waits = Array.from({ length: 10 }, (_, me) => {
    const bench = new Bench(configOf(me, 10))
    bench.certify(bench.nullification(1))
    return bench.actions.flatMap((action) =>
      action.type === 'set-timer' && action.name === 'relay' ? [action.afterMs] : [],
    )
  }).flat()
  assert.equal(new Set(waits).size, 10)
  assert.equal(Math.min(...waits), DELTA_MS / 2)
  assert.ok(Math.max(...waits) < DELTA_MS)
})

test('who still wants to leave an old view is given the way out, and the last finalization', () => {
  const bench = new Bench(configOf(0))
  bench.certify(bench.notarization(block))
  bench.vote(voteOf('nullify', 1, 2))
  assert.deepEqual(sentTo(bench, 2), [bench.notarization(block)])
  bench.certify(bench.finalization(block))
  bench.vote(voteOf('nullify', 1, 2))
  assert.deepEqual(sentTo(bench, 2), [], 'who says it without a pause makes us send nothing')
  bench.now += DELTA_MS / 4
  bench.vote(voteOf('nullify', 1, 2))
  assert.deepEqual(sentTo(bench, 2), [bench.notarization(block), bench.finalization(block)])
})

test('an own signature that was never given means a second process with the key', () => {
  for (const kind of ['notarize', 'finalize'] as const) {
    const bench = new Bench(configOf(0))
    bench.vote(voteOf(kind, block, 0))
    assert.equal(only(bench.last, 'halt').reason.code, 'duplicate_key')
  }
  const bench = new Bench(configOf(0))
  bench.show(block)
  bench.release()
  bench.certify(bench.notarization(block, [0, 1, 2]))
  assert.equal(bench.state.isHalted, false)
  bench.certify(bench.nullification(2, [0, 1, 2]))
  assert.equal(only(bench.last, 'halt').reason.code, 'duplicate_key')
})

test('an own signature of views that a crash may have torn off means nothing', () => {
  const marks = { notarize: 3, nullify: 1, finalize: 0 }
  const bench = new Bench(configOf(0), { marks })
  bench.certify(bench.notarization(blockOn(GENESIS, 3), [0, 1, 2]))
  assert.equal(bench.state.isHalted, false)
  bench.certify(bench.notarization(blockOn(GENESIS, 4), [0, 1, 2]))
  assert.equal(bench.state.isHalted, true)
})

test('an own certificate keeps the signatures that came with the votes', () => {
  const bench = new Bench(configOf(0))
  const votes = [1, 2, 3].map((signer) => ({
    ...voteOf('nullify', 1, signer),
    signature: SIGNATURE.map(() => signer),
  }))
  for (const vote of votes) bench.vote(vote)
  assert.deepEqual(
    only(bench.last, 'journal').certificate.signatures.map((signature) => signature[0]),
    [1, 2, 3],
  )
})

test.run()
