import assert from 'node:assert/strict'
import { toHex } from '@mooring/codec'
import { domainHash, sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { signDelegation } from '../src/delegation.ts'
import { RecordsError } from '../src/errors.ts'
import { consentOf, type GrantTerms, signGrant, verifyGrant } from '../src/grant.ts'
import { formatOffer, OFFER_CHARACTERS_MAX, parseOffer } from '../src/grant-offer.ts'
import { OFFER_DICTIONARY } from '../src/grant-offer-dictionary.ts'
import { DAY_MS, deny, keyOf, patient, specialist, START, termsOf } from './consent-world.ts'

// Bytes as keys have them, which no dictionary helps with.
const noise = (label: string, length = 32): Uint8Array =>
  domainHash('noise', new TextEncoder().encode(label)).slice(0, length)

function grantOf(terms: Partial<GrantTerms> = {}) {
  const random = { id: noise('id', 16), handle: noise('handle'), logKey: noise('log') }
  return signGrant(patient, consentOf(termsOf({ ...random, ...terms })))
}

function problemOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof RecordsError, String(error))
    return error.code
  }
  return 'read'
}

const phone = keyOf(22)
const byPhone = signGrant(phone, consentOf(termsOf({ signerKey: phone.publicKey })), [
  signDelegation(patient, {
    id: noise('delegation', 16),
    kind: 'device',
    custodian: 'st-agnes',
    from: patient.publicKey,
    to: phone.publicKey,
    role: null,
    notBefore: START,
    expiresAt: START + DAY_MS,
    handle: noise('delegation handle'),
  }),
])

test('an offer is the whole grant', () => {
  const narrow = grantOf({
    practitioner: specialist.publicKey,
    content: { types: ['AllergyIntolerance'], records: [noise('record')] },
    provisions: [deny({ types: ['Claim'] })],
  })
  for (const signed of [grantOf(), narrow, byPhone]) {
    const grant = parseOffer(formatOffer(signed))
    assert.deepEqual(grant.signed, signed)
    assert.ok(verifyGrant(grant))
  }
})

test('an offer of one type fits a code that fits a terminal', () => {
  const allergies = formatOffer(grantOf({ content: { types: ['AllergyIntolerance'] } }))
  // 425 bytes are a code of version 13 at the lowest correction: 69 modules, 73 columns with its border.
  assert.ok(allergies.length <= 425, `${allergies.length} characters`)
  assert.ok(formatOffer(byPhone).length <= 1_000)
})

test('an offer may be folded, and is refused when it is cut or longer than any', () => {
  const offer = formatOffer(grantOf())
  const folded = offer.replaceAll(/.{40}/g, '$&\n  ')
  assert.deepEqual(parseOffer(folded).signed, grantOf())
  assert.equal(
    problemOf(() => parseOffer(offer.slice(0, -9))),
    'bad_encoding',
  )
  assert.equal(
    problemOf(() => parseOffer(`${offer}!`)),
    'bad_encoding',
  )
  assert.equal(
    problemOf(() => parseOffer(offer.slice(1))),
    'bad_encoding',
  )
  assert.equal(
    problemOf(() => parseOffer(offer.replace(':1:', ':2:'))),
    'bad_encoding',
  )
  assert.equal(
    problemOf(() => parseOffer(offer + 'A'.repeat(OFFER_CHARACTERS_MAX))),
    'too_large',
  )
})

test('an edited offer fails in no other way, and no edit of what is signed holds', () => {
  const signed = grantOf()
  const offer = formatOffer(signed)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const edit = fc.tuple(fc.nat(offer.length - 1), fc.constantFrom(...letters.split('')))
  fc.assert(
    fc.property(edit, ([place, letter]) => {
      const edited = offer.slice(0, place) + letter + offer.slice(place + 1)
      if (problemOf(() => parseOffer(edited)) !== 'read') return
      const grant = parseOffer(edited)
      assert.ok(grant.signed.jws === signed.jws || !verifyGrant(grant))
    }),
    { numRuns: 2_000 },
  )
})

test('the dictionary stays as it is', () => {
  assert.equal(
    toHex(sha256(OFFER_DICTIONARY)),
    'ed7147ed8fa30e477c0f46733b93235a34d7f58a39dec06f06cae70a35f433c3',
  )
})

test.run()
