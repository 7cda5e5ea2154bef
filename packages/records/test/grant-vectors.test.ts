import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode, fromHex } from '@mooring/codec'
import { test } from 'uvu'
import { formatConsent } from '../src/consent-json.ts'
import { readGrant, signedGrantSchema, verifyGrant } from '../src/grant.ts'
import { parseOffer } from '../src/grant-offer.ts'
import { grantVectors } from './grant-vectors.ts'
import { vectorFolder } from './vectors.ts'

const frozen: typeof grantVectors = JSON.parse(
  readFileSync(new URL('records-grants.json', vectorFolder), 'utf8'),
)

const withoutOffers = ({ seeds, grants }: typeof grantVectors) => ({
  seeds,
  grants: grants.map(({ name, consent, jws, signed }) => ({ name, consent, jws, signed })),
})

test('grants are signed and sent as they were', () => {
  assert.deepEqual(withoutOffers(grantVectors), withoutOffers(frozen))
})

test('the frozen grants read back, from the wire and from their offers', () => {
  for (const { consent, jws, signed, offer } of frozen.grants) {
    const grant = readGrant(decode(signedGrantSchema, fromHex(signed)))
    assert.equal(grant.signed.jws, jws)
    assert.ok(verifyGrant(grant))
    assert.equal(new TextDecoder().decode(formatConsent(grant.consent)), consent)
    assert.deepEqual(parseOffer(offer).signed, grant.signed)
  }
})

test.run()
