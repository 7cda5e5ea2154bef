// Every reason for which a transaction of governance is refused.

import assert from 'node:assert/strict'
import { encode, toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  authoritySetKey,
  encodeAuthoritySet,
  organisationsKey,
  type Change,
  type ChangeProblem,
  type Duty,
  type InvalidTransaction,
  type Organisation,
  previewChange,
  signAdmission,
  signNewKey,
} from '../src/index.ts'
import { organisationsSchema } from '../src/membership.ts'
import {
  AUTHORITIES,
  decodedAnchor,
  keyOf,
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

const NOWHERE = seedOf('no such change')

/** Proposed in a block, open since. */
function opened(chain: Chain, change: Change, by = 'st-mary'): Uint8Array {
  const proposal = chain.propose({ by, change })
  chain.block(proposal)
  return proposal.id
}

/** Five authorities: seaside came and was promoted. */
function chainOfFive(): Chain {
  const chain = new Chain()
  chain.pass(admission(chain.at.digest, 'seaside'), AUTHORITIES.slice(0, 3))
  const promote: Change = role('seaside', 'authority')
  const proposal = chain.propose({ change: promote })
  const { id } = proposal
  chain.block(proposal, chain.approve('riverside', id), chain.approve('county', id))
  const ready = ['seaside', ...AUTHORITIES.slice(0, 3)].map((each) => chain.ready(each, id))
  assert.ok(chain.block(...ready) !== null)
  return chain
}

test('governance is by the governance key of the organisation', () => {
  const chain = new Chain()
  const id = opened(chain, quota(7))
  const keys = [
    keyOf('st-mary', 'consensus'),
    keyOf('st-mary', 'anchor'),
    keyOf('county', 'governance'),
  ]
  const expected = organisation('st-mary').keys.governance
  for (const key of keys) {
    const attempts = [
      chain.propose({ change: quota(8), key }),
      chain.approve('st-mary', id, key),
      chain.withdraw('st-mary', id, key),
    ]
    for (const attempt of attempts) {
      assert.deepEqual(chain.check(attempt), {
        code: 'wrong_signer',
        organisation: 'st-mary',
        duty: 'governance',
        expected,
        got: key.publicKey,
      })
    }
  }
})

test('who is no member has no say', () => {
  const chain = new Chain()
  const id = opened(chain, quota(7))
  const attempts = [
    chain.propose({ by: 'nowhere', change: quota(8) }),
    chain.approve('nowhere', id),
    chain.withdraw('nowhere', id),
    chain.ready('nowhere', id),
  ]
  for (const attempt of attempts) {
    const expected = { code: 'unknown_organisation', organisation: 'nowhere' }
    assert.deepEqual(chain.check(attempt), expected)
  }
})

test('a change is open for thirty days at most, and not for no time', () => {
  const chain = new Chain()
  const at = (expiresAt: number) => chain.check(chain.propose({ change: quota(7), expiresAt }))
  assert.deepEqual(at(START), { code: 'change_expired', expiresAt: START, time: START })
  assert.equal(at(START + 1), undefined)
  const latest = START + 30 * DAY
  assert.equal(at(latest), undefined)
  const late = { code: 'change_expires_too_late', expiresAt: latest + 1, latest }
  assert.deepEqual(at(latest + 1), late)
})

test('an organisation has eight changes open at most', () => {
  const chain = new Chain()
  const own = (n: number, by = 'st-mary') => chain.propose({ by, change: quota(n) })
  for (let n = 1; n <= 8; n += 1) chain.block(own(n))
  assert.deepEqual(chain.check(own(9)), {
    code: 'too_many_own_changes',
    organisation: 'st-mary',
    limit: 8,
    open: 8,
  })
  assert.equal(chain.check(own(9, 'county')), undefined)
  const [first] = chain.open()
  assert.ok(first !== undefined)
  chain.block(chain.withdraw('st-mary', first.id))
  assert.equal(chain.check(own(9)), undefined)
})

test('observers have a part of the room, and cannot take that of the authorities', () => {
  const chain = new Chain()
  for (const id of ['clinic-a', 'clinic-b']) {
    chain.pass(admission(chain.at.digest, id), AUTHORITIES.slice(0, 3))
  }
  for (const by of ['clinic-a', 'clinic-b']) {
    const proposals = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => chain.propose({ by, change: quota(n) }))
    chain.block(...proposals)
  }
  const refused = { code: 'too_many_changes', limit: 16, open: 16 }
  assert.deepEqual(chain.check(chain.propose({ by: 'laboratory', change: quota(9) })), refused)
  for (const by of AUTHORITIES) {
    assert.equal(chain.check(chain.propose({ by, change: quota(9) })), undefined)
  }
})

