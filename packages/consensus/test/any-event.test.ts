// Whatever comes, in whatever order: the machine is a total function, and its votes keep the rules. The
// blocks and certificates here need not make sense together; nobody honest is asked.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import type { Event, TimerName } from '../src/events.ts'
import type { BlockMeta, UnsignedVote, VoteKind } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, SIGNATURE, unsignedIn, voteOf } from './fixture.ts'

const VIEWS = 6
const made = new Bench(configOf(0))

/** Two blocks for every view on every earlier one: places enough to get lost in. */
const blocks: BlockMeta[] = [GENESIS]
for (let view = 1; view <= VIEWS; view += 1)
  for (const parent of blocks.filter((block) => block.view < view).slice(-3))
    for (const salt of [0, 1]) blocks.push(blockOn(parent, view, { salt }))

const block = fc.constantFrom(...blocks.slice(1))
const view = fc.integer({ min: 1, max: VIEWS + 1 })
const other = fc.integer({ min: 1, max: 3 })
const certificate = fc.oneof(
  block.map((one) => made.notarization(one)),
  block.map((one) => made.finalization(one)),
  view.map((one) => made.nullification(one)),
)
const vote = fc.oneof(
  fc
    .tuple(fc.constantFrom<VoteKind>('notarize', 'finalize'), block, other)
    .map(([kind, on, signer]) => voteOf(kind, on, signer)),
  fc.tuple(view, other).map(([on, signer]) => voteOf('nullify', on, signer)),
)
const timer = fc.constantFrom<TimerName>(
  'leader',
  'certification',
  'retry',
  'relay',
  'status',
  'completion',
  'build',
  'early',
)
const bitmap = fc.uint8Array({ minLength: 8, maxLength: 8 })
const number = fc.oneof(fc.nat({ max: 9 }), fc.constant(Number.MAX_SAFE_INTEGER))
const plain = { noNullPrototype: true } as const
const status = fc.record(
  {
    epoch: fc.constantFrom(0, 1),
    finalizedView: number,
    finalizedHeight: number,
    finalizedDigest: fc.constant('e'.repeat(64)),
    view: number,
    from: number,
    notarized: bitmap,
    nullified: bitmap,
  },
  plain,
)

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.tuple(block, fc.array(certificate, { maxLength: 3 })).map(
    ([proposed, justification]): Event => ({
      type: 'proposal',
      from: proposed.view % 4,
      proposal: {
        block: proposed,
        vote: voteOf('notarize', proposed, proposed.view % 4),
        justification,
      },
    }),
  ),
  fc.array(vote, { maxLength: 3 }).map((votes): Event => ({ type: 'votes', votes })),
  certificate.map((one): Event => ({ type: 'certificates', certificates: [one] })),
  fc.tuple(other, status).map(([from, one]): Event => ({ type: 'status', from, status: one })),
  block.map((one): Event => ({ type: 'block', block: one })),
  fc
    .tuple(block, fc.constantFrom('valid', 'valid', 'valid', 'invalid'))
    .map(([{ digest }, outcome]): Event => ({ type: 'executed', digest, outcome })),
  fc
    .tuple(fc.option(block), fc.boolean())
    .map(([one, failed]): Event => ({ type: 'built', view: one?.view ?? 4, block: one, failed })),
  fc.tuple(timer, view).map(([name, on]): Event => ({ type: 'timer', name, view: on })),
  fc.boolean().map((waiting): Event => ({ type: 'work', waiting })),
  fc
    .array(fc.option(fc.constant(1_000_000)), { minLength: 4, maxLength: 4 })
    .map((heard): Event => ({ type: 'peers', heard })),
  block.map((one): Event => ({ type: 'synced', block: one, finalization: made.finalization(one) })),
)

function judge(votes: readonly UnsignedVote[]): void {
  const given = new Map<string, string>()
  for (const { kind, subject } of votes) {
    const key = `${kind} ${subject.view}`
    assert.equal(given.get(key) ?? subject.digest, subject.digest, `two of ${key}`)
    if (kind === 'notarize')
      assert.ok(!given.has(`nullify ${subject.view}`) || given.has(key), `${key} after a nullify`)
    if (kind === 'nullify') assert.ok(!given.has(`finalize ${subject.view}`), `${key} after both`)
    if (kind === 'finalize') assert.ok(!given.has(`nullify ${subject.view}`), `${key} after both`)
    given.set(key, subject.digest)
  }
}

test('no order of events is too strange, and the votes given keep the rules', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.boolean()), { maxLength: 60 }), (events) => {
      const bench = new Bench(configOf(0))
      let pending: UnsignedVote[] = []
      for (const [one, isReleased] of events) {
        const { view: before, final, committed } = bench.state
        bench.now += 40
        pending.push(...unsignedIn(bench.feed(one)))
        if (isReleased && pending.length > 0) {
          const released = pending
          pending = []
          bench.vote(...released.map((given) => ({ ...given, signature: SIGNATURE })))
          pending.push(...unsignedIn(bench.last))
        }
        assert.ok(bench.state.view >= before)
        assert.ok(bench.state.final.view >= final.view)
        assert.ok(bench.state.committed.height >= committed.height)
      }
      judge(unsignedIn(bench.actions))
    }),
    { numRuns: 1_500 },
  )
})

test('a start in the middle of anything votes by the same rules', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 40 }),
      fc.array(event, { maxLength: 40 }),
      (before, after) => {
        const first = new Bench(configOf(0))
        for (const one of before) first.feed(one)
        const given = unsignedIn(first.actions)
        const marks = { notarize: 0, nullify: 0, finalize: 0 }
        for (const { kind, subject } of given) marks[kind] = Math.max(marks[kind], subject.view)
        const again = new Bench(configOf(0), {
          committed: first.state.committed,
          certificates: first.actions.flatMap((action) =>
            action.type === 'journal' ? [action.certificate] : [],
          ),
          votes: given.map((one) => ({ ...one, signature: SIGNATURE })),
          marks,
        })
        for (const one of after) again.feed(one)
        judge([...given, ...unsignedIn(again.actions)])
      },
    ),
    { numRuns: 800 },
  )
})

test.run()
