import assert from 'node:assert/strict'
import { keyPairFromSeed, x25519PublicKey } from '@mooring/crypto'
import { test } from 'uvu'
import { decideEmergency } from '../src/index.ts'
import { EMERGENCY_REFUSALS, type EmergencyInput } from '../src/emergency-request.ts'
import {
  credential,
  headerOf,
  HOUR,
  issuer,
  NOW,
  question,
  request,
  secretOf,
} from './emergency-world.ts'

function codeOf(input: EmergencyInput): string {
  const decision = decideEmergency(input)
  return decision.permit ? 'permit' : decision.code
}

const asked = request()
const { opening } = question()

function opened(changes: Partial<NonNullable<EmergencyInput['opening']>>): Partial<EmergencyInput> {
  return { opening: opening && { ...opening, ...changes } }
}

/** A request whose presentation the chain has, whatever is wrong with it. */
function presented(...args: Parameters<typeof request>): EmergencyInput {
  return question(request(...args))
}

const other = keyPairFromSeed(secretOf('somebody else'))
const used = { isOptedOut: false, header: undefined }

const CASES: [string, EmergencyInput][] = [
  ['permit', question()],
  ['permit', question(asked, { recentlyGiven: 29, firstOpenedAt: NOW - 4 * HOUR + 1 })],
  ['sender_differs', question(asked, { sender: 'oak' })],
  ['emergency_reason_missing', presented({ reason: '' })],
  ['emergency_reason_missing', presented({ reason: 'curious' })],
  ['emergency_set_unknown', question(asked, { held: undefined })],
  ['emergency_opted_out', question(asked, { held: { ...used, isOptedOut: true } })],
  ['emergency_ended', question(asked, { held: used })],
  ['emergency_not_final', question(asked, { opening: undefined })],
  ['emergency_of_another', question(asked, opened({ organisation: 'oak' }))],
  ['emergency_set_differs', question(asked, opened({ setHandle: headerOf(1).setHandle }))],
  ['emergency_set_differs', question(asked, { held: { isOptedOut: false, header: headerOf(1) } })],
  ['emergency_reason_differs', question(asked, opened({ reason: 'disaster' }))],
  ['credential_differs', question(asked, opened({ credentialCommit: secretOf('other') }))],
  ['emergency_ended', question(asked, opened({ isClosed: true }))],
  ['emergency_ended', question(asked, { firstOpenedAt: NOW - 4 * HOUR })],
  ['emergency_ended', question(asked, { firstOpenedAt: undefined })],
  ['emergency_too_many', question(asked, { recentlyGiven: 30 })],
  ['credential_malformed', presented({ presentation: 'none' })],
  ['credential_forged', presented({}, { with: credential({}, other) })],
  ['credential_not_valid_yet', presented({}, { with: credential({ issuedAt: NOW + HOUR }) })],
  [
    'credential_expired',
    presented({}, { with: credential({ expiresAt: NOW - 60_000 }), now: NOW - 5 * 60_000 }),
  ],
  ['binding_malformed', presented({ presentation: `${credential()}x.y.z` })],
  ['binding_forged', presented({}, { keyPair: other })],
  ['binding_differs', presented({}, { audience: 'did:mooring:network:other' })],
  ['binding_too_old', presented({}, { now: NOW - 11 * 60_000 })],
  ['credential_without_right', presented({}, { with: credential({ btg: false }) })],
]

for (const [index, [code, input]] of CASES.entries()) {
  test(`case ${index}: ${code}`, () => {
    assert.equal(codeOf(input), code)
  })
}

test('a credential of another organisation is not that of who asks', () => {
  const input = question(request({}, { with: credential({ organisation: 'oak' }) }), {
    issuerKeys: () => [issuer.publicKey],
  })
  assert.equal(codeOf(input), 'credential_of_another')
})

test('a presentation serves the question it was signed for, and no other', () => {
  const { presentation } = asked
  const changes = [
    { requestId: secretOf('another request') },
    { locatorId: secretOf('another set') },
    { readerKey: x25519PublicKey(secretOf('another key')) },
    { reason: 'disaster' },
  ]
  for (const change of changes) {
    const stolen = { ...request(change), presentation }
    const input = question(stolen, opened({ reason: stolen.reason }))
    assert.equal(codeOf(input), 'binding_differs')
  }
})

test('every code has a case', () => {
  const seen = new Set(CASES.map(([code]) => code))
  const missing = EMERGENCY_REFUSALS.filter((code) => !seen.has(code))
  // The first is in practitioner-credential.test.ts, the second has a test of its own.
  assert.deepEqual(missing, ['credential_too_long', 'credential_of_another'])
})

test.run()
