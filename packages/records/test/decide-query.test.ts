import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import {
  type AccessInput,
  type AccessRequest,
  decideQuery,
  type HandleStanding,
  signAsPractitioner,
} from '../src/index.ts'
import {
  askedSet,
  bytesOf,
  CUSTODIAN,
  DAY,
  forgedGrant,
  grantOf,
  HANDLE,
  HOUR,
  inputOf,
  NOW,
  READER,
  requestOf,
  standingsOf,
  anchorKeyOf,
} from './access-world.ts'

function decide(
  changes: Partial<AccessRequest> = {},
  known: Partial<AccessInput> = {},
): string | undefined {
  const request = requestOf({ sets: [], audience: [CUSTODIAN], ...changes })
  const decision = decideQuery(inputOf(request, { self: CUSTODIAN, ...known }))
  return decision.permit ? undefined : decision.code
}

function grant(changes: Parameters<typeof grantOf>[0]): Pick<AccessRequest, 'grant'> {
  return { grant: grantOf(changes) }
}

test('a custodian tells the recipient of a grant what the grant opens', () => {
  assert.equal(decide(), undefined)
})

test('nobody learns what there is without a grant of this custodian, for himself, in time', () => {
  assert.equal(decide({ grant: null }), 'grant_missing')
  assert.equal(decide({ grant: null, reader: CUSTODIAN }), 'grant_missing')
  assert.equal(decide(grant({ recipient: 'riverside' })), 'not_the_recipient')
  assert.equal(decide(grant({ custodian: READER })), 'grant_of_another_custodian')
  assert.equal(decide(grant({ expiresAt: NOW })), 'grant_expired')
  assert.equal(
    decide(grant({ notBefore: NOW + HOUR, expiresAt: NOW + DAY })),
    'grant_not_valid_yet',
  )
  assert.equal(decide({ purpose: 'HMARKT' }), 'purpose_not_covered')
})

test('a grant that the chain does not have, or has no more, tells nothing', () => {
  const at = (standing: Partial<HandleStanding> | null) =>
    decide({}, { standings: standingsOf({ [toHex(HANDLE)]: standing }) })
  assert.equal(at(null), 'grant_unknown')
  assert.equal(at({ kind: 'delegation' }), 'grant_unknown')
  assert.equal(at({ revokedAt: 7 }), 'grant_revoked')
  assert.equal(at({ expiresAt: NOW }), 'grant_expired')
  assert.equal(
    decide({}, { standings: { ...standingsOf(), isReplaced: () => true } }),
    'key_replaced',
  )
})

test('a grant for one practitioner is asked about by that one', () => {
  const doctor = anchorKeyOf('a doctor')
  const only = grant({ practitioner: doctor.publicKey })
  assert.equal(decide(only), 'practitioner_missing')
  const question = requestOf({ sets: [], audience: [CUSTODIAN], ...only })
  assert.equal(decide(signAsPractitioner(doctor, question)), undefined)
  assert.equal(
    decide(signAsPractitioner(anchorKeyOf('another doctor'), question)),
    'practitioner_missing',
  )
  const signed = signAsPractitioner(doctor, question)
  assert.equal(decide({ ...signed, purpose: 'CLINTRL' }), 'practitioner_forged')
})

test('who asks, when and where counts as for a read', () => {
  assert.equal(decide({}, { sender: 'riverside' }), 'sender_differs')
  assert.equal(decide({ audience: ['riverside'] }), 'not_addressed')
  assert.equal(decide({ expiresAt: NOW - HOUR }), 'request_expired')
  assert.equal(decide({}, { entry: bytesOf('another entry') }), 'entry_differs')
  assert.equal(decide({ custodian: 'riverside' }), 'wrong_custodian')
  assert.equal(decide({ sets: [askedSet('a')] }), 'no_such_set')
  assert.equal(decide({ block: { height: 1, digest: bytesOf('block 1') } }), 'block_too_old')
})

test('a grant or a request that is not what was signed is refused', () => {
  assert.equal(decide({ grant: forgedGrant() }), 'grant_forged')
  assert.equal(decide({ grant: { ...grantOf(), jws: 'a.b.c' } }), 'grant_malformed')
  const { signed } = inputOf(requestOf({ sets: [], audience: [CUSTODIAN] }))
  const altered = { ...signed, request: { ...signed.request, id: bytesOf('other', 16) } }
  assert.equal(decide({}, { signed: altered }), 'request_forged')
})

test.run()
