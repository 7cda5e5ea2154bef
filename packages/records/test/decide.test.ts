import assert from 'node:assert/strict'
import { encode, equalBytes, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  ACCESS_REFUSALS,
  type AccessInput,
  type AccessRefusal,
  type AccessRequest,
  accessRequestSchema,
  consentOf,
  decideAccess,
  decideQuery,
  type GrantTerms,
  type HandleStanding,
  type SignedDelegation,
  signAsPractitioner,
  signDelegation,
  provisionOf,
  PURPOSES,
  signAccessRequest,
  type SignedAccessRequest,
  signGrant,
} from '../src/index.ts'
import type { FacetName } from '../src/facts.ts'
import {
  anchorKeyOf,
  type AskedSet,
  askedSet,
  blockDigestAt,
  bytesOf,
  CUSTODIAN,
  DAY,
  forgedGrant,
  grantOf,
  HANDLE,
  heldSets,
  HOUR,
  inputOf,
  NOW,
  otherPatientKey,
  patientKey,
  READER,
  requestOf,
  SELF,
  standingsOf,
  termsOf,
  TIP,
} from './access-world.ts'

const MINUTE = 60_000

function codeOf(input: AccessInput): AccessRefusal | 'permit' {
  const decision = decideAccess(input)
  return decision.permit ? 'permit' : decision.code
}

function asked(
  changes: Partial<AccessRequest> = {},
  known: Partial<AccessInput> = {},
): AccessRefusal | 'permit' {
  return codeOf(inputOf(requestOf(changes), known))
}

function grant(changes: Partial<GrantTerms>): Pick<AccessRequest, 'grant'> {
  return { grant: grantOf(changes) }
}

function withSets(...sets: AskedSet[]): {
  request: Partial<AccessRequest>
  known: Partial<AccessInput>
} {
  return { request: { sets }, known: { heldSet: heldSets(sets) } }
}

function own(changes: Partial<AccessRequest> = {}): Partial<AccessRequest> {
  return { reader: CUSTODIAN, grant: null, ...changes }
}

const signed = inputOf().signed
const sensitive = withSets(askedSet('s', { class: 'sensitive:psy' }))
const foreign = withSets(askedSet('f', { patientKey: otherPatientKey.publicKey }))

const doctor = anchorKeyOf('a doctor')
const noObservations = provisionOf('deny', { types: ['Observation'] })

/** Set a, with one of its facts shown. */
function shown(facet: FacetName): Pick<AccessRequest, 'sets'> {
  return { sets: [askedSet('a', {}, [facet])] }
}

function narrow(content: GrantTerms['content']): Partial<GrantTerms> {
  return { content: { classes: ['general', 'emergency'], ...content } }
}

function standing(changes: Partial<HandleStanding> | null): Partial<AccessInput> {
  return { standings: standingsOf({ [toHex(HANDLE)]: changes }) }
}

/** Refusals with a test of their own below. */
const TESTED_APART = [
  'grant_forged',
  'delegation_forged',
  'delegation_revoked',
  'delegation_not_valid_yet',
  'delegation_expired',
  'practitioner_forged',
]

type Case = [AccessRefusal | 'permit', Partial<AccessRequest>, Partial<AccessInput>?]

