import assert from 'node:assert/strict'
import { keyPairFromSeed } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { formatJws, parseJws } from '../src/jws.ts'
import { checkPresentation, presentCredential, readCredential, RecordsError } from '../src/index.ts'
import { AUDIENCE, credential, device, HOUR, issuer, NOW, secretOf } from './emergency-world.ts'

const nonce = secretOf('nonce')
const DAY = 24 * HOUR

const issuerKeys = (organisation: string) =>
  organisation === 'fir' ? [secretOf('unused'), issuer.publicKey] : []

function check(presentation: string, changes: { now?: number; nonce?: Uint8Array } = {}) {
  const shown = checkPresentation({
    presentation,
    audience: AUDIENCE,
    nonce,
    now: NOW,
    issuerKeys,
    ...changes,
  })
  return typeof shown === 'string' ? shown : 'ok'
}

function present(
  shown = credential(),
  changes: Partial<Parameters<typeof presentCredential>[1]> = {},
) {
  return presentCredential(shown, {
    keyPair: device,
    audience: AUDIENCE,
    nonce,
    now: NOW,
    ...changes,
  })
}

test('a practitioner shows role and right, and licence and name only where it likes', () => {
  const asked = { audience: AUDIENCE, nonce, now: NOW, issuerKeys }
  const shown = checkPresentation({ presentation: present(), ...asked })
  assert.ok(typeof shown !== 'string')
  assert.deepEqual(
    [shown.role, shown.btg, shown.licence, shown.name],
    ['physician', true, null, null],
  )
  assert.deepEqual(shown.key, device.publicKey)
  const more = checkPresentation({
    presentation: present(undefined, { show: ['licence'] }),
    ...asked,
  })
  assert.ok(typeof more !== 'string')
  assert.deepEqual([more.licence, more.name], ['MD-4711', null])
  assert.equal(readCredential(credential()).name, 'Ada Quinn')
  assert.equal(present().includes('MD-4711'), false)
})

test('each reason why a presentation proves nothing has its code', () => {
  const other = keyPairFromSeed(secretOf('somebody else'))
  const whole = present()
  const cut = whole.lastIndexOf('~') + 1
  const stolen =
    whole.slice(0, cut) +
    present(credential({ role: 'nurse' }))
      .split('~')
      .at(-1)
  const cases: [string, string, { now?: number; nonce?: Uint8Array }?][] = [
    ['ok', whole],
    ['credential_malformed', ''],
    ['credential_malformed', 'a.b.c~d'],
    ['credential_malformed', `${'~'.repeat(40)}${whole}`],
    ['credential_malformed', 'x'.repeat(20_000)],
    ['credential_forged', present(credential({}, other))],
    ['credential_forged', present(credential({ organisation: 'oak' }))],
    ['credential_not_valid_yet', present(credential({ issuedAt: NOW + HOUR }))],
    ['credential_expired', present(credential({ issuedAt: NOW - DAY, expiresAt: NOW - 1_000 }))],
    ['credential_expired', whole, { now: NOW + DAY }],
    ['binding_malformed', whole.slice(0, cut)],
    ['binding_forged', present(undefined, { keyPair: other })],
    ['binding_differs', present(undefined, { audience: 'did:mooring:network:other' })],
    ['binding_differs', whole, { nonce: secretOf('another question') }],
    ['binding_differs', stolen],
    ['binding_too_old', whole, { now: NOW + 11 * 60_000 }],
    ['binding_too_old', present(undefined, { now: NOW + 5 * 60_000 })],
  ]
  for (const [code, presentation, changes] of cases) {
    assert.equal(check(presentation, changes), code, presentation.slice(0, 60))
  }
})

test('what an organisation signs beyond the rules is refused all the same', () => {
  const [jws = '', ...rest] = credential().split('~')
  const { payload } = parseJws(jws, 'dc+sd-jwt', 'credential')
  const claims: Record<string, unknown> = JSON.parse(new TextDecoder().decode(payload))
  const signed = (changes: Record<string, unknown>): string => {
    const altered = new TextEncoder().encode(JSON.stringify({ ...claims, ...changes }))
    return [formatJws(issuer, 'dc+sd-jwt', altered), ...rest].join('~')
  }
  const exp = (NOW + 8 * DAY) / 1_000
  assert.equal(check(present(signed({}))), 'ok')
  assert.equal(check(present(signed({ exp }))), 'credential_too_long')
  for (const changes of [
    { vct: 'urn:other' },
    { iss: 'fir' },
    { sub: 'did:key:z6Mk' },
    { cnf: {} },
    { cnf: { jwk: { kty: 'OKP', crv: 'X25519', x: 'AA' } } },
    { iat: 1.5 },
    { exp: '2027' },
    { status: null },
    { role: 7 },
  ]) {
    assert.throws(() => readCredential(signed(changes)), RecordsError, JSON.stringify(changes))
  }
})

test('a credential lives a week at most, and says nothing that is empty or long', () => {
  for (const changes of [
    { expiresAt: NOW + 8 * DAY },
    { expiresAt: NOW - 2 * HOUR },
    { role: '' },
    { name: 'x'.repeat(129) },
  ]) {
    assert.throws(() => credential(changes), RecordsError)
  }
})

test('whichever character is altered, it proves nothing any more', () => {
  const whole = present(undefined, { show: ['licence', 'name'] })
  fc.assert(
    fc.property(
      fc.nat({ max: whole.length - 1 }),
      fc.constantFrom('A', 'b', '7', '.', '~'),
      (at, c) => {
        const altered = whole.slice(0, at) + c + whole.slice(at + 1)
        if (altered !== whole) assert.notEqual(check(altered), 'ok')
      },
    ),
  )
})

test.run()
