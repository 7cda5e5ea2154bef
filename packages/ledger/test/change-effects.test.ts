// What changes do when they pass, when they pass, and what a block says about it.

import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  applyBlock,
  applyTransactions,
  approvalsNeeded,
  type AuthoritySet,
  authoritySet,
  authoritySetDigest,
  changeKey,
  dueChange,
  epochOf,
  type Header,
  isSealing,
  organisationOf,
  organisations,
  parametersOf,
  previewChange,
  protocolOf,
  sealOf,
  type Tally,
  tallyOf,
} from '../src/index.ts'
import {
  AUTHORITIES,
  blockOn,
  decodedAnchor,
  keyOf,
  MEMBERS,
  MINUTE,
  organisation,
  seedOf,
  START,
  world,
  worldOf,
} from './fixture.ts'
import {
  admission,
  Chain,
  DAY,
  newKey,
  parameters,
  protocol,
  quota,
  rekey,
  remove,
  role,
} from './governance-world.ts'

const [FIRST = '', SECOND = '', THIRD = '', FOURTH = ''] = AUTHORITIES
const THREE = [FIRST, SECOND, THIRD]

function setOf(...ids: string[]): AuthoritySet {
  return { organisations: ids, keys: ids.map((id) => organisation(id).keys.consensus) }
}

function tally(chain: Chain, id: Uint8Array): Tally {
  const counted = tallyOf(chain.state, chain.recordOf(id), chain.place)
  if ('code' in counted) assert.fail(counted.code)
  return counted
}

/** Proposed and approved by these; waits for whoever has to be ready. */
function approved(chain: Chain, change: Parameters<Chain['pass']>[0], by = THREE): Uint8Array {
  const [proposer = '', ...others] = by
  const proposal = chain.propose({ by: proposer, change })
  const { id } = proposal
  assert.equal(chain.block(proposal, ...others.map((each) => chain.approve(each, id))), null)
  return id
}

function promote(chain: Chain, id: string): AuthoritySet | null {
  const { organisations: present } = authoritySet(chain.state)
  chain.pass(admission(chain.at.digest, id), present)
  const change = approved(chain, role(id, 'authority'), present)
  return chain.block(...[...present, id].map((each) => chain.ready(each, change)))
}

test('a change passes in the block that completes a quorum of approvals, not before', () => {
  const chain = new Chain()
  const proposal = chain.propose({ change: quota(7) })
  const { id } = proposal
  assert.equal(chain.block(proposal), null)
  assert.deepEqual(tally(chain, id), { approvals: { given: [FIRST], needed: 3 }, ready: null })
  assert.equal(chain.block(chain.approve(SECOND, id)), null)
  assert.equal(parametersOf(chain.state).quotaPerMinute, 1_000_000)
  assert.deepEqual(chain.block(chain.approve(FOURTH, id)), setOf(...AUTHORITIES))
  assert.equal(parametersOf(chain.state).quotaPerMinute, 7)
  assert.deepEqual(chain.open(), [])
  const record = chain.recordOf(id)
  assert.deepEqual(record.passedAt, { epoch: 0, height: 3 })
  assert.deepEqual(record.approvals, [FIRST, SECOND, FOURTH])
})

test('every passed change ends an epoch, and the next one stands on its block in view 0', () => {
  const chain = new Chain()
  assert.equal(epochOf(chain.state), 0)
  const time = chain.time
  chain.pass(quota(7), THREE)
  assert.equal(epochOf(chain.state), 1)
  const { epoch, view, height } = chain.at.parent
  assert.deepEqual([epoch, view, height], [1, 0, 1])
  assert.deepEqual(sealOf(chain.state, 0), {
    change: chain.recordOf(idOf(chain, 0)).id,
    height: 1,
    time,
  })
  assert.equal(sealOf(chain.state, 1), undefined)
  const { block } = chain.tryBlock([decodedAnchor(chain.at)])
  assert.deepEqual([block.header.epoch, block.header.view, block.header.parentView], [1, 1, 0])
  assert.ok(!isSealing(block.header))
  assert.equal(chain.at.parent.view, 1)
})