test('among many authorities the room is shared out, and it ends', () => {
  const ids = Array.from({ length: 64 }, (_, index) => `clinic-${index}`)
  const chain = new Chain(worldOf(ids))
  for (const by of ids) chain.block(chain.propose({ by, change: quota(7) }))
  assert.equal(chain.open().length, 64)
  const [first = '', second = ''] = ids
  const own = chain.check(chain.propose({ by: first, change: quota(8) }))
  assert.deepEqual(own, { code: 'too_many_own_changes', organisation: first, limit: 1, open: 1 })
  const [, taken] = chain.open()
  assert.ok(taken !== undefined)
  chain.block(chain.withdraw(second, taken.id))
  chain.block(chain.propose({ by: second, change: quota(8) }))
  assert.equal(chain.open().length, 64)
})

test('an approval needs an authority, an open change, and is given once', () => {
  const chain = new Chain()
  const id = opened(chain, quota(7))
  const about = { organisation: 'st-mary', change: id }
  assert.deepEqual(chain.check(chain.approve('laboratory', id)), {
    code: 'not_an_authority',
    organisation: 'laboratory',
  })
  assert.deepEqual(chain.check(chain.approve('st-mary', id)), {
    code: 'already_approved',
    ...about,
  })
  const unknown = { code: 'unknown_change', change: NOWHERE }
  assert.deepEqual(chain.check(chain.approve('st-mary', NOWHERE)), unknown)
  chain.block(chain.approve('riverside', id), chain.approve('county', id))
  const passed = { code: 'change_passed', change: id, height: 2 }
  assert.deepEqual(chain.check(chain.approve('lakeview', id)), passed)
  assert.deepEqual(chain.check(chain.withdraw('st-mary', id)), passed)
})

test('a change takes no more part in anything from its expiry on', () => {
  const chain = new Chain()
  const proposal = chain.propose({ change: quota(7), expiresAt: START + MINUTE })
  chain.block(proposal)
  const { id } = proposal
  chain.wait(START + MINUTE - 1 - chain.time)
  assert.equal(chain.check(chain.approve('county', id)), undefined)
  chain.wait(1)
  const expired = { code: 'change_expired', expiresAt: START + MINUTE, time: START + MINUTE }
  assert.deepEqual(chain.check(chain.approve('county', id)), expired)
  assert.deepEqual(chain.check(chain.withdraw('st-mary', id)), expired)
})

test('only who has part in a change withdraws from it', () => {
  const chain = new Chain()
  const id = opened(chain, quota(7), 'laboratory')
  const nothing = { code: 'nothing_to_withdraw', organisation: 'county', change: id }
  assert.deepEqual(chain.check(chain.withdraw('county', id)), nothing)
  chain.block(chain.approve('county', id))
  assert.equal(chain.check(chain.withdraw('county', id)), undefined)
  chain.block(chain.withdraw('county', id))
  assert.deepEqual(chain.check(chain.withdraw('county', id)), nothing)
  assert.deepEqual(chain.check(chain.withdraw('county', NOWHERE)), {
    code: 'unknown_change',
    change: NOWHERE,
  })
})

test('readiness is asked for where others vote or the protocol changes, of those who will vote', () => {
  const chain = chainOfFive()
  const limits = opened(chain, quota(7))
  const needless = { code: 'no_readiness_needed', change: limits }
  assert.deepEqual(chain.check(chain.ready('county', limits)), needless)

  const removal = opened(chain, remove('lakeview'))
  const outside = { code: 'not_in_next_set', organisation: 'lakeview', change: removal }
  assert.deepEqual(chain.check(chain.ready('lakeview', removal)), outside)
  const observer = { code: 'not_in_next_set', organisation: 'laboratory', change: removal }
  assert.deepEqual(chain.check(chain.ready('laboratory', removal)), observer)

  const upgrade = opened(chain, protocol(2, 100))
  chain.block(chain.ready('county', upgrade))
  const again = { code: 'already_ready', organisation: 'county', change: upgrade }
  assert.deepEqual(chain.check(chain.ready('county', upgrade)), again)
})

