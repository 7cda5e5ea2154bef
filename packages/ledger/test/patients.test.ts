// Grants, keys of patients and tombstones: what each does to the state, and each reason to refuse one.

import assert from 'node:assert/strict'
import { CodecError, equalBytes, toHex } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  checkSignatures,
  currentKeyOf,
  type DecodedTransaction,
  decodeTransaction,
  formatPayloadJson,
  grantHandleOf,
  HANDLE_LIVES_MAX_MS,
  handleOfKey,
  isLiveHandle,
  type InvalidTransaction,
  parsePayloadJson,
  patientKeyDigest,
  purseOf,
  REPLACEMENTS_MAX,
  signGrantRevoke,
  successorOf,
  tombstoneItem,
  tombstoneOf,
  wholeDayAfter,
} from '../src/index.ts'
import { anchor, keyOf, MINUTE, seedOf, START, world } from './fixture.ts'
import { Chain, DAY } from './governance-world.ts'
import {
  DAY_AFTER,
  handleNamed,
  grantKeyOf,
  open,
  replace,
  revoke,
  signed,
  tombstone,
} from './patients-world.ts'

function codeOf(chain: Chain, transaction: DecodedTransaction): string | undefined {
  const refused: InvalidTransaction | undefined =
    chain.check(transaction) ?? checkSignatures(transaction, chain.at.digest)
  const { rejected } = chain.tryBlock([transaction])
  assert.equal(rejected[0]?.reason.code, refused?.code, 'a block says what the check says')
  return refused?.code
}

/** A chain with one anchored batch of st-mary, and its root. */
function anchored(): { chain: Chain; root: Uint8Array } {
  const chain = new Chain()
  const transaction = decodeTransaction(anchor(chain.at), chain.at.digest)
  chain.block(transaction)
  assert.ok(transaction.payload.kind === 'record.anchor')
  return { chain, root: transaction.payload.body.batchRoot }
}

test('a handle is opened by its key and revoked by its key, whoever relays', () => {
  const chain = new Chain()
  const handle = handleNamed('allergies')
  assert.equal(grantHandleOf(chain.state, handle), undefined)
  chain.block(open(chain, 'allergies', { by: 'laboratory', kind: 'standing' }))
  const opened = grantHandleOf(chain.state, handle)
  assert.deepEqual(opened, {
    kind: 'standing',
    expiresAt: DAY_AFTER,
    openedAt: chain.at.parent.height,
    revokedAt: null,
  })
  assert.ok(isLiveHandle(opened, DAY_AFTER - 1))
  assert.ok(!isLiveHandle(opened, DAY_AFTER))
  chain.block(revoke(chain, 'allergies', { by: 'county' }))
  const revoked = grantHandleOf(chain.state, handle)
  assert.deepEqual(revoked, { ...opened, revokedAt: chain.at.parent.height })
  assert.ok(revoked !== undefined && !isLiveHandle(revoked, START))
})

test('what is done for patients is paid from the purse of data', () => {
  const chain = new Chain()
  for (const each of [open(chain, 'a'), revoke(chain, 'a'), replace(chain, 'a', 'b')])
    assert.equal(purseOf(each), 'data')
  const poor = new Chain(world({ quotaPerMinute: 2 }))
  poor.block(open(poor, 'a'), open(poor, 'b'))
  assert.equal(codeOf(poor, open(poor, 'c')), 'quota_exceeded')
  assert.equal(codeOf(poor, open(poor, 'c', { by: 'county' })), undefined)
})

test('each reason to refuse the opening of a handle has its code', () => {
  const chain = new Chain()
  chain.block(open(chain, 'seen'))
  const latest = wholeDayAfter(chain.time + HANDLE_LIVES_MAX_MS) - DAY
  const other = grantKeyOf('other').publicKey
  const cases: [DecodedTransaction, string | undefined][] = [
    [open(chain, 'seen'), 'handle_seen'],
    [open(chain, 'seen', { by: 'county', expiresAt: DAY_AFTER + DAY }), 'handle_seen'],
    [open(chain, 'past', { expiresAt: DAY_AFTER - DAY }), 'handle_expired'],
    [open(chain, 'long', { expiresAt: latest + DAY }), 'handle_expires_too_late'],
    [open(chain, 'long', { expiresAt: latest }), undefined],
    [open(chain, 'forged', { changes: { expiresAt: DAY_AFTER + DAY } }), 'bad_signature'],
    [open(chain, 'forged', { changes: { kind: 'research' } }), 'bad_signature'],
    [open(chain, 'forged', { changes: { publicKey: other } }), 'bad_signature'],
    [open(chain, 'key', { key: keyOf('st-mary', 'governance') }), 'wrong_signer'],
    [open(chain, 'key', { key: keyOf('county', 'anchor') }), 'wrong_signer'],
    [signedBy('seaside', chain), 'unknown_organisation'],
  ]
  for (const [transaction, code] of cases) assert.equal(codeOf(chain, transaction), code, code)
})

