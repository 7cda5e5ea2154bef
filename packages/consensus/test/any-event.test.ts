// Whatever comes, in whatever order: the machine is a total function, and its votes keep the rules. The
// blocks and certificates here need not make sense together; nobody honest is asked.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import type { Event, TimerName } from '../src/events.ts'
import type { BlockMeta, Certificate, UnsignedVote, Vote } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS, SIGNATURE, unsignedIn, voteOf } from './fixture.ts'

const made = new Bench(configOf(0))

/** One wish, made concrete where the machine stands: `near` is the view, `pick` everything else. */
interface Moment {
  readonly what: (typeof WHAT)[number]
  readonly near: number
  readonly pick: number
  /** Whether the votes asked for come back now, or later. */
  readonly isReleased: boolean
  readonly isExecuted: boolean
}

const WHAT = [
  'proposal',
  'proposal',
  'proposal',
  'rival proposal',
  'votes',
  'notarization',
  'notarization',
  'nullification',
  'nullification',
  'finalization',
  'rival notarization',
  'status',
  'block',
  'block',
  'executed',
  'built',
  'timer',
  'timer',
  'timer',
  'work',
  'peers',
  'synced',
] as const

const TIMERS: readonly TimerName[] = [
  'certification',
  'leader',
  'certification',
  'retry',
  'relay',
  'status',
  'completion',
  'build',
  'early',
]

const moment: fc.Arbitrary<Moment> = fc.record(
  {
    what: fc.constantFrom(...WHAT),
    near: fc.constantFrom(0, 0, 0, 0, -1, -2, 1, 2),
    pick: fc.nat({ max: 9_999 }),
    isReleased: fc.boolean(),
    isExecuted: fc.boolean(),
  },
  { noNullPrototype: true },
)
const moments = fc.array(moment, { maxLength: 80, size: 'max' })

/** The block of a view on that of the view before, seldom on an earlier one. */
function blockAt(view: number, pick: number, salt = 0): BlockMeta {
  const skipped = pick % 25 === 0 ? 1 + (pick % 2) : 0
  const below = Math.max(0, view - 1 - skipped)
  return blockOn(below === 0 ? GENESIS : blockAt(below, 1), view, { salt })
}

function votesAt(view: number, pick: number): Vote[] {
  const on = blockAt(view, pick)
  return [1, 2, 3].flatMap((signer) => {
    const kind = (pick >> signer) % 4
    if (kind === 0) return [voteOf('notarize', on, signer)]
    if (kind === 1) return [voteOf('nullify', view, signer)]
    return kind === 2 ? [voteOf('finalize', on, signer)] : []
  })
}

function proposalAt(view: number, block: BlockMeta, pick: number): Event {
  const from = view % 4
  if (from === 0) return { type: 'built', view, block, failed: false }
  const vote = voteOf('notarize', block, from)
  const skipped = Array.from({ length: block.view - block.parentView - 1 }, (_, index) =>
    made.nullification(block.parentView + 1 + index),
  )
  const justification = pick % 5 === 0 ? [] : skipped
  return { type: 'proposal', from, proposal: { block, vote, justification } }
}

function certificates(...held: Certificate[]): Event {
  return { type: 'certificates', certificates: held }
}

function eventOf({ what, near, pick }: Moment, bench: Bench): Event {
  const view = Math.max(1, bench.state.view + near)
  const block = blockAt(view, pick)
  const rival = blockAt(view, pick, 1)
  switch (what) {
    case 'proposal':
      return proposalAt(view, block, pick)
    case 'rival proposal':
      return proposalAt(view, rival, pick)
    case 'votes':
      return { type: 'votes', votes: votesAt(view, pick) }
    case 'notarization':
      return certificates(made.notarization(block))
    case 'rival notarization':
      return certificates(made.notarization(pick % 50 === 0 ? rival : block))
    case 'nullification':
      return certificates(made.nullification(view))
    case 'finalization':
      return pick % 5 === 0
        ? certificates(made.finalization(block))
        : { type: 'block', block: blockAt(view, pick) }
    case 'status':
      return { type: 'status', from: 1 + (pick % 3), status: statusAt(view, pick) }
    case 'block':
      return { type: 'block', block }
    case 'executed':
      return {
        type: 'executed',
        digest: block.digest,
        outcome: pick % 50 === 0 ? 'invalid' : 'valid',
      }
    case 'built':
      return { type: 'built', view, block: pick % 3 === 0 ? null : block, failed: pick % 2 === 0 }
    case 'timer':
      return { type: 'timer', name: TIMERS[pick % TIMERS.length] ?? 'retry', view }
    case 'work':
      return { type: 'work', waiting: pick % 3 !== 0 }
    case 'peers':
      return {
        type: 'peers',
        heard: [0, 1, 2, 3].map((bit) => ((pick >> bit) & 1 ? bench.now : null)),
      }
    case 'synced':
      return pick % 5 === 0
        ? { type: 'synced', block, finalization: made.finalization(block) }
        : { type: 'work', waiting: true }
  }
}