function idOf(chain: Chain, epoch: number): Uint8Array {
  const seal = sealOf(chain.state, epoch)
  assert.ok(seal !== undefined)
  return seal.change
}

test('a block that completes two changes passes the older one; the next block passes the other', () => {
  const chain = new Chain()
  const older = chain.propose({ by: FIRST, change: quota(7) })
  const younger = chain.propose({ by: SECOND, change: quota(8) })
  chain.block(younger)
  const ids = [older.id, younger.id]
  const approvals = ids.flatMap((id) => AUTHORITIES.map((by) => chain.approve(by, id)))
  const { next } = chain.tryBlock([older, ...approvals])
  assert.ok(next !== null)
  assert.equal(parametersOf(chain.state).quotaPerMinute, 8)
  const due = dueChange(chain.state, chain.place)
  assert.deepEqual(due?.id, older.id)
  const late = { ...chain.place, time: chain.recordOf(older.id).expiresAt }
  assert.equal(dueChange(chain.state, late), undefined)
  assert.ok(chain.block() !== null, 'a block without transactions')
  assert.equal(parametersOf(chain.state).quotaPerMinute, 7)
  assert.equal(epochOf(chain.state), 2)
  assert.equal(dueChange(chain.state, chain.place), undefined)
  assert.equal(chain.block(), null)
})

test('a newcomer comes as an observer, and may anchor and propose from the next block on', () => {
  const chain = new Chain()
  const set = chain.pass(admission(chain.at.digest, 'seaside'), THREE)
  assert.deepEqual(set, setOf(...AUTHORITIES))
  assert.deepEqual(
    organisations(chain.state).map(({ id }) => id),
    [...MEMBERS, 'seaside'],
  )
  assert.deepEqual(organisationOf(chain.state, 'seaside'), organisation('seaside', 'observer'))
  chain.block(
    decodedAnchor(chain.at, { organisation: 'seaside' }),
    chain.propose({ by: 'seaside', change: quota(7) }),
  )
  assert.deepEqual(chain.open()[0]?.approvals, [])
})

test('an observer becomes an authority when it and a quorum of the next set are ready', () => {
  const chain = new Chain()
  chain.pass(admission(chain.at.digest, 'seaside'), THREE)
  const id = approved(chain, role('seaside', 'authority'))
  assert.equal(chain.block(...AUTHORITIES.map((each) => chain.ready(each, id))), null)
  assert.deepEqual(tally(chain, id).ready, {
    given: AUTHORITIES,
    needed: 4,
    required: ['seaside'],
  })
  const next = chain.block(chain.ready('seaside', id))
  assert.deepEqual(next, setOf(...AUTHORITIES, 'seaside'))
  assert.deepEqual(authoritySet(chain.state), next)
  assert.deepEqual(organisationOf(chain.state, 'seaside')?.roles, ['authority'])
})

test('readiness without approvals passes nothing', () => {
  const chain = new Chain()
  chain.pass(admission(chain.at.digest, 'seaside'), THREE)
  const id = approved(chain, role('seaside', 'authority'), [FIRST, SECOND])
  const ready = [...AUTHORITIES, 'seaside'].map((each) => chain.ready(each, id))
  assert.equal(chain.block(...ready), null)
  assert.ok(chain.block(chain.approve(THIRD, id)) !== null)
})

test('a quorum of the next set is enough: who is down need not be ready', () => {
  const chain = new Chain()
  promote(chain, 'seaside')
  const id = approved(chain, remove(FOURTH), [FIRST, SECOND, THIRD, 'seaside'])
  assert.deepEqual(tally(chain, id).ready, { given: [], needed: 3, required: [] })
  assert.equal(chain.block(chain.ready(FIRST, id), chain.ready(SECOND, id)), null)
  assert.deepEqual(chain.block(chain.ready('seaside', id)), setOf(FIRST, SECOND, THIRD, 'seaside'))
  assert.equal(organisationOf(chain.state, FOURTH), undefined)
  assert.ok(!organisations(chain.state).some(({ id: each }) => each === FOURTH))
})

