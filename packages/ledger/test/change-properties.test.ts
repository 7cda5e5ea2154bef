// Whatever members send, in whatever order: what always holds of a network that governs itself.

import assert from 'node:assert/strict'
import { decode, encode, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type ChangeRecord, changeRecordSchema, changeSchema } from '../src/change.ts'
import {
  applyTransactions,
  authoritySet,
  authoritySetDigest,
  type Change,
  type DecodedTransaction,
  decodeTransaction,
  describeMalformed,
  DUTIES,
  type Duty,
  epochOf,
  isSealing,
  organisations,
  protocolOf,
  sealOf,
} from '../src/index.ts'
import { AUTHORITIES, keyOf, MEMBERS, MINUTE, organisation, seedOf, world } from './fixture.ts'
import {
  admission,
  Chain,
  newKey,
  parameters,
  protocol,
  quota,
  rekey,
  remove,
  role,
} from './governance-world.ts'

const NEWCOMERS = ['seaside', 'valley', 'harbour']
const EVERYBODY = [...MEMBERS, ...NEWCOMERS]
const { digest } = new Chain().at

/** One wish of a member: what it sends follows from the chain it meets. */
type Wish =
  | { kind: 'propose'; by: string; change: Change; forMs: number }
  | { kind: 'approve' | 'withdraw' | 'ready'; by: string; nth: number }
  | { kind: 'everybody'; nth: number }
  | { kind: 'together'; change: Change }

const ROLES = ['authority', 'authority', 'observer'] as const
const id = fc.constantFrom(...EVERYBODY)
const duty = fc.constantFrom<Duty>('governance', 'consensus', 'transport', 'anchor', 'issuer')

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...NEWCOMERS).map((newcomer) => admission(digest, newcomer)),
  fc
    .tuple(fc.constantFrom('laboratory', 'county', ...NEWCOMERS), fc.constantFrom(...ROLES))
    .map(([who, to]) => role(who, to)),
  id.map((who) => remove(who)),
  fc
    .tuple(id, duty, fc.integer({ min: 1, max: 3 }))
    .map(([who, what, n]) => rekey(who, newKey(digest, { organisation: who, duty: what }, n))),
  fc.integer({ min: 1, max: 9 }).map((n) => quota(n)),
  fc.integer({ min: 1, max: 9 }).map((n) => parameters({ deltaMs: n })),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 40 }))
    .map(([version, height]) => protocol(version, height)),
)

const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('propose' as const),
      by: id,
      change,
      forMs: fc.constantFrom(1, MINUTE, 40 * MINUTE, 60 * MINUTE),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('approve', 'withdraw', 'ready'),
      by: id,
      nth: fc.constantFrom(0, 0, 1, 2, 5),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('together' as const), change }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('everybody' as const),
      nth: fc.constantFrom(0, 0, 1),
    }),
  },
)

const script = fc.array(
  fc.record({
    wishes: fc.array(wish, { maxLength: 3 }),
    waitMs: fc.constantFrom(0, 3, 11 * MINUTE),
  }),
  { minLength: 1, maxLength: 10 },
)

/** Keys by their public half, as far as anybody's could have been generated. */
function consensusKeyOf(chain: Chain, who: string, key: Uint8Array | undefined) {
  const known = ['', ' 1', ' 2', ' 3'].map((n) => keyOf(who, `consensus${n}`))
  const present = organisations(chain.state).find((each) => each.id === who)?.keys.consensus
  const wanted = toHex(key ?? present ?? seedOf('nobody'))
  return known.find(({ publicKey }) => toHex(publicKey) === wanted) ?? keyOf(who, 'consensus')
}

function governanceKeyOf(chain: Chain, who: string) {
  const wanted = organisations(chain.state).find((each) => each.id === who)?.keys.governance
  const known = ['', ' 1', ' 2', ' 3'].map((n) => keyOf(who, `governance${n}`))
  const found = known.find(
    ({ publicKey }) => wanted !== undefined && toHex(publicKey) === toHex(wanted),
  )
  return found ?? keyOf(who, 'governance')
}

function readyFor(chain: Chain, by: string, about: { id: Uint8Array; change: Change }) {
  const { change: what } = about
  const isOwn = what.kind === 'rekey' && what.body.organisation === by
  const fresh = isOwn ? what.body.keys.find((each) => each.duty === 'consensus')?.key : undefined
  return chain.ready(by, about.id, consensusKeyOf(chain, by, fresh))
}

function fromEverybody(chain: Chain, about: { id: Uint8Array; change: Change }) {
  return EVERYBODY.flatMap((by) => [
    chain.approve(by, about.id, governanceKeyOf(chain, by)),
    readyFor(chain, by, about),
  ])
}

