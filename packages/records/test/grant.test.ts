import assert from 'node:assert/strict'
import { createPublicKey, verify as verifyNatively } from 'node:crypto'
import { decode, encode } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { type Consent, provisionOf } from '../src/consent.ts'
import { formatConsent } from '../src/consent-json.ts'
import { type HandleStanding, signDelegation } from '../src/delegation.ts'
import { RecordsError } from '../src/errors.ts'
import {
  checkGrant,
  consentOf,
  GRANT_JWS_BYTES_MAX,
  GRANT_LIFETIME_MS_MAX,
  type GrantQuestion,
  type GrantTerms,
  readGrant,
  signedGrantSchema,
  signGrant,
  verifyGrant,
} from '../src/grant.ts'
import { formatGrant, parseGrant } from '../src/grant-text.ts'
import { formatJws } from '../src/jws.ts'
import {
  DAY_MS,
  deny,
  keyOf,
  patient,
  permit,
  RECORD,
  specialist,
  START,
  termsOf,
} from './consent-world.ts'

const phone = keyOf(22)
const toPhone = signDelegation(patient, {
  id: new Uint8Array(16),
  kind: 'device',
  custodian: 'st-agnes',
  from: patient.publicKey,
  to: phone.publicKey,
  role: null,
  notBefore: START,
  expiresAt: START + 90 * DAY_MS,
  handle: new Uint8Array(32).fill(6),
})
const byPhone = signGrant(phone, consentOf(termsOf({ signerKey: phone.publicKey })), [toPhone])
const wide = signGrant(patient, consentOf(termsOf()))
const narrowConsent = consentOf(
  termsOf({
    practitioner: specialist.publicKey,
    purposes: ['TREAT', 'BTG'],
    content: { classes: ['general'], types: ['AllergyIntolerance'], records: [RECORD] },
    provisions: [deny({ types: ['Claim'] }), permit({ start: START, end: START + DAY_MS })],
  }),
)
const narrow = signGrant(patient, narrowConsent)

const LIVE: HandleStanding = { kind: 'share', expiresAt: START + 31 * DAY_MS, revokedAt: null }

function standing(terms: Partial<GrantTerms>, changed: Partial<GrantQuestion> = {}) {
  const grant = readGrant(signGrant(patient, consentOf(termsOf(terms))))
  return checkGrant(grant, {
    now: START + DAY_MS,
    handleOf: () => LIVE,
    isReplaced: () => false,
    ...changed,
  })
}

function problemOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof RecordsError, String(error))
    return `${error.code} ${error.path}`
  }
  return 'read'
}

test('a grant is read back as it was signed: from the wire, and from a file', () => {
  for (const signed of [wide, narrow, byPhone]) {
    assert.deepEqual(decode(signedGrantSchema, encode(signedGrantSchema, signed)), signed)
    assert.deepEqual(parseGrant(formatGrant(signed)), signed)
    assert.ok(verifyGrant(readGrant(signed)))
  }
  const grant = readGrant(narrow)
  assert.deepEqual(grant.consent, narrowConsent)
  assert.equal(grant.recipient, 'harbor-clinic')
  assert.deepEqual(grant.practitioner, specialist.publicKey)
  assert.deepEqual(grant.purposes, ['TREAT', 'BTG'])
  assert.deepEqual([grant.notBefore, grant.expiresAt], [START, START + 30 * DAY_MS])
})

const isNarrow = (terms: Partial<GrantTerms>) =>
  readGrant(signGrant(patient, consentOf(termsOf(terms)))).isNarrow

test('wide is a grant of whole classes and nothing more', () => {
  assert.ok(!isNarrow({}))
  assert.ok(!isNarrow({ practitioner: specialist.publicKey }))
  assert.ok(isNarrow({ content: {} }))
  const limits: GrantTerms['content'][] = [
    { types: ['Observation'] },
    { records: [RECORD] },
    { lastDay: '2026-01-01' },
    { authors: ['Practitioner/1'] },
    { encounters: ['Encounter/1'] },
    { confidentialities: ['N'] },
    { fields: ['/code'] },
  ]
  for (const content of limits)
    assert.ok(isNarrow({ content: { classes: ['general'], ...content } }))
  assert.ok(isNarrow({ provisions: [deny({ classes: ['emergency'] })] }))
})

const summary = (terms: Partial<GrantTerms>) => {
  const { classes, types, fields, purposes } = readGrant(
    signGrant(patient, consentOf(termsOf(terms))),
  )
  return { classes, types, fields, purposes }
}