test('four become seven and five again', () => {
  const chain = new Chain()
  for (const id of ['seaside', 'valley', 'harbour']) assert.ok(promote(chain, id) !== null)
  assert.equal(authoritySet(chain.state).keys.length, 7)
  for (const id of ['harbour', SECOND]) {
    const { organisations: present } = authoritySet(chain.state)
    const change = approved(chain, remove(id), present)
    const left = present.filter((each) => each !== id)
    assert.ok(chain.block(...left.map((each) => chain.ready(each, change))) !== null)
  }
  const set = authoritySet(chain.state)
  assert.deepEqual(set, setOf(FIRST, THIRD, FOURTH, 'seaside', 'valley'))
  assert.equal(epochOf(chain.state), 8)
})

test('an authority that becomes an observer keeps what else it has', () => {
  const chain = new Chain()
  promote(chain, 'seaside')
  const id = approved(chain, role(SECOND, 'observer'), [FIRST, SECOND, THIRD, FOURTH])
  const left = [FIRST, THIRD, FOURTH, 'seaside']
  assert.deepEqual(chain.block(...left.map((each) => chain.ready(each, id))), setOf(...left))
  const { roles, keys } = organisationOf(chain.state, SECOND) ?? organisation('nobody')
  assert.deepEqual(roles, ['observer'])
  assert.deepEqual(keys, organisation(SECOND).keys)
})

test('approvals count of those who are authorities, and against as many as there are', () => {
  const chain = new Chain()
  promote(chain, 'seaside')
  const waiting = approved(chain, quota(7), [FIRST, SECOND, FOURTH])
  assert.deepEqual(tally(chain, waiting).approvals, {
    given: [FIRST, SECOND, FOURTH],
    needed: 4,
  })
  const removal = approved(chain, remove(FOURTH), [FIRST, SECOND, THIRD, 'seaside'])
  chain.block(...[FIRST, SECOND, THIRD].map((each) => chain.ready(each, removal)))
  assert.deepEqual(tally(chain, waiting).approvals, { given: [FIRST, SECOND], needed: 3 })
  assert.deepEqual(chain.recordOf(waiting).approvals, [FIRST, SECOND])
  assert.ok(chain.block(chain.approve('seaside', waiting)) !== null)
})

test('a change that waits for one more approval passes when one fewer is needed', () => {
  const chain = new Chain()
  promote(chain, 'seaside')
  const waiting = approved(chain, quota(7), [FIRST, SECOND, THIRD])
  const removal = approved(chain, remove(FOURTH), [FIRST, SECOND, THIRD, 'seaside'])
  chain.block(...[FIRST, SECOND, THIRD].map((each) => chain.ready(each, removal)))
  assert.equal(parametersOf(chain.state).quotaPerMinute, 1_000_000)
  assert.ok(chain.block() !== null)
  assert.equal(parametersOf(chain.state).quotaPerMinute, 7)
  assert.deepEqual(chain.recordOf(waiting).passedAt?.epoch, 3)
})

test('who was an authority and comes back has approved nothing', () => {
  const chain = new Chain()
  promote(chain, 'seaside')
  const waiting = approved(chain, quota(7), [FOURTH])
  const demotion = approved(chain, role(FOURTH, 'observer'), [FIRST, SECOND, THIRD, 'seaside'])
  chain.block(...[FIRST, SECOND, THIRD].map((each) => chain.ready(each, demotion)))
  const back = approved(chain, role(FOURTH, 'authority'))
  const all = [FIRST, SECOND, THIRD, 'seaside', FOURTH]
  assert.deepEqual(chain.block(...all.map((each) => chain.ready(each, back))), setOf(...all))
  assert.deepEqual(tally(chain, waiting).approvals, { given: [], needed: 4 })
})

test('an approval is taken back by who gave it, a change by who proposed it', () => {
  const chain = new Chain()
  const id = approved(chain, quota(7), [FIRST, SECOND])
  chain.block(chain.withdraw(SECOND, id))
  assert.deepEqual(chain.recordOf(id).approvals, [FIRST])
  assert.equal(chain.block(chain.approve(THIRD, id)), null)
  chain.block(chain.withdraw(FIRST, id))
  assert.deepEqual(chain.open(), [])
  assert.equal(chain.state.get(changeKey(id)), undefined)
})