function sent(chain: Chain, given: Wish): DecodedTransaction[] {
  if (given.kind === 'propose') {
    const { by, change: what, forMs } = given
    const key = governanceKeyOf(chain, by)
    return [chain.propose({ by, change: what, expiresAt: chain.time + forMs, key })]
  }
  if (given.kind === 'together') {
    const [by = ''] = authoritySet(chain.state).organisations
    const key = governanceKeyOf(chain, by)
    const proposal = chain.propose({ by, change: given.change, key })
    return [proposal, ...fromEverybody(chain, { id: proposal.id, change: given.change })]
  }
  const open = chain.open()[given.nth]
  if (open === undefined && given.kind === 'everybody') return []
  const about = open ?? { id: seedOf('no such change'), change: quota(7) }
  switch (given.kind) {
    case 'approve':
      return [chain.approve(given.by, about.id, governanceKeyOf(chain, given.by))]
    case 'withdraw':
      return [chain.withdraw(given.by, about.id, governanceKeyOf(chain, given.by))]
    case 'ready':
      return [readyFor(chain, given.by, about)]
    case 'everybody':
      return fromEverybody(chain, about)
  }
}

function checkInvariants(chain: Chain, before: { authorities: number; epoch: number }): void {
  const set = authoritySet(chain.state)
  const members = organisations(chain.state)
  const voting = members.filter(({ roles }) => roles.includes('authority'))
  assert.ok(set.keys.length >= Math.min(4, before.authorities), 'the set is large enough')
  assert.equal(new Set(set.organisations).size, set.organisations.length)
  assert.deepEqual(
    voting.map(({ id: each, keys }) => `${each} ${toHex(keys.consensus)}`).toSorted(),
    set.organisations
      .map((each, place) => `${each} ${toHex(set.keys[place] ?? digest)}`)
      .toSorted(),
    'the set is that of the organisations with the role',
  )
  const keys = members.flatMap((each) => DUTIES.map((which) => each.keys[which]))
  const present = keys.filter((key) => key !== null).map(toHex)
  assert.equal(new Set(present).size, present.length, 'no key twice')
  for (const key of present) {
    const registered = `${toHex(new TextEncoder().encode('key/'))}${key}`
    assert.ok(chain.state.values.has(registered), 'every key is registered')
  }
  const open = chain.open()
  assert.ok(open.length <= 64)
  for (const { approvals, passedAt, expiresAt } of open) {
    assert.equal(passedAt, null)
    assert.ok(expiresAt >= chain.time, 'nothing expired is open')
    assert.equal(new Set(approvals).size, approvals.length)
    for (const each of approvals) assert.ok(set.organisations.includes(each), `${each} may approve`)
  }
  const stored = [...chain.state.values.keys()].filter((name) => name.startsWith(CHANGE_PREFIX))
  assert.equal(stored.length, open.length + epochOf(chain.state), 'open ones and one an epoch')
  assert.ok(epochOf(chain.state) - before.epoch <= 1, 'one passes at most')
}

const CHANGE_PREFIX = toHex(new TextEncoder().encode('change/'))