test('what it permits in all is the union of its permits', () => {
  const two = [permit({ types: ['Observation'], purposes: ['HPAYMT'], fields: ['/status'] })]
  const first = { types: ['Condition'], fields: ['/code'] }
  assert.deepEqual(summary({ content: first, provisions: two }), {
    classes: [],
    types: ['Condition', 'Observation'],
    fields: ['/code', '/status'],
    purposes: ['TREAT', 'HPAYMT'],
  })
  const all = summary({ content: first, provisions: [permit({ classes: ['general'] })] })
  assert.deepEqual([all.types, all.fields], [[], []])
})

test('a consent that is no grant is not signed, and not read', () => {
  const { root, ...rest } = consentOf(termsOf())
  const [actor] = root.actors
  assert.ok(actor !== undefined)
  const elsewhere = { organisation: 'riverside', practitioner: null }
  const cases: [Partial<Consent>, string][] = [
    [{ root: { ...root, actors: [] } }, 'out_of_range provision.actor'],
    [{ root: { ...root, actors: [actor, elsewhere] } }, 'out_of_range provision.actor'],
    [{ root: { ...root, end: null } }, 'missing_member provision.period'],
    [{ root: { ...root, start: null } }, 'missing_member provision.period'],
    [{ root: { ...root, purposes: [] } }, 'missing_member provision.purpose'],
    [{ root: { ...root, type: 'deny' } }, 'out_of_range provision.type'],
    [
      { provisions: [provisionOf('permit', { actors: [elsewhere] })] },
      'out_of_range provision.provision[0].actor',
    ],
  ]
  for (const [changed, problem] of cases) {
    const consent = { ...rest, root, ...changed }
    assert.equal(
      problemOf(() => signGrant(patient, consent)),
      problem,
    )
    const jws = formatJws(patient, 'mooring-consent+jws', formatConsent(consent))
    assert.equal(
      problemOf(() => readGrant({ jws, delegations: [] })),
      problem,
    )
  }
  const many = Array.from({ length: 64 }, () => 'x'.repeat(256))
  const large = consentOf(termsOf({ content: { authors: many } }))
  assert.equal(
    problemOf(() => signGrant(patient, large)),
    'too_large ',
  )
})

test('another key does not sign for the patient, and nothing signed is changed', () => {
  assert.equal(
    problemOf(() => signGrant(specialist, consentOf(termsOf()))),
    'out_of_range performer',
  )
  const [header, , signature] = wide.jws.split('.')
  const longer = formatConsent(consentOf(termsOf({ expiresAt: START + 31 * DAY_MS })))
  const jws = `${header}.${encodeBase64url(longer)}.${signature}`
  assert.ok(!verifyGrant(readGrant({ jws, delegations: [] })))
  const [delegation] = byPhone.delegations
  assert.ok(delegation !== undefined)
  const forged = { ...delegation, signature: new Uint8Array(64) }
  assert.ok(!verifyGrant(readGrant({ ...byPhone, delegations: [forged] })))
})

test('the signature is a JWS that others verify', () => {
  const [header, payload, signature] = wide.jws.split('.')
  const x = encodeBase64url(patient.publicKey)
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
  const signed = Buffer.from(`${header}.${payload}`)
  assert.ok(verifyNatively(null, signed, key, Buffer.from(signature ?? '', 'base64url')))
  assert.deepEqual(JSON.parse(Buffer.from(header ?? '', 'base64url').toString()), {
    alg: 'EdDSA',
    typ: 'mooring-consent+jws',
  })
})

const read = (jws: string) => problemOf(() => readGrant({ jws, delegations: [] }))

test('there is no algorithm to choose', () => {
  const [, payload, signature] = wide.jws.split('.')
  const withHeader = (header: object) =>
    `${encodeBase64url(new TextEncoder().encode(JSON.stringify(header)))}.${payload}.${signature}`
  assert.equal(
    read(withHeader({ alg: 'none', typ: 'mooring-consent+jws' })),
    'bad_encoding jws.header',
  )
  assert.equal(read(withHeader({ alg: 'EdDSA', typ: 'JWT' })), 'bad_encoding jws.header')
  assert.equal(
    read(withHeader({ alg: 'EdDSA', typ: 'mooring-consent+jws', crit: ['b64'] })),
    'bad_encoding jws.header',
  )
  assert.equal(read(`${wide.jws}.`), 'bad_encoding jws')
  assert.equal(read(wide.jws.slice(0, -1)), 'bad_encoding jws.signature')
  assert.equal(read(wide.jws.slice(0, -2)), 'wrong_length jws.signature')
  assert.equal(read('a.b'), 'bad_encoding jws')
  assert.equal(read('x'.repeat(GRANT_JWS_BYTES_MAX + 1)), 'too_large jws')
})