const CASES: Case[] = [
  ['permit', {}],
  ['permit', own()],
  ['permit', own({ purpose: 'PATADMIN' })],
  ['unknown_reader', { reader: 'stranger' }],
  ['sender_differs', {}, { sender: CUSTODIAN }],
  ['not_addressed', {}, { self: 'seaside' }],
  ['not_addressed', { audience: [] }],
  ['permit', { issuedAt: NOW + MINUTE, expiresAt: NOW + HOUR / 10 }],
  ['not_issued_yet', { issuedAt: NOW + MINUTE + 1, expiresAt: NOW + HOUR / 10 }],
  ['permit', { issuedAt: NOW - 5 * MINUTE, expiresAt: NOW - MINUTE + 1 }],
  ['request_expired', { issuedAt: NOW - 5 * MINUTE, expiresAt: NOW - MINUTE }],
  ['permit', { expiresAt: NOW + 10 * MINUTE }],
  ['request_too_long', { expiresAt: NOW + 10 * MINUTE + 1 }],
  ['block_unknown', { block: { height: TIP + 1, digest: blockDigestAt(TIP + 1) } }],
  ['block_unknown', {}, { blockDigestAt: () => undefined }],
  ['permit', { block: { height: TIP - 64, digest: blockDigestAt(TIP - 64) } }],
  ['block_too_old', { block: { height: TIP - 65, digest: blockDigestAt(TIP - 65) } }],
  ['block_differs', { block: { height: TIP - 1, digest: blockDigestAt(TIP - 2) } }],
  ['entry_differs', {}, { entry: bytesOf('another entry') }],
  ['purpose_unknown', { purpose: 'CURIOSITY' }],
  ['purpose_unknown', { purpose: 'PurposeOfUse' }],
  ['no_such_set', { sets: [] }],
  ['no_such_set', { sets: [askedSet('elsewhere')] }],
  ['permit', { sets: [askedSet('a'), askedSet('elsewhere')] }],
  [
    'several_patients',
    { sets: [askedSet('a'), askedSet('f', { patientKey: otherPatientKey.publicKey })] },
  ],
  ['wrong_custodian', {}, { heldSet: () => ({ custodian: 'riverside', gate: bytesOf('gate') }) }],
  ['grant_missing', { grant: null }],
  ['grant_of_another_custodian', grant({ custodian: 'riverside' })],
  ['not_the_recipient', grant({ recipient: 'riverside' })],
  ['permit', grant({ notBefore: NOW - DAY, expiresAt: NOW + 365 * DAY })],
  ['grant_too_long', grant({ notBefore: NOW - DAY, expiresAt: NOW + 366 * DAY })],
  ['permit', grant({ notBefore: NOW + MINUTE })],
  ['grant_not_valid_yet', grant({ notBefore: NOW + MINUTE + 1 })],
  ['permit', grant({ expiresAt: NOW + 1 })],
  ['grant_expired', grant({ expiresAt: NOW })],
  ['purpose_not_covered', grant({ purposes: ['HRESCH'] })],
  ['purpose_not_covered', { purpose: 'BTG' }],
  ['permit', { purpose: 'BTG', ...grant({ purposes: ['BTG'] }) }],
  ['purpose_not_covered', own({ purpose: 'BTG' })],
  ['purpose_not_covered', own({ purpose: 'HLEGAL' })],
  ['purpose_not_covered', own({ purpose: 'HRESCH' })],
  ['class_not_covered', sensitive.request, sensitive.known],
  ['class_not_covered', grant({ content: { classes: ['general'] } })],
  ['permit', { ...sensitive.request, ...own() }, sensitive.known],
  ['wrong_patient', foreign.request, foreign.known],
  ['gate_differs', { sets: [{ ...askedSet('a'), gateTag: bytesOf('another tag') }] }],
  ['gate_differs', { sets: [askedSet('a', { class: 'emergency' })] }],
  ['gate_differs', own({ sets: [askedSet('a', { class: 'emergency' })] })],
  ['gate_differs', own({ sets: [askedSet('a', { patientKey: otherPatientKey.publicKey })] })],
  ['grant_malformed', {}, { grantOf: () => undefined }],
  ['chain_stale', {}, { isStale: true }],
  ['permit', own(), { isStale: true }],
  ['grant_unknown', {}, standing(null)],
  ['grant_unknown', {}, standing({ kind: 'delegation' })],
  ['grant_revoked', {}, standing({ revokedAt: 3 })],
  ['grant_revoked', {}, { ...standing({ revokedAt: 3 }), isVerified: true }],
  ['grant_expired', {}, standing({ expiresAt: NOW })],
  ['key_replaced', {}, { standings: { ...standingsOf(), isReplaced: () => true } }],
  ['practitioner_missing', grant({ practitioner: doctor.publicKey })],
  ['type_not_covered', { ...grant(narrow({ types: ['AllergyIntolerance'] })), ...shown('type') }],
  ['facts_missing', grant(narrow({ types: ['Observation'] }))],
  ['permit', { ...grant(narrow({ types: ['Observation'] })), ...shown('type') }],
  ['record_not_covered', { ...grant(narrow({ records: [bytesOf('x')] })), ...shown('record') }],
  ['permit', { ...grant(narrow({ records: [bytesOf('record a')] })), ...shown('record') }],
  ['encounter_not_covered', { ...grant(narrow({ encounters: ['E/2'] })), ...shown('encounter') }],
  ['author_not_covered', { ...grant(narrow({ authors: ['P/2'] })), ...shown('author') }],
  ['date_not_covered', { ...grant(narrow({ firstDay: '2026-11-02' })), ...shown('date') }],
  ['permit', { ...grant(narrow({ lastDay: '2026-11-01' })), ...shown('date') }],
  ['label_not_covered', { ...grant(narrow({ sensitivities: ['HIV'] })), ...shown('labels') }],
  ['field_only', grant(narrow({ fields: ['/code'] }))],
  ['denied', { ...grant({ provisions: [noObservations] }), ...shown('type') }],
  ['request_forged', {}, { signed: { ...signed, signature: bytesOf('x', 32) } }],
]