function signedBy(organisation: string, chain: Chain): DecodedTransaction {
  return open(chain, 'nobody', { by: organisation, key: keyOf(organisation, 'anchor') })
}

test('a handle ends with a whole day', () => {
  const chain = new Chain()
  for (const expiresAt of [DAY_AFTER + 1, DAY_AFTER - 1, DAY_AFTER + MINUTE]) {
    assert.throws(
      () => open(chain, 'a', { expiresAt }),
      (error) => error instanceof CodecError && error.code === 'out_of_range',
    )
  }
  assert.equal(wholeDayAfter(DAY_AFTER), DAY_AFTER)
  assert.equal(wholeDayAfter(DAY_AFTER - 1), DAY_AFTER)
  assert.equal(wholeDayAfter(DAY_AFTER + 1), DAY_AFTER + DAY)
})

test('each reason to refuse a revocation has its code', () => {
  const chain = new Chain()
  chain.block(open(chain, 'open'), open(chain, 'revoked'))
  chain.block(revoke(chain, 'revoked'))
  const cases: [DecodedTransaction, string | undefined][] = [
    [revoke(chain, 'unknown'), 'unknown_handle'],
    [revoke(chain, 'revoked', { by: 'county' }), 'handle_revoked'],
    [revoke(chain, 'open', { signer: 'revoked' }), 'bad_signature'],
    [revoke(chain, 'open', { key: keyOf('st-mary', 'consensus') }), 'wrong_signer'],
  ]
  for (const [transaction, code] of cases) assert.equal(codeOf(chain, transaction), code, code)
  assert.equal(chain.check(revoke(chain, 'unknown'), true), undefined)
  chain.wait(2 * DAY)
  assert.equal(codeOf(chain, revoke(chain, 'open')), 'handle_expired')
})

test('a revocation of another network, or one signed as an opening, is none', () => {
  const chain = new Chain()
  chain.block(open(chain, 'open'))
  const { publicKey } = grantKeyOf('open')
  const elsewhere = signGrantRevoke(seedOf('another network'), grantKeyOf('open'))
  const { payload } = open(chain, 'open')
  assert.ok(payload.kind === 'grant.open')
  for (const signature of [elsewhere, payload.body.signature]) {
    const body = { organisation: 'county', publicKey, signature }
    assert.equal(codeOf(chain, signed(chain, { kind: 'grant.revoke', body })), 'bad_signature')
  }
})

test('of two that come in one block the first holds', () => {
  const chain = new Chain()
  const twice = [open(chain, 'a'), open(chain, 'a', { by: 'county' })]
  const { rejected } = chain.tryBlock([
    ...twice,
    revoke(chain, 'a'),
    revoke(chain, 'a', { by: 'county' }),
  ])
  assert.deepEqual(
    rejected.map(({ reason }) => reason.code),
    ['handle_seen', 'handle_revoked'],
  )
})

test('a key is replaced by its custodian, once, and never by itself', () => {
  const chain = new Chain()
  chain.block(replace(chain, 'hosted', 'own'))
  assert.deepEqual(successorOf(chain.state, 'st-mary', seedOf('hosted')), {
    successor: seedOf('own'),
    height: chain.at.parent.height,
  })
  assert.equal(successorOf(chain.state, 'county', seedOf('hosted')), undefined)
  const cases: [DecodedTransaction, string | undefined][] = [
    [replace(chain, 'hosted', 'another'), 'key_replaced_already'],
    [replace(chain, 'own', 'hosted'), 'key_cycle'],
    [replace(chain, 'own', 'own'), 'key_cycle'],
    [replace(chain, 'own', 'next', { key: keyOf('county', 'anchor') }), 'wrong_signer'],
    [replace(chain, 'hosted', 'another', { by: 'county' }), undefined],
    [replace(chain, 'own', 'recovered'), undefined],
  ]
  for (const [transaction, code] of cases) assert.equal(codeOf(chain, transaction), code, code)
  const last = currentKeyOf(chain.state, 'st-mary', seedOf('hosted'))
  assert.deepEqual(last, seedOf('recovered'))
  assert.deepEqual(currentKeyOf(chain.state, 'st-mary', seedOf('recovered')), seedOf('recovered'))
})