test('a change leaves the state at its expiry, in whatever block comes then', () => {
  const chain = new Chain()
  const short = chain.propose({ change: quota(7), expiresAt: START + MINUTE })
  const long = chain.propose({ change: quota(8), expiresAt: START + 2 * MINUTE })
  chain.block(short, long)
  chain.wait(START + MINUTE - 1 - chain.time)
  chain.block()
  assert.equal(chain.open().length, 2)
  chain.block()
  assert.deepEqual(
    chain.open().map(({ id }) => toHex(id)),
    [toHex(long.id)],
  )
  assert.equal(chain.state.get(changeKey(short.id)), undefined)
})

test('a change does not pass in a block at or after its expiry', () => {
  const chain = new Chain()
  const proposal = chain.propose({ by: 'laboratory', change: quota(7), expiresAt: START + MINUTE })
  const { id } = proposal
  chain.block(proposal, chain.approve(FIRST, id), chain.approve(SECOND, id))
  chain.wait(START + MINUTE - chain.time)
  const { next, rejected } = chain.tryBlock([chain.approve(THIRD, id)])
  assert.equal(next, null)
  assert.deepEqual(
    rejected.map(({ reason }) => reason.code),
    ['change_expired'],
  )
})

test('an organisation renews its own keys alone, in one block', () => {
  const chain = new Chain()
  const { digest } = chain.at
  const duties = ['transport', 'anchor', 'issuer'] as const
  const keys = duties.map((duty) => newKey(digest, { organisation: 'laboratory', duty }))
  const set = chain.block(chain.propose({ by: 'laboratory', change: rekey('laboratory', ...keys) }))
  assert.deepEqual(set, setOf(...AUTHORITIES))
  const changed = organisationOf(chain.state, 'laboratory')
  assert.deepEqual(
    duties.map((duty) => changed?.keys[duty]),
    keys.map(({ key }) => key),
  )
  assert.deepEqual(changed?.keys.governance, organisation('laboratory', 'observer').keys.governance)
  const old = decodedAnchor(chain.at, { organisation: 'laboratory' })
  assert.equal(chain.check(old)?.code, 'wrong_signer')
  const fresh = { organisation: 'laboratory', key: keyOf('laboratory', 'anchor 2') }
  chain.block(decodedAnchor(chain.at, fresh))
})

test('keys that were left are never taken again', () => {
  const chain = new Chain()
  const place = { organisation: FIRST, duty: 'anchor' } as const
  chain.block(chain.propose({ change: rekey(FIRST, newKey(chain.at.digest, place)) }))
  const back = chain.propose({ by: SECOND, change: rekey(FIRST, newKey(chain.at.digest, place)) })
  assert.equal(chain.check(back)?.code, 'invalid_change')
  const { anchor } = organisation(FIRST).keys
  const borrowed = { ...organisation('clinic', 'observer').keys, anchor }
  const newcomer = { ...organisation('clinic', 'observer'), keys: borrowed }
  const admit = admission(chain.at.digest, 'clinic', newcomer)
  const problem = previewChange(chain.state, admit, chain.place)
  assert.deepEqual(problem, { code: 'key_taken', duty: 'anchor', key: anchor })
})

test('a new consensus key is in force when its holder and a quorum of the next set are ready', () => {
  const chain = new Chain()
  const key = newKey(chain.at.digest, { organisation: SECOND, duty: 'consensus' })
  const proposal = chain.propose({ by: SECOND, change: rekey(SECOND, key) })
  const { id } = proposal
  assert.equal(chain.block(proposal), null)
  assert.deepEqual(tally(chain, id), {
    approvals: { given: [SECOND], needed: 0 },
    ready: { given: [], needed: 3, required: [SECOND] },
  })
  const others = [FIRST, THIRD, FOURTH].map((each) => chain.ready(each, id))
  assert.equal(chain.block(...others), null)
  const next = chain.block(chain.ready(SECOND, id, keyOf(SECOND, 'consensus 2')))
  const expected = setOf(...AUTHORITIES)
  expected.keys[1] = key.key
  assert.deepEqual(next, expected)
})

