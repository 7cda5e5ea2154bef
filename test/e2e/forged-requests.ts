// Requests for access as a member may sign them: first a good one, then what somebody would make of it who
// wants a record and no trace. The trace of the good one is really asked for where a case needs witnesses.

import {
  type AccessEntry,
  accessEntryCommit,
  type AccessRequest,
  accessRequestDigest,
  type AccessWitness,
  type Consent,
  formatConsent,
  gateTagOf,
  type Grant,
  type Manifest,
  openFacts,
  sealAccessEntry,
  signAccessRequest,
  type SignedAccessRequest,
  type SignedGrant,
  signGrant,
  UNATTENDED,
} from '@mooring/records'
import { encodeBase64url, keyPairFromSeed } from '@mooring/crypto'
import { randomBytes } from 'node:crypto'
import type { HostileReader } from './hostile-reader.ts'

export type Target = {
  setId: Uint8Array
  manifest: Manifest
  custodian: string
  holders: readonly string[]
  grant: Grant
}

export type Question = { signed: SignedAccessRequest; entry: AccessEntry }

export const random = (length: number) => new Uint8Array(randomBytes(length))

const LIFETIME_MS = 300_000

export function ask(
  reader: HostileReader,
  target: Target,
  block: AccessRequest['block'],
  changes: Partial<AccessRequest> = {},
): Question {
  const { setId, manifest, custodian, holders, grant } = target
  const id = random(16)
  const time = Date.now()
  const { facts, rec, recordCommit } = manifest
  const entry = sealAccessEntry(
    {
      kind: 'read',
      id,
      time,
      reader: reader.name,
      custodian,
      purpose: 'TREAT',
      patientKey: facts.patientKey,
      grant: grant.id,
      records: [{ setId, recordCommit, class: facts.class }],
      query: null,
      by: UNATTENDED,
      sequence: null,
      emergency: null,
    },
    grant.logKey,
    random,
  )
  const request: AccessRequest = {
    id,
    reader: reader.name,
    custodian,
    purpose: 'TREAT',
    grant: grant.signed,
    practitioner: null,
    sets: [{ setId, gateTag: gateTagOf(rec), facts: openFacts(rec, facts, []) }],
    entry: accessEntryCommit(entry),
    block,
    issuedAt: time,
    expiresAt: time + LIFETIME_MS,
    audience: [...holders],
    ...changes,
  }
  return { signed: signAccessRequest(reader.anchorKey, request), entry }
}

/** The same signature over something else. */
export function alteredGrant({ consent, signed }: Grant, changes: Partial<Consent>): SignedGrant {
  const [header, , signature] = signed.jws.split('.')
  const payload = encodeBase64url(formatConsent({ ...consent, ...changes }))
  return { ...signed, jws: [header, payload, signature].join('.') }
}

/** What somebody signs who is not the patient, for itself. */
export function foreignGrant({ consent }: Grant): SignedGrant {
  const key = keyPairFromSeed(random(32))
  const whose = { patientKey: key.publicKey, signerKey: key.publicKey }
  return signGrant(key, { ...consent, ...whose })
}

export function release(
  { signed }: Pick<Question, 'signed'>,
  witnesses: readonly AccessWitness[],
  setId: Uint8Array,
) {
  const items = [{ setId, from: 0, count: 1, digests: 0 }]
  return { kind: 'release' as const, body: { signed, witnesses: [...witnesses], items } }
}

export function digestOf({ signed }: Pick<Question, 'signed'>): Uint8Array {
  return accessRequestDigest(signed.request)
}