test('readiness is said with the consensus key of the next set, by nobody else', () => {
  const chain = new Chain()
  const key = newKey(chain.at.digest, { organisation: 'county', duty: 'consensus' })
  const rotation: Change = { kind: 'rekey', body: { organisation: 'county', keys: [key] } }
  const id = opened(chain, rotation, 'county')
  for (const other of [keyOf('county', 'consensus'), keyOf('county', 'governance')]) {
    assert.deepEqual(chain.check(chain.ready('county', id, other)), {
      code: 'wrong_signer',
      organisation: 'county',
      duty: 'consensus',
      expected: key.key,
      got: other.publicKey,
    })
  }
  assert.equal(chain.check(chain.ready('county', id, keyOf('county', 'consensus 2'))), undefined)
  assert.equal(chain.check(chain.ready('riverside', id)), undefined)
  const forged = chain.ready('riverside', id, keyOf('lakeview', 'consensus'))
  assert.equal(chain.check(forged)?.code, 'wrong_signer')
})

test('nobody is ready for a change that cannot be made any more', () => {
  const chain = new Chain()
  chain.pass(admission(chain.at.digest, 'seaside'), AUTHORITIES.slice(0, 3))
  const promotion = opened(chain, role('seaside', 'authority'))
  chain.pass(remove('seaside'), AUTHORITIES.slice(0, 3))
  assert.deepEqual(chain.check(chain.ready('county', promotion)), {
    code: 'invalid_change',
    problem: { code: 'unknown_organisation', organisation: 'seaside' },
  })
})

test('at the door of a mempool an approval may come before its change, readiness may not', () => {
  const chain = new Chain()
  const early = [chain.approve('county', NOWHERE), chain.withdraw('county', NOWHERE)]
  for (const each of early) assert.equal(chain.check(each, true), undefined)
  const forged = chain.approve('county', NOWHERE, keyOf('county', 'anchor'))
  assert.equal(chain.check(forged, true)?.code, 'wrong_signer')
  assert.equal(chain.check(chain.approve('laboratory', NOWHERE), true)?.code, 'not_an_authority')
  assert.equal(chain.check(chain.ready('county', NOWHERE), true)?.code, 'unknown_change')
})