test('the next own rotation within ten minutes needs the others, or waits for its time', () => {
  const chain = new Chain()
  const { digest } = chain.at
  const rotation = (n: number) =>
    chain.propose({
      change: rekey(FIRST, newKey(digest, { organisation: FIRST, duty: 'anchor' }, n)),
    })
  const rotatedAt = chain.time
  assert.ok(chain.block(rotation(2)) !== null)
  const second = rotation(3)
  assert.equal(chain.block(second), null)
  assert.deepEqual(tally(chain, second.id).approvals, { given: [FIRST], needed: 3 })
  assert.equal(chain.block(chain.approve(SECOND, second.id)), null)
  assert.ok(chain.block(chain.approve(THIRD, second.id)) !== null)

  const third = rotation(4)
  const since = chain.time - 1
  assert.ok(since > rotatedAt)
  chain.block(third)
  chain.wait(since + 10 * MINUTE - 1 - chain.time)
  assert.equal(chain.block(), null)
  assert.equal(chain.time, since + 10 * MINUTE)
  assert.ok(chain.block() !== null)
})

test('an organisation rotates alone twelve times in thirty days', () => {
  const chain = new Chain()
  const { digest } = chain.at
  const rotation = (n: number) =>
    chain.propose({
      change: rekey(FIRST, newKey(digest, { organisation: FIRST, duty: 'anchor' }, n)),
      expiresAt: chain.time + 30 * DAY,
    })
  chain.wait((Math.floor(chain.time / (30 * DAY)) + 1) * 30 * DAY - chain.time)
  const end = chain.time + 30 * DAY
  for (let n = 2; n < 14; n += 1) {
    assert.ok(chain.block(rotation(n)) !== null, `rotation ${n}`)
    chain.wait(10 * MINUTE)
  }
  assert.equal(chain.block(rotation(14)), null)
  chain.wait(end - 1 - chain.time)
  assert.equal(chain.block(), null)
  assert.ok(chain.block() !== null)
})

test('a governance key changes with the approval of a quorum only, whoever asks', () => {
  const chain = new Chain()
  const place = { organisation: FIRST, duty: 'governance' } as const
  const own = rekey(FIRST, newKey(chain.at.digest, place))
  const id = approved(chain, own, [FIRST, SECOND])
  assert.equal(chain.block(), null)
  assert.ok(chain.block(chain.approve(THIRD, id)) !== null)
  const old = chain.propose({ change: quota(7) })
  assert.equal(chain.check(old)?.code, 'wrong_signer')
  const fresh = chain.propose({ change: quota(7), key: keyOf(FIRST, 'governance 2') })
  assert.equal(chain.check(fresh), undefined)
})

test('the others can replace the keys of one that lost them', () => {
  const chain = new Chain()
  const duties = ['governance', 'consensus', 'transport', 'anchor'] as const
  const keys = duties.map((duty) => newKey(chain.at.digest, { organisation: FOURTH, duty }))
  const id = approved(chain, rekey(FOURTH, ...keys))
  const ready = [FIRST, SECOND].map((each) => chain.ready(each, id))
  assert.equal(chain.block(...ready), null)
  const next = chain.block(chain.ready(FOURTH, id, keyOf(FOURTH, 'consensus 2')))
  assert.deepEqual(next?.keys[3], keys[1]?.key)
})

function secondKey(id: string) {
  return keyOf(id, 'consensus 2')
}

test('a readiness counts for the key that said it', () => {
  const chain = new Chain()
  const { digest } = chain.at
  const key = (id: string) => newKey(digest, { organisation: id, duty: 'consensus' })
  const slow = chain.propose({ by: FIRST, change: rekey(FIRST, key(FIRST)) })
  const quick = chain.propose({ by: SECOND, change: rekey(SECOND, key(SECOND)) })
  chain.block(slow, quick)
  chain.block(chain.ready(SECOND, slow.id), chain.ready(THIRD, slow.id))
  chain.block(
    chain.ready(SECOND, quick.id, secondKey(SECOND)),
    chain.ready(THIRD, quick.id),
    chain.ready(FOURTH, quick.id),
  )
  assert.deepEqual(tally(chain, slow.id).ready?.given, [THIRD])
  assert.equal(chain.block(chain.ready(FIRST, slow.id, secondKey(FIRST))), null)
  assert.ok(chain.block(chain.ready(SECOND, slow.id, secondKey(SECOND))) !== null)
  assert.deepEqual(
    chain.recordOf(slow.id).ready.map(({ organisation: id }) => id),
    [THIRD, FIRST, SECOND],
  )
})