for (const [code, changes, known] of CASES) {
  const what = JSON.stringify({ ...changes, grant: undefined, sets: undefined })
  test(`${code}: ${what === '{}' ? 'see the table' : what}`, () => {
    assert.equal(asked(changes, known), code)
  })
}

test('a grant that another key signed is forged', () => {
  assert.equal(asked({ grant: forgedGrant() }), 'grant_forged')
})

/** From the patient to a parent, and from the parent to a phone, which signs the grant. */
function delegated(
  changes: { parent?: object; phone?: object } = {},
  { parent: parentStanding = {}, phone: phoneStanding = {} }: Record<string, object> = {},
) {
  const [parent, phone] = [anchorKeyOf('parent'), anchorKeyOf('phone')]
  const terms = { custodian: CUSTODIAN, notBefore: NOW - DAY, expiresAt: NOW + DAY }
  const first = {
    ...terms,
    id: bytesOf('first', 16),
    kind: 'representative' as const,
    from: patientKey.publicKey,
    to: parent.publicKey,
    role: 'FAMRQT' as const,
    handle: bytesOf('parent handle'),
    ...changes.parent,
  }
  const second = {
    ...terms,
    id: bytesOf('second', 16),
    kind: 'device' as const,
    from: parent.publicKey,
    to: phone.publicKey,
    role: null,
    handle: bytesOf('phone handle'),
    ...changes.phone,
  }
  const delegations = [signDelegation(patientKey, first), signDelegation(parent, second)]
  const live = { kind: 'delegation' }
  const standings = standingsOf({
    [toHex(first.handle)]: { ...live, ...parentStanding },
    [toHex(second.handle)]: { ...live, ...phoneStanding },
  })
  return { phone, delegations, standings }
}

function askedByDelegate(
  { phone, delegations, standings }: ReturnType<typeof delegated>,
  given: SignedDelegation[] = delegations,
) {
  const consent = consentOf(termsOf({ signerKey: phone.publicKey }))
  return asked({ grant: signGrant(phone, consent, given) }, { standings })
}