test('each way in which a change cannot be made has its code', () => {
  const five = chainOfFive()
  const four = new Chain()
  const { digest } = four.at
  const seaside = organisation('seaside')
  const withKeys = (keys: Partial<Organisation['keys']>) =>
    admission(digest, 'clinic', stranger({ keys: { ...stranger({}).keys, ...keys } }))
  const county = organisation('county').keys
  const fresh = newKey(digest, { organisation: 'county', duty: 'anchor' })
  const elsewhere = world({}, 'elsewhere').digest
  const sealKey = { duty: 'seal', key: new Uint8Array(32), signature: null } as const
  const shared = keyOf('county', 'shared')
  const signedBy = (key: string, network = digest): Change => ({
    kind: 'admit',
    body: signAdmission(network, stranger({}), keyOf('clinic', key)),
  })
  const cases: [Chain, Change, ChangeProblem][] = [
    [four, admission(digest, 'county', stranger({ id: 'county' })), idTaken('county')],
    [
      four,
      admission(digest, 'clinic', stranger({ roles: ['authority'] })),
      { code: 'not_an_observer', organisation: 'clinic' },
    ],
    [
      four,
      admission(digest, 'clinic', stranger({ roles: ['observer', 'authority'] })),
      { code: 'not_an_observer', organisation: 'clinic' },
    ],
    [four, withKeys({ anchor: county.anchor }), keyTaken('anchor', county.anchor)],
    [four, withKeys({ issuer: county.consensus }), keyTaken('issuer', county.consensus)],
    [four, withKeys({ seal: county.seal }), keyTaken('seal', county.seal)],
    [
      four,
      withKeys({ consensus: new Uint8Array(32) }),
      { code: 'bad_key', duty: 'consensus', detail: 'a point of small order' },
    ],
    [
      four,
      withKeys({ anchor: stranger({}).keys.transport }),
      { code: 'bad_key', duty: 'anchor', detail: 'the same key as keys.transport' },
    ],
    [four, signedBy('consensus'), { code: 'bad_admission_signature', organisation: 'clinic' }],
    [
      four,
      signedBy('governance', elsewhere),
      { code: 'bad_admission_signature', organisation: 'clinic' },
    ],
    [four, role('nowhere', 'authority'), unknownMember('nowhere')],
    [
      four,
      role('county', 'authority'),
      { code: 'has_role', organisation: 'county', role: 'authority' },
    ],
    [
      four,
      role('laboratory', 'observer'),
      { code: 'has_role', organisation: 'laboratory', role: 'observer' },
    ],
    [four, role('county', 'observer'), { code: 'too_few_authorities', left: 3, least: 4 }],
    [four, remove('county'), { code: 'too_few_authorities', left: 3, least: 4 }],
    [four, remove('nowhere'), unknownMember('nowhere')],
    [four, rekey('nowhere', fresh), unknownMember('nowhere')],
    [
      four,
      rekey('county', newKey(digest, { organisation: 'riverside', duty: 'anchor' })),
      { code: 'bad_key_signature', duty: 'anchor' },
    ],
    [
      four,
      rekey('county', { ...fresh, duty: 'transport' }),
      { code: 'bad_key_signature', duty: 'transport' },
    ],
    [
      four,
      rekey('county', newKey(elsewhere, { organisation: 'county', duty: 'anchor' })),
      { code: 'bad_key_signature', duty: 'anchor' },
    ],
    [
      four,
      rekey('county', { ...fresh, signature: new Uint8Array(64) }),
      { code: 'bad_key_signature', duty: 'anchor' },
    ],
    [
      four,
      rekey('county', sealKey),
      { code: 'bad_key', duty: 'seal', detail: 'a point of small order' },
    ],
    [
      four,
      rekey(
        'county',
        signNewKey(digest, { organisation: 'county', duty: 'anchor' }, keyOf('county', 'anchor')),
      ),
      keyTaken('anchor', county.anchor),
    ],
    [
      four,
      rekey(
        'county',
        signNewKey(digest, { organisation: 'county', duty: 'anchor' }, shared),
        signNewKey(digest, { organisation: 'county', duty: 'transport' }, shared),
      ),
      keyTaken('transport', shared.publicKey),
    ],
    [four, parameters({}), { code: 'no_change' }],
    [
      four,
      parameters({ transactionBytesMax: 1024 * 1024, blockBytesMax: 8_192 }),
      {
        code: 'contradictory_parameters',
        path: 'transactionBytesMax',
        detail: 'a transaction of 1048576 bytes never fits a block of 8192',
      },
    ],
    [four, protocol(0, 9), { code: 'old_protocol', version: 0, current: 1 }],
    [four, protocol(1, 9), { code: 'no_change' }],
    [four, protocol(2, 1), { code: 'height_passed', height: 1, earliest: 2 }],
    [
      five,
      admission(five.at.digest, 'seaside', { ...seaside, roles: ['observer'] }),
      idTaken('seaside'),
    ],
  ]
  for (const [index, [chain, change, problem]] of cases.entries()) {
    const refused: InvalidTransaction = { code: 'invalid_change', problem }
    assert.deepEqual(chain.check(chain.propose({ change })), refused, `case ${index}`)
    const preview = previewChange(chain.state, change, chain.place)
    assert.deepEqual(preview, problem, `case ${index}`)
  }
})

test('a network has a thousand members and 256 authorities at most', () => {
  const chain = new Chain()
  const many = Array.from({ length: 1_000 }, (_, index) => `clinic-${index}`)
  const preview = (key: Uint8Array, value: Uint8Array, change: Change) => {
    const state = chain.state.after(new Map([[toHex(key), { key, value }]]))
    return previewChange(state, change, chain.place)
  }
  const newcomer = admission(chain.at.digest, 'clinic')
  const members = (count: number) => encode(organisationsSchema, { ids: many.slice(0, count) })
  const full = preview(organisationsKey, members(1_000), newcomer)
  assert.deepEqual(full, { code: 'too_many_organisations', limit: 1_000 })
  assert.ok('authorities' in preview(organisationsKey, members(999), newcomer))

  const promote: Change = { kind: 'role', body: { organisation: 'laboratory', role: 'authority' } }
  const voting = (count: number) =>
    encodeAuthoritySet({
      organisations: many.slice(0, count),
      keys: many.slice(0, count).map((id) => seedOf(id)),
    })
  const crowd = preview(authoritySetKey, voting(256), promote)
  assert.deepEqual(crowd, { code: 'too_many_authorities', limit: 256 })
  assert.ok('authorities' in preview(authoritySetKey, voting(255), promote))
})