test('a protocol version is scheduled when a quorum speaks it, and in force from its height on', () => {
  const chain = new Chain()
  const id = approved(chain, protocol(2, 5))
  assert.deepEqual(tally(chain, id).ready, { given: [], needed: 3, required: [] })
  assert.ok(chain.block(...THREE.map((each) => chain.ready(each, id))) !== null)
  assert.deepEqual(protocolOf(chain.state), { version: 1, next: { version: 2, height: 5 } })
  chain.block()
  assert.equal(protocolOf(chain.state).version, 1)
  const { height } = chain.tryBlock([]).block.header
  assert.equal(height, 4)
  assert.deepEqual(protocolOf(chain.state), { version: 2, next: null })
})

test('a version may be in force in the very next block', () => {
  const chain = new Chain()
  const id = approved(chain, protocol(2, 3))
  chain.block(...THREE.map((each) => chain.ready(each, id)))
  assert.deepEqual(protocolOf(chain.state), { version: 2, next: null })
})

test('a version that comes too late to be scheduled never is', () => {
  const chain = new Chain()
  const id = approved(chain, protocol(2, 2))
  const [first] = THREE.map((each) => chain.ready(each, id))
  assert.ok(first !== undefined)
  const problem = { code: 'height_passed', height: 2, earliest: 3 }
  assert.deepEqual(chain.check(first), { code: 'invalid_change', problem })
  assert.deepEqual(tallyOf(chain.state, chain.recordOf(id), chain.place), problem)
})

test('what is scheduled can be moved, and taken back by choosing the version in force', () => {
  const chain = new Chain()
  const schedule = (version: number, height: number): void => {
    const id = approved(chain, protocol(version, height))
    assert.ok(chain.block(...THREE.map((each) => chain.ready(each, id))) !== null)
  }
  schedule(2, 50)
  const same = previewChange(chain.state, protocol(2, 50), chain.place)
  assert.deepEqual(same, { code: 'no_change' })
  schedule(2, 60)
  assert.deepEqual(protocolOf(chain.state).next, { version: 2, height: 60 })
  schedule(1, 0)
  assert.deepEqual(protocolOf(chain.state), { version: 1, next: null })
})

test('two of three can repair the third: a quorum is what decides blocks', () => {
  const chain = new Chain(worldOf(['east', 'west', 'north']))
  const duties = ['governance', 'consensus'] as const
  const keys = duties.map((duty) => newKey(chain.at.digest, { organisation: 'north', duty }))
  const id = approved(chain, rekey('north', ...keys), ['east', 'west'])
  assert.equal(chain.block(chain.ready('east', id)), null)
  assert.ok(chain.block(chain.ready('north', id, secondKey('north'))) !== null)
  const needed = [1, 2, 3, 4, 5, 6, 7, 9, 10, 100].map((count) => approvalsNeeded(count))
  assert.deepEqual(needed, [1, 2, 2, 3, 4, 4, 5, 6, 7, 67])
})

test('two members or one govern themselves too', () => {
  const two = new Chain(worldOf(['east', 'west']))
  const proposal = two.propose({ by: 'east', change: quota(7) })
  assert.equal(two.block(proposal), null)
  assert.ok(two.block(two.approve('west', proposal.id)) !== null)
  const one = new Chain(worldOf(['alone']))
  assert.ok(one.block(one.propose({ by: 'alone', change: quota(7) })) !== null)
})