test('a delegate signs as long as every step to it is in force', () => {
  assert.equal(askedByDelegate(delegated()), 'permit')
  const revoked = { revokedAt: 9 }
  assert.equal(askedByDelegate(delegated({}, { parent: revoked })), 'delegation_revoked')
  assert.equal(askedByDelegate(delegated({}, { phone: revoked })), 'delegation_revoked')
  assert.equal(askedByDelegate(delegated({}, { phone: { kind: 'share' } })), 'delegation_forged')
  assert.equal(askedByDelegate(delegated({ parent: { expiresAt: NOW } })), 'delegation_expired')
  const later = { notBefore: NOW + HOUR }
  assert.equal(askedByDelegate(delegated({ phone: later })), 'delegation_not_valid_yet')
  const { delegations, ...others } = delegated()
  const [first, second] = delegations
  assert.ok(first !== undefined && second !== undefined)
  for (const given of [[], [first], [second], [second, first]]) {
    assert.equal(askedByDelegate({ ...others, delegations }, given), 'delegation_forged')
  }
  const unsigned = { ...second, signature: new Uint8Array(64) }
  assert.equal(askedByDelegate({ ...others, delegations }, [first, unsigned]), 'grant_forged')
})

test('a practitioner who is named proves it, for this request and no other', () => {
  const only = { ...requestOf(grant({ practitioner: doctor.publicKey })) }
  const proved = signAsPractitioner(doctor, only)
  assert.equal(asked(proved), 'permit')
  assert.equal(asked({ ...proved, id: bytesOf('another', 16) }), 'practitioner_forged')
  assert.equal(asked(signAsPractitioner(anchorKeyOf('other'), only)), 'practitioner_missing')
})

test('records of a former key of the patient are read under a grant of the key that replaced it', () => {
  const former = otherPatientKey.publicKey
  const sets = [askedSet('a'), askedSet('f', { patientKey: former })]
  const isSuccessor = (_custodian: string, one: Uint8Array, key: Uint8Array) =>
    equalBytes(one, key) || equalBytes(one, former)
  const standings = { ...standingsOf(), isSuccessor }
  assert.equal(asked({ sets }, { heldSet: heldSets(sets), standings }), 'permit')
  assert.equal(asked({ sets }, { heldSet: heldSets(sets) }), 'several_patients')
  assert.equal(asked(own({ sets }), { heldSet: heldSets(sets), standings }), 'permit')
})

test('of several sets the same one decides, in whatever order they are asked for', () => {
  const sets = [askedSet('a', {}, ['type']), askedSet('c', { class: 'imaging' }, [])]
  const terms = grant(narrow({ types: ['AllergyIntolerance'] }))
  for (const ordered of [sets, sets.toReversed()]) {
    assert.equal(asked({ ...terms, sets: ordered }), 'facts_missing')
  }
})

test('every reason of the decision is in the table', () => {
  const seen = new Set<string>([...CASES.map(([code]) => code), ...TESTED_APART])
  for (const code of ACCESS_REFUSALS) assert.ok(seen.has(code), code)
})

test('signatures count unless the same request was permitted here before', () => {
  const forged = { ...signed, signature: new Uint8Array(64) }
  assert.equal(asked({}, { signed: forged }), 'request_forged')
  assert.equal(asked({}, { signed: forged, isVerified: true }), 'permit')
  assert.equal(asked({}, { signed: forged, isVerified: true, now: NOW + HOUR }), 'request_expired')
})

test('a block need be recent once: a request that was permitted here outlasts many blocks', () => {
  const tip = TIP + 1_000
  assert.equal(asked({}, { tip }), 'block_too_old')
  assert.equal(asked({}, { tip, isVerified: true }), 'permit')
  assert.equal(asked({}, { tip, isVerified: true, now: NOW + HOUR }), 'request_expired')
})

const shuffled = <T>(items: readonly T[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length })