function statusAt(view: number, pick: number): Extract<Event, { type: 'status' }>['status'] {
  const some = (bits: number): number =>
    [0, view, view + 100, Number.MAX_SAFE_INTEGER][(pick >> bits) % 4] ?? 0
  return {
    epoch: 0,
    finalizedView: some(0),
    finalizedHeight: some(2),
    finalizedDigest: 'e'.repeat(64),
    view: some(4),
    from: some(6),
    notarized: new Uint8Array(8).fill(pick % 256),
    nullified: new Uint8Array(8).fill(pick % 251),
    question: pick % 3,
    answer: pick % 2,
  }
}

/** Lives through these moments, and says what was voted. */
function live(bench: Bench, all: readonly Moment[]): UnsignedVote[] {
  let pending: UnsignedVote[] = unsignedIn(bench.actions)
  const feed = (one: Event): void => {
    const { view, final, committed } = bench.state
    bench.now += 40
    pending.push(...unsignedIn(bench.feed(one)))
    assert.ok(bench.state.view >= view)
    assert.ok(bench.state.final.view >= final.view)
    assert.ok(bench.state.committed.height >= committed.height)
  }
  for (const one of all) {
    feed(eventOf(one, bench))
    for (
      let digest = executeIn(bench);
      one.isExecuted && digest !== null;
      digest = executeIn(bench)
    )
      feed({ type: 'executed', digest, outcome: 'valid' })
    if (!one.isReleased) continue
    const released = pending
    pending = []
    feed({
      type: 'votes',
      votes: released.map((given) => ({ ...given, signature: SIGNATURE })),
    })
  }
  return unsignedIn(bench.actions)
}

function executeIn(bench: Bench): string | null {
  const asked = bench.last.find((action) => action.type === 'execute')
  return asked?.type === 'execute' ? asked.digest : null
}

function judge(votes: readonly UnsignedVote[]): void {
  const given = new Map<string, string>()
  for (const { kind, subject } of votes) {
    const key = `${kind} ${subject.view}`
    const isSaid = given.has(key)
    const has = (other: string): boolean => given.has(`${other} ${subject.view}`)
    assert.equal(given.get(key) ?? subject.digest, subject.digest, `two of ${key}`)
    if (kind === 'notarize') assert.ok(isSaid || !has('nullify'), `${key} after a nullify`)
    if (kind === 'nullify') assert.ok(!has('finalize'), `${key} after a finalize`)
    if (kind === 'finalize') assert.ok(!has('nullify'), `${key} after a nullify`)
    given.set(key, subject.digest)
  }
}

test('no order of events is too strange, and the votes given keep the rules', () => {
  const counts = { notarize: 0, nullify: 0, finalize: 0 }
  fc.assert(
    fc.property(moments, (all) => {
      const given = live(new Bench(configOf(0)), all)
      for (const { kind } of given) counts[kind] += 1
      judge(given)
    }),
    { numRuns: 1_000 },
  )
  for (const [kind, count] of Object.entries(counts))
    assert.ok(count > 200, `only ${count} times ${kind}`)
})

test('a start in the middle of anything votes by the same rules', () => {
  fc.assert(
    fc.property(moments, moments, (before, after) => {
      const first = new Bench(configOf(0))
      const given = live(first, before)
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
      judge([...given, ...live(again, after)])
    }),
    { numRuns: 1_000 },
  )
})

test.run()