test('before a vote one sees what would come of it', () => {
  const chain = new Chain()
  chain.pass(admission(chain.at.digest, 'seaside'), THREE)
  const preview = previewChange(chain.state, role('seaside', 'authority'), chain.place)
  assert.ok(!('code' in preview))
  assert.deepEqual(preview.before, { authorities: 4, needed: 3, tolerates: 1 })
  assert.deepEqual(preview.after, { authorities: 5, needed: 4, tolerates: 1 })
  assert.deepEqual(preview.authorities, setOf(...AUTHORITIES, 'seaside'))
  assert.deepEqual(preview.newcomers, ['seaside'])
  assert.ok(preview.isNewSet)
  assert.deepEqual(preview.organisation?.roles, ['authority'])
  const other = previewChange(chain.state, parameters({ deltaMs: 99 }), chain.place)
  assert.ok(!('code' in other))
  assert.deepEqual([other.isNewSet, other.organisation, other.newcomers], [false, null, []])
})

function judge(chain: Chain, transactions: Uint8Array[], change: Partial<Header>): string {
  const { at, place } = chain
  const block = blockOn(at, transactions, { time: place.time, ...change })
  const result = applyBlock(at.state, at.parent, block, {
    genesisDigest: at.digest,
    parameters: place.parameters,
    expectedProposer: 'riverside',
  })
  return 'code' in result ? result.code : 'applied'
}

test('a header announces the next set exactly when a change passes in its block', () => {
  const chain = new Chain()
  const proposal = chain.propose({ change: quota(7) })
  const approvals = THREE.slice(1).map((each) => chain.approve(each, proposal.id))
  const sealing = [proposal, ...approvals].map(({ bytes }) => bytes)
  const same = authoritySetDigest(setOf(...AUTHORITIES))
  const other = authoritySetDigest(setOf(...AUTHORITIES, 'seaside'))
  assert.equal(judge(chain, sealing, { nextAuthoritySetDigest: same }), 'applied')
  assert.equal(judge(chain, sealing, { nextAuthoritySetDigest: null }), 'wrong_next_authority_set')
  assert.equal(judge(chain, sealing, { nextAuthoritySetDigest: other }), 'wrong_next_authority_set')
  assert.equal(judge(chain, sealing.slice(0, 2), { nextAuthoritySetDigest: null }), 'applied')
  const early = { nextAuthoritySetDigest: same }
  assert.equal(judge(chain, sealing.slice(0, 2), early), 'unexpected_authority_change')
  assert.equal(
    judge(chain, [], { nextAuthoritySetDigest: seedOf('x') }),
    'unexpected_authority_change',
  )
})

test('the old set makes no block of the next epoch, nor in the epoch that ended', () => {
  const chain = new Chain()
  promote(chain, 'seaside')
  assert.equal(judge(chain, [], {}), 'applied')
  const old = authoritySetDigest(setOf(...AUTHORITIES))
  assert.equal(judge(chain, [], { authoritySetDigest: old }), 'wrong_authority_set')
  assert.equal(judge(chain, [], { epoch: 1 }), 'wrong_epoch')
  assert.equal(judge(chain, [], { parentView: 1 }), 'wrong_parent_view')
  assert.equal(judge(chain, [], { view: 0 }), 'view_not_later')
})

test('a passed change is in force from the next block on, not in its own', () => {
  const chain = new Chain(world({ quotaPerMinute: 2 }))
  const proposal = chain.propose({ change: parameters({ quotaPerMinute: 1 }) })
  const approvals = THREE.slice(1).map((each) => chain.approve(each, proposal.id))
  const anchors = [1, 2].map((sequence) => decodedAnchor(chain.at, { sequence }))
  const { included, next } = chain.tryBlock([proposal, ...approvals, ...anchors])
  assert.equal(included.length, 5)
  assert.ok(next !== null)
  const later = decodedAnchor(chain.at, { sequence: 3 })
  assert.equal(chain.check(later)?.code, 'quota_exceeded')
})

test('a proposer leaves out what conflicts within its block', () => {
  const chain = new Chain()
  const proposal = chain.propose({ change: quota(7) })
  const { id } = proposal
  const queue = [
    proposal,
    chain.withdraw(FIRST, id),
    chain.approve(SECOND, id),
    decodedAnchor(chain.at),
  ]
  const { included, rejected } = applyTransactions(chain.state, chain.place, queue)
  assert.deepEqual(included, [queue[0], queue[1], queue[3]])
  assert.deepEqual(
    rejected.map(({ reason }) => reason.code),
    ['unknown_change'],
  )
})

test.run()