/** Every block is applied a second time, and its header judged by what it announces. */
function play(steps: { wishes: Wish[]; waitMs: number }[], counts: Map<string, number>): Chain {
  const chain = new Chain(world())
  for (const { wishes, waitMs } of steps) {
    chain.wait(waitMs)
    const before = {
      authorities: authoritySet(chain.state).keys.length,
      epoch: epochOf(chain.state),
    }
    const queue = wishes.flatMap((each) => sent(chain, each))
    const { next, block, rejected } = chain.tryBlock(queue)
    for (const { reason } of rejected) {
      counts.set(reason.code, (counts.get(reason.code) ?? 0) + 1)
    }
    assert.equal(isSealing(block.header), next !== null)
    assert.equal(epochOf(chain.state), before.epoch + (next === null ? 0 : 1))
    if (next !== null) {
      assert.deepEqual(
        authoritySetDigest(authoritySet(chain.state)),
        block.header.nextAuthoritySetDigest,
      )
      const seal = sealOf(chain.state, before.epoch)
      assert.equal(seal?.height, block.header.height)
      const passed = chain.recordOf(seal?.change ?? digest)
      const name = `passed ${passed.change.kind}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    checkInvariants(chain, before)
  }
  return chain
}

test('whatever is sent: enough authorities, no key twice, approvals of authorities, one seal a block', () => {
  const counts = new Map<string, number>()
  fc.assert(
    fc.property(script, (steps) => {
      play(steps, counts)
    }),
    { numRuns: 40, seed: 20_261_126 },
  )
  const kinds = ['admit', 'role', 'remove', 'rekey', 'parameters', 'protocol']
  for (const kind of kinds) assert.ok((counts.get(`passed ${kind}`) ?? 0) > 0, `${kind} passed`)
  for (const code of ['unknown_change', 'invalid_change', 'not_an_authority'])
    assert.ok((counts.get(code) ?? 0) > 0, `${code} was seen`)
})

function linesOf({ state }: Chain): string[] {
  return [...state.values].map(([name, value]) => `${name} ${toHex(value)}`)
}

test('the same transactions give the same state, key by key', () => {
  fc.assert(
    fc.property(script, (steps) => {
      const [one, other] = [play(steps, new Map()), play(steps, new Map())]
      assert.deepEqual(linesOf(one), linesOf(other))
    }),
    { numRuns: 5 },
  )
})

test('selecting leaves the state it reads as it was, and does not depend on the instance', () => {
  fc.assert(
    fc.property(script, fc.array(wish, { maxLength: 8 }), (steps, wishes) => {
      const chain = play(steps, new Map())
      const queue = wishes.flatMap((each) => sent(chain, each))
      const before = linesOf(chain)
      const one = applyTransactions(chain.state, chain.place, queue)
      const copies = queue.map(({ bytes }) => decodeTransaction(bytes, digest))
      const other = applyTransactions(chain.state.after(new Map()), chain.place, copies)
      assert.deepEqual([...one.diff], [...other.diff])
      assert.deepEqual(one.next, other.next)
      assert.deepEqual(linesOf(chain), before)
    }),
    { numRuns: 6 },
  )
})

test('the protocol version only rises', () => {
  fc.assert(
    fc.property(script, (steps) => {
      const chain = new Chain(world())
      let { version } = protocolOf(chain.state)
      for (const { wishes } of steps) {
        chain.tryBlock(wishes.flatMap((each) => sent(chain, each)))
        const now = protocolOf(chain.state)
        assert.ok(now.version >= version)
        assert.ok(now.next === null || now.next.height > chain.at.parent.height + 1)
        version = now.version
      }
    }),
    { numRuns: 6 },
  )
})

const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
const anySignature = fc.uint8Array({ minLength: 64, maxLength: 64 })
const anyTime = fc.integer({ min: 0, max: 253_402_300_799_999 })
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  change,
  anySignature.map(
    (signature): Change => ({
      kind: 'admit',
      body: { organisation: organisation('seaside', 'observer'), signature },
    }),
  ),
  fc
    .array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 })
    .map((evidence) => remove('county', evidence)),
  fc
    .uniqueArray(fc.tuple(duty, anyKey, anySignature), {
      minLength: 1,
      maxLength: 5,
      selector: ([which]) => which,
    })
    .map((keys) =>
      rekey('county', ...keys.map(([which, key, signature]) => ({ duty: which, key, signature }))),
    ),
)

test('any change and any record of one come back from their bytes', () => {
  const anyRecord: fc.Arbitrary<ChangeRecord> = fc.record({
    proposer: id,
    reason: fc.constantFrom('a', 'because of the audit', 'Übergabe 聖路加'),
    proposedAt: fc.record({ height: fc.maxSafeNat(), time: anyTime }),
    expiresAt: anyTime,
    change: anyChange,
    approvals: fc.uniqueArray(fc.constantFrom(...AUTHORITIES)),
    ready: fc.array(fc.record({ organisation: id, key: anyKey }), { maxLength: 5 }),
    passedAt: fc.option(fc.record({ epoch: fc.nat(), height: fc.nat() })),
  })
  fc.assert(
    fc.property(anyRecord, (record) => {
      const encoded = encode(changeRecordSchema, record)
      assert.deepEqual(encode(changeRecordSchema, decode(changeRecordSchema, encoded)), encoded)
      const bytes = encode(changeSchema, record.change)
      assert.deepEqual(decode(changeSchema, bytes), record.change)
    }),
    { numRuns: 300 },
  )
})

test('one altered byte anywhere in a transaction of governance is refused or is another one', () => {
  const chain = new Chain()
  const proposals = [admission(digest, 'seaside'), quota(7), remove('county', [seedOf('e')])]
  const about = seedOf('change')
  const all = [
    ...proposals.map((each) => chain.propose({ change: each })),
    chain.approve('county', about),
    chain.withdraw('county', about),
    chain.ready('county', about),
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...all),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      ({ bytes }, place, mask) => {
        const at = place % bytes.length
        const altered = bytes.with(at, (bytes[at] ?? 0) ^ mask)
        let decoded: DecodedTransaction
        try {
          decoded = decodeTransaction(altered, digest)
        } catch (error) {
          assert.ok(['malformed', 'unknown_kind'].includes(describeMalformed(error).code))
          return
        }
        assert.deepEqual(decoded.bytes, altered)
        assert.ok(chain.check(decoded) !== undefined)
      },
    ),
    { numRuns: 600 },
  )
})

test('noise is no change and no record', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      for (const again of [
        () => encode(changeSchema, decode(changeSchema, noise)),
        () => encode(changeRecordSchema, decode(changeRecordSchema, noise)),
      ]) {
        let bytes: Uint8Array
        try {
          bytes = again()
        } catch (error) {
          assert.equal(error instanceof Error && error.name, 'CodecError')
          continue
        }
        assert.deepEqual(bytes, noise)
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
