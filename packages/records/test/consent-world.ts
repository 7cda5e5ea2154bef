// One patient, two hospitals, a specialist: what the tests of consents and grants share.

import { keyPairFromSeed, type KeyPair } from '@mooring/crypto'
import { type Consent, type Provision, provisionOf } from '../src/consent.ts'
import type { ConsentQuestion } from '../src/decide-consent.ts'
import { consentOf, type GrantTerms } from '../src/grant.ts'

export const DAY_MS = 86_400_000
export const START = Date.parse('2026-11-20T09:00:00.000Z')

export const keyOf = (byte: number): KeyPair => keyPairFromSeed(new Uint8Array(32).fill(byte))

export const patient = keyOf(1)
export const specialist = keyOf(2)
export const RECORD = new Uint8Array(32).fill(7)

export function termsOf(changed: Partial<GrantTerms> = {}): GrantTerms {
  return {
    id: new Uint8Array(16).fill(3),
    handle: new Uint8Array(32).fill(4),
    patientKey: patient.publicKey,
    logKey: new Uint8Array(32).fill(5),
    custodian: 'st-agnes',
    recipient: 'harbor-clinic',
    purposes: ['TREAT'],
    notBefore: START,
    expiresAt: START + 30 * DAY_MS,
    content: { classes: ['general', 'emergency'] },
    ...changed,
  }
}

/** A consent with nothing but these provisions: no period, no actor, as PCF's examples have it. */
export function bareConsent(root: Provision, ...provisions: Provision[]): Consent {
  return { ...consentOf(termsOf()), root, provisions }
}

export const permit = (limits: Partial<Omit<Provision, 'type'>> = {}) =>
  provisionOf('permit', limits)
export const deny = (limits: Partial<Omit<Provision, 'type'>> = {}) => provisionOf('deny', limits)

export function questionOf(
  facts: Partial<ConsentQuestion['facts']> = {},
  changed: Partial<Omit<ConsentQuestion, 'facts'>> = {},
): ConsentQuestion {
  return {
    time: START + DAY_MS,
    organisation: 'harbor-clinic',
    practitioner: null,
    purpose: 'TREAT',
    ...changed,
    facts: {
      patientKey: patient.publicKey,
      class: 'general',
      type: 'Observation',
      record: RECORD,
      date: '2026-05-01',
      author: 'Practitioner/1',
      encounter: 'Encounter/1',
      labels: [],
      ...facts,
    },
  }
}