const at = (now: number) => ({ now })

const handleIs = (changed: Partial<HandleStanding>) => ({
  handleOf: () => ({ ...LIVE, ...changed }),
})

const isPatient = (key: Uint8Array) => key.every((byte, index) => byte === patient.publicKey[index])

test('a grant stands while its handle is live, its time runs, and no key of it is replaced', () => {
  const long = { expiresAt: START + GRANT_LIFETIME_MS_MAX }
  const cases: [Partial<GrantTerms>, Partial<GrantQuestion>, string | undefined][] = [
    [{}, {}, undefined],
    [{}, at(START - 60_000), undefined],
    [{}, at(START - 60_001), 'grant_not_valid_yet'],
    [{}, at(START + 30 * DAY_MS - 1), undefined],
    [{}, at(START + 30 * DAY_MS), 'grant_expired'],
    [{}, { handleOf: () => undefined }, 'grant_unknown'],
    [{}, handleIs({ kind: 'delegation' }), 'grant_unknown'],
    [{}, handleIs({ revokedAt: 0 }), 'grant_revoked'],
    [{}, { ...handleIs({ revokedAt: 9 }), ...at(START + 90 * DAY_MS) }, 'grant_revoked'],
    [{}, handleIs({ expiresAt: START + DAY_MS }), 'grant_expired'],
    [{}, handleIs({ kind: 'standing' }), undefined],
    [{}, { isReplaced: isPatient }, 'key_replaced'],
    [long, {}, undefined],
    [{ expiresAt: long.expiresAt + 1 }, {}, 'grant_too_long'],
  ]
  for (const [terms, changed, expected] of cases) assert.equal(standing(terms, changed), expected)
})

test('what a delegate signs stands as long as the delegation does', () => {
  const grant = readGrant(byPhone)
  const delegation = { kind: 'delegation', expiresAt: START + 90 * DAY_MS, revokedAt: null }
  const check = (changed: Partial<HandleStanding>, replaced?: Uint8Array) =>
    checkGrant(grant, {
      now: START + DAY_MS,
      handleOf: (handle) => (handle[0] === 6 ? { ...delegation, ...changed } : LIVE),
      isReplaced: (key) => key === replaced,
    })
  assert.equal(check({}), undefined)
  assert.equal(check({ revokedAt: 5 }), 'delegation_revoked')
  assert.equal(check({ expiresAt: START }), 'delegation_expired')
  assert.equal(check({}, grant.signerKey), 'key_replaced')
  const alone = readGrant({ ...byPhone, delegations: [] })
  const question = { now: START, handleOf: () => LIVE, isReplaced: () => false }
  assert.equal(checkGrant(alone, question), 'delegation_forged')
})

test('what is wrong with a file has a code and a place', () => {
  const file = JSON.parse(formatGrant(byPhone))
  const readWith = (changed: object) =>
    problemOf(() => parseGrant(JSON.stringify({ ...file, ...changed })))
  assert.equal(readWith({}), 'read')
  assert.equal(readWith({ version: 1 }), 'unknown_version version')
  assert.equal(readWith({ jws: 7 }), 'wrong_type jws')
  assert.equal(readWith({ jws: 'a.b.c' }), 'bad_encoding jws.header')
  assert.equal(readWith({ jws: 'x'.repeat(GRANT_JWS_BYTES_MAX + 1) }), 'too_large jws')
  assert.equal(readWith({ delegations: ['!'] }), 'bad_encoding delegations[0]')
  assert.equal(readWith({ delegations: ['AAAA'] }), 'bad_encoding delegations[0]')
  assert.equal(readWith({ delegations: ['A'.repeat(1_025)] }), 'too_large delegations[0]')
  assert.equal(readWith({ delegations: ['', '', '', ''] }), 'too_large delegations')
  assert.equal(readWith({ remark: 'please' }), 'unknown_member remark')
})

test('no text makes the reader fail in another way', () => {
  const text = formatGrant(byPhone)
  const edits = fc.array(fc.tuple(fc.nat(text.length - 1), fc.string({ maxLength: 3 })), {
    minLength: 1,
    maxLength: 3,
  })
  fc.assert(
    fc.property(edits, (changes) => {
      let edited = text
      for (const [place, inserted] of changes) {
        edited = edited.slice(0, place) + inserted + edited.slice(place + inserted.length)
      }
      if (problemOf(() => parseGrant(edited)) !== 'read') return
      const grant = readGrant(parseGrant(edited))
      assert.ok(edited === text || !verifyGrant(grant) || formatGrant(grant.signed) === text)
    }),
    { numRuns: 3_000 },
  )
})

test.run()