test('the order of sets, classes, purposes and audience changes no decision', () => {
  const sets = [
    askedSet('a'),
    askedSet('b', { class: 'emergency' }),
    askedSet('c'),
    askedSet('d', { class: 'sensitive:hiv' }),
  ]
  const variations = fc.record({
    some: fc
      .subarray(sets, { minLength: 1 })
      .chain((chosen) => fc.tuple(fc.constant(chosen), shuffled(chosen))),
    held: fc.subarray(sets),
    classes: fc
      .subarray(['general', 'emergency', 'sensitive:hiv'])
      .chain((chosen) => fc.tuple(fc.constant(chosen), shuffled(chosen))),
    purposes: fc
      .subarray(['TREAT', 'HPAYMT', 'BTG'], { minLength: 1 })
      .chain((chosen) => fc.tuple(fc.constant(chosen), shuffled(chosen))),
    audience: fc
      .subarray([SELF, CUSTODIAN, 'riverside'])
      .chain((chosen) => fc.tuple(fc.constant(chosen), shuffled(chosen))),
    purpose: fc.constantFrom('TREAT', 'BTG', 'ERTREAT', 'COVERAGE', 'HMARKT'),
  })
  fc.assert(
    fc.property(variations, ({ some, held, classes, purposes, audience, purpose }) => {
      const decisions = [0, 1].map((index) => {
        const terms = {
          content: { classes: classes[index] ?? [] },
          purposes: purposes[index] ?? [],
        }
        const request = requestOf({
          purpose,
          sets: some[index] ?? [],
          audience: audience[index] ?? [],
          ...grant(terms),
        })
        return codeOf(inputOf(request, { heldSet: heldSets(held) }))
      })
      assert.equal(decisions[0], decisions[1])
    }),
    { numRuns: 60 },
  )
})

/** Every byte string and number of a value, each in turn changed by one bit. */
function* altered<T>(value: T): Generator<T> {
  if (value instanceof Uint8Array) {
    for (const index of value.keys()) {
      const copy = value.map((byte, at) => (at === index ? byte ^ 1 : byte))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a byte string as well
      yield copy as T
    }
  } else if (typeof value === 'number') {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a number as well
    yield (value + 1) as T
  } else if (typeof value === 'string') {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a text as well
    yield `${value}x` as T
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      // Which variant it is: there is no other one to change it to.
      if (name === 'kind') continue
      for (const changed of altered(part)) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same but for one part
        const copy = (Array.isArray(value) ? [...value] : { ...value }) as T & object
        Reflect.set(copy, name, changed)
        yield copy
      }
    }
  }
}

test('no changed byte of a signed request is permitted', () => {
  const input = inputOf()
  assert.equal(codeOf(input), 'permit')
  let count = 0
  for (const changed of altered<SignedAccessRequest>(input.signed)) {
    count += 1
    // The sender is the peer whatever the request says.
    const decision = codeOf({ ...input, signed: changed })
    assert.notEqual(decision, 'permit')
  }
  assert.ok(count > 450, `${count} changes`)
})

test('encodings of two requests differ wherever the requests do', () => {
  const plain = encode(accessRequestSchema, signed.request).join()
  for (const changed of altered(signed.request)) {
    if (changed.audience.length !== signed.request.audience.length) continue
    assert.notEqual(encode(accessRequestSchema, changed).join(), plain)
  }
})

test('breaking the glass is permitted by BTG alone, whatever else is', () => {
  const others = PURPOSES.filter((purpose) => purpose !== 'BTG')
  fc.assert(
    fc.property(fc.subarray(others, { maxLength: 16 }), fc.boolean(), (purposes, isNamed) => {
      const named = isNamed ? ['BTG', ...purposes.slice(1)] : ['TREAT', ...purposes.slice(1)]
      const code = asked({ purpose: 'BTG', ...grant({ purposes: named }) })
      assert.equal(code, isNamed ? 'permit' : 'purpose_not_covered')
    }),
    { numRuns: 50 },
  )
  assert.equal(asked({ purpose: 'ETREAT', ...grant({ purposes: ['BTG'] }) }), 'purpose_not_covered')
})

test('a question needs a grant of the custodian that is asked', () => {
  const question = requestOf({ sets: [], audience: [CUSTODIAN] })
  const input = inputOf(question, { self: CUSTODIAN })
  assert.deepEqual(decideQuery(input), { permit: true })
  const wrong = signAccessRequest(anchorKeyOf(READER), { ...question, custodian: 'riverside' })
  assert.deepEqual(decideQuery({ ...input, signed: wrong }), {
    permit: false,
    code: 'wrong_custodian',
  })
})

test.run()