test('a custodian and a key make one digest, whatever either looks like', () => {
  const key = seedOf('key')
  const digests = ['st-mary', 'st-mary2', 'county'].map((id) => toHex(patientKeyDigest(id, key)))
  assert.equal(new Set(digests).size, 3)
  assert.ok(!digests.includes(toHex(patientKeyDigest('st-mary', seedOf('another')))))
})

test('keys never go round, however they are replaced, and are followed so far', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const pair = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names))
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 12 }), (pairs) => {
      const chain = new Chain()
      for (const [from, to] of pairs) chain.tryBlock([replace(chain, from, to)])
      for (const name of names) {
        const last = currentKeyOf(chain.state, 'st-mary', seedOf(name))
        assert.equal(successorOf(chain.state, 'st-mary', last), undefined)
      }
    }),
    { numRuns: 30 },
  )
  const chain = new Chain()
  const count = REPLACEMENTS_MAX + 2
  for (let n = 0; n < count; n += 1) chain.block(replace(chain, `k${n}`, `k${n + 1}`))
  const followed = currentKeyOf(chain.state, 'st-mary', seedOf('k0'))
  assert.deepEqual(followed, seedOf(`k${REPLACEMENTS_MAX}`))
})

test('each reason to refuse a tombstone has its code', () => {
  const { chain, root } = anchored()
  chain.block(tombstone(chain, 'item', { root }))
  assert.deepEqual(tombstoneOf(chain.state, 'st-mary', seedOf('item')), {
    batchRoot: root,
    reason: 'patient_request',
    height: chain.at.parent.height,
  })
  const nowhere = seedOf('nowhere')
  const cases: [DecodedTransaction, string | undefined][] = [
    [tombstone(chain, 'item', { root }), 'item_erased'],
    [tombstone(chain, 'next', { root: nowhere }), 'root_not_anchored'],
    [tombstone(chain, 'next', { root, by: 'county' }), 'root_not_anchored'],
    [tombstone(chain, 'next', { root, key: keyOf('county', 'anchor') }), 'wrong_signer'],
    [tombstone(chain, 'next', { root }), undefined],
  ]
  for (const [transaction, code] of cases) assert.equal(codeOf(chain, transaction), code, code)
  const early = tombstone(chain, 'early', { root: nowhere })
  assert.equal(chain.check(early, true), undefined)
  assert.equal(tombstoneOf(chain.state, 'county', seedOf('item')), undefined)
})

test('a tombstone tells its item to nobody without the salt', () => {
  const items = ['salt', 'other salt'].map((salt) => tombstoneItem(seedOf('set'), seedOf(salt)))
  const [first = seedOf(''), second = seedOf('')] = items
  assert.ok(!equalBytes(first, second))
})

test('what is relayed for patients is JSON that reads back', () => {
  const { chain, root } = anchored()
  const all = [
    open(chain, 'a', { kind: 'delegation' }),
    revoke(chain, 'a'),
    replace(chain, 'a', 'b'),
    tombstone(chain, 'item', { root }),
  ]
  for (const { payload } of all)
    assert.deepEqual(parsePayloadJson(formatPayloadJson(payload)), payload)
})

const word = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('only the key of a handle opens and revokes it', () =>
  fc.assert(
    fc.property(word, word, (mine, other) => {
      fc.pre(!equalBytes(mine, other))
      const chain = new Chain()
      const pair = keyPairFromSeed(mine)
      const forged = signGrantRevoke(chain.at.digest, keyPairFromSeed(other))
      const honest = signGrantRevoke(chain.at.digest, pair)
      assert.ok(!equalBytes(handleOfKey(pair.publicKey), handleOfKey(other)))
      const body = { organisation: 'county', publicKey: pair.publicKey }
      const codes = [forged, honest].map((signature) => {
        const revocation = signed(chain, { kind: 'grant.revoke', body: { ...body, signature } })
        return checkSignatures(revocation, chain.at.digest)?.code
      })
      assert.deepEqual(codes, ['bad_signature', undefined])
    }),
    { numRuns: 20 },
  ))

test.run()
