// What test/vectors/records-grants.json holds: grants of every kind of limit, as they are signed and sent.

import { encode, toHex } from '@mooring/codec'
import { signDelegation } from '../src/delegation.ts'
import { consentOf, type GrantTerms, signedGrantSchema, signGrant } from '../src/grant.ts'
import { formatOffer } from '../src/grant-offer.ts'
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
const mother = keyOf(21)

const toMother = signDelegation(patient, {
  id: new Uint8Array(16).fill(8),
  kind: 'representative',
  custodian: 'st-agnes',
  from: patient.publicKey,
  to: mother.publicKey,
  role: 'PWATRNY',
  notBefore: START,
  expiresAt: START + 90 * DAY_MS,
  handle: new Uint8Array(32).fill(6),
})
const toPhone = signDelegation(mother, {
  id: new Uint8Array(16).fill(9),
  kind: 'device',
  custodian: 'st-agnes',
  from: mother.publicKey,
  to: phone.publicKey,
  role: null,
  notBefore: START,
  expiresAt: START + 60 * DAY_MS,
  handle: new Uint8Array(32).fill(7),
})

const terms: Record<string, Partial<GrantTerms>> = {
  basic: {},
  allergies: { content: { types: ['AllergyIntolerance'] }, expiresAt: START + DAY_MS },
  intermediate: {
    purposes: ['TREAT', 'HRESCH'],
    content: {
      records: [RECORD],
      encounters: ['Encounter/1'],
      authors: ['Practitioner/1'],
      firstDay: '2026-01-01',
      lastDay: '2026-12-31',
    },
    provisions: [deny({ types: ['Claim'] })],
  },
  advanced: {
    practitioner: specialist.publicKey,
    content: { classes: ['general'], confidentialities: ['N'], fields: ['/code', '/status'] },
    provisions: [
      permit({ sensitivities: ['PSY'], purposes: ['BTG'], end: START + DAY_MS }),
      deny({ sensitivities: ['HIV'] }),
    ],
  },
}

const own = Object.entries(terms).map(([name, changed]) => ({
  name,
  signed: signGrant(patient, consentOf(termsOf(changed))),
}))
const byPhone = {
  name: 'by a device of a representative',
  signed: signGrant(phone, consentOf(termsOf({ signerKey: phone.publicKey })), [toMother, toPhone]),
}

export const grantVectors = {
  seeds: { patient: '01'.repeat(32), representative: '15'.repeat(32), device: '16'.repeat(32) },
  grants: [...own, byPhone].map(({ name, signed }) => ({
    name,
    consent: Buffer.from(signed.jws.split('.')[1] ?? '', 'base64url').toString('utf8'),
    jws: signed.jws,
    signed: toHex(encode(signedGrantSchema, signed)),
    // Others may deflate it differently; it reads back to the same grant.
    offer: formatOffer(signed),
  })),
}