test('an organisation that was removed is gone, and its id and keys are spent', () => {
  const chain = chainOfFive()
  const proposal = chain.propose({ change: remove('seaside') })
  const { id } = proposal
  chain.block(proposal, ...AUTHORITIES.slice(1).map((each) => chain.approve(each, id)))
  chain.block(...AUTHORITIES.slice(0, 3).map((each) => chain.ready(each, id)))
  const { keys } = organisation('seaside')
  const again = admission(chain.at.digest, 'seaside', {
    ...organisation('seaside'),
    roles: ['observer'],
  })
  assert.deepEqual(previewChange(chain.state, again, chain.place), idTaken('seaside'))
  const clinic = organisation('clinic', 'observer')
  const borrowed = { ...clinic, keys: { ...clinic.keys, seal: keys.seal } }
  const other = admission(chain.at.digest, 'clinic', borrowed)
  assert.deepEqual(previewChange(chain.state, other, chain.place), keyTaken('seal', keys.seal))
  const unknownNow = { code: 'unknown_organisation', organisation: 'seaside' }
  assert.deepEqual(chain.check(decodedAnchor(chain.at, { organisation: 'seaside' })), unknownNow)
  assert.deepEqual(chain.check(chain.propose({ by: 'seaside', change: quota(7) })), unknownNow)
})

test('traffic of data does not use up what governance may have, nor the other way round', () => {
  const chain = new Chain(world({ quotaPerMinute: 1 }))
  chain.block(decodedAnchor(chain.at), chain.propose({ change: quota(7) }))
  assert.equal(chain.check(decodedAnchor(chain.at, { sequence: 2 }))?.code, 'quota_exceeded')
  const id = chain.open()[0]?.id ?? NOWHERE
  for (let n = 1; n < 60; n += 2) {
    chain.block(chain.approve('county', id))
    chain.block(chain.withdraw('county', id))
  }
  assert.deepEqual(chain.check(chain.approve('county', id)), {
    code: 'quota_exceeded',
    organisation: 'county',
    limit: 60,
    resetsAt: START + MINUTE,
  })
  assert.equal(chain.check(decodedAnchor(chain.at, { organisation: 'county' })), undefined)
  assert.equal(chain.check(chain.approve('riverside', id)), undefined)
  chain.wait(START + MINUTE - chain.time)
  assert.equal(chain.check(chain.approve('county', id)), undefined)
})

test('a change that the codec refuses is no transaction', () => {
  const chain = new Chain()
  const refuses = (change: Change, reason = 'reason'): void => {
    assert.throws(() => chain.propose({ change, reason }), { name: 'CodecError' })
  }
  refuses(evidence(9, 1))
  refuses(evidence(1, 4_097))
  chain.propose({ change: evidence(8, 4_096) })
  const fresh = newKey(chain.at.digest, { organisation: 'county', duty: 'anchor' })
  refuses(rekey('county'))
  refuses(rekey('county', fresh, fresh))
  refuses(rekey('county', { ...fresh, signature: null }))
  refuses(rekey('county', { ...fresh, duty: 'seal' }))
  refuses(quota(0))
  for (const reason of ['', '  ', 'a\nb', 'a\u202eb', 'x'.repeat(257)]) refuses(quota(7), reason)
  chain.propose({ change: quota(7), reason: 'x'.repeat(256) })
  const clinic = organisation('clinic', 'observer')
  refuses({ kind: 'admit', body: { organisation: clinic, signature: new Uint8Array(63) } })
})

function stranger(change: Partial<Organisation>): Organisation {
  return { ...organisation('clinic', 'observer'), ...change }
}

function evidence(count: number, size: number): Change {
  const pieces = Array.from({ length: count }, () => new Uint8Array(size))
  return remove('county', pieces)
}

function idTaken(id: string): ChangeProblem {
  return { code: 'id_taken', organisation: id }
}

function unknownMember(id: string): ChangeProblem {
  return { code: 'unknown_organisation', organisation: id }
}

function keyTaken(duty: Duty, key: Uint8Array): ChangeProblem {
  return { code: 'key_taken', duty, key }
}

test.run()
