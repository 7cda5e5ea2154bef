// A hospital that keeps a patient's records, one that wants to read them, and holders: keys from fixed
// seeds, and a request that every holder permits, with the means to change one thing of it.

import { concatBytes, equalBytes, toHex } from '@mooring/codec'
import { type KeyPair, keyPairFromSeed, sha256 } from '@mooring/crypto'
import {
  type Access,
  accessEntryCommit,
  type AccessInput,
  type AccessRequest,
  type FactsOpening,
  gateTagOf,
  consentOf,
  type Grant,
  type GrantTerms,
  readGrant,
  RecordsError,
  type HandleStanding,
  type HeldSet,
  NO_CLINICAL_FACTS,
  openFacts,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  type RandomBytes,
  type RecordFacts,
  type SignedGrant,
  sealAccessEntry,
  signAccessRequest,
  signGrant,
  UNATTENDED,
} from '../src/index.ts'
import { type FacetName, gateOfOpening } from '../src/facts.ts'

export const NOW = Date.UTC(2026, 10, 26, 12)
export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const TIP = 1_000
export const CUSTODIAN = 'st-mary'
export const READER = 'county'
export const SELF = 'lakeview'
export const MEMBERS = [CUSTODIAN, READER, SELF, 'riverside']

const utf8 = new TextEncoder()

export function bytesOf(name: string, length = 32): Uint8Array {
  return sha256(utf8.encode(name)).slice(0, length)
}

export function seededRandom(seed: string): RandomBytes {
  let count = 0
  return (length) => {
    const parts: Uint8Array[] = []
    for (let made = 0; made < length; made += 32) {
      count += 1
      parts.push(bytesOf(`${seed} ${count}`))
    }
    return concatBytes(...parts).slice(0, length)
  }
}

export function anchorKeyOf(organisation: string): KeyPair {
  return keyPairFromSeed(bytesOf(`${organisation} anchor`))
}

export const patientSeed = bytesOf('patient')
export const patientKey = pairwiseSignKey(patientSeed, organisationDid(CUSTODIAN))
export const logKey = pairwiseSealKey(patientSeed, organisationDid(CUSTODIAN), 0)
export const otherPatientKey = pairwiseSignKey(bytesOf('other'), organisationDid(CUSTODIAN))

export const HANDLE = bytesOf('handle')
export const blockDigestAt = (height: number): Uint8Array => bytesOf(`block ${height}`)

export interface AskedSet {
  setId: Uint8Array
  gateTag: Uint8Array
  facts: FactsOpening
}

export function askedSet(
  name: string,
  facts: Partial<RecordFacts> = {},
  shown: readonly FacetName[] = [],
): AskedSet {
  const rec = bytesOf(`rec ${name}`)
  return {
    setId: bytesOf(`set ${name}`),
    gateTag: gateTagOf(rec),
    facts: openFacts(rec, factsOf(name, facts), shown),
  }
}

export function factsOf(name: string, changes: Partial<RecordFacts> = {}): RecordFacts {
  return {
    ...NO_CLINICAL_FACTS,
    patientKey: patientKey.publicKey,
    class: 'general',
    record: bytesOf(`record ${name}`),
    type: 'Observation',
    date: '2026-11-01',
    author: 'P/1',
    encounter: 'E/1',
    ...changes,
  }
}

export function termsOf(changes: Partial<GrantTerms> = {}): GrantTerms {
  return {
    id: bytesOf('grant', 16),
    handle: HANDLE,
    patientKey: patientKey.publicKey,
    logKey: logKey.publicKey,
    custodian: CUSTODIAN,
    recipient: READER,
    purposes: ['TREAT'],
    notBefore: NOW - DAY,
    expiresAt: NOW + DAY,
    content: { classes: ['general', 'emergency'] },
    ...changes,
  }
}

export function grantOf(changes: Partial<GrantTerms> = {}): SignedGrant {
  return signGrant(patientKey, consentOf(termsOf(changes)))
}

/** One whose text was changed by somebody who has not the key. */
export function forgedGrant(): SignedGrant {
  const { jws, delegations } = grantOf({ expiresAt: NOW + 2 * DAY })
  const [, , signature] = grantOf().jws.split('.')
  return { jws: [...jws.split('.').slice(0, 2), signature].join('.'), delegations }
}

/** Handles that are open on the chain, and no key that was replaced. */
export function standingsOf(handles: Record<string, Partial<HandleStanding> | null> = {}) {
  const live = { kind: 'share', expiresAt: NOW + 400 * DAY, revokedAt: null }
  return {
    handle: (handle: Uint8Array): HandleStanding | undefined => {
      const changes = handles[toHex(handle)]
      return changes === null ? undefined : { ...live, ...changes }
    },
    isReplaced: () => false,
    isSuccessor: (_custodian: string, former: Uint8Array, key: Uint8Array) =>
      equalBytes(former, key),
  }
}

export function accessOf(changes: Partial<Access> = {}): Access {
  return {
    kind: 'read',
    id: bytesOf('request', 16),
    time: NOW,
    reader: READER,
    custodian: CUSTODIAN,
    purpose: 'TREAT',
    patientKey: patientKey.publicKey,
    grant: bytesOf('grant', 16),
    records: [
      { setId: bytesOf('set a'), recordCommit: bytesOf('record a'), class: 'general' },
      { setId: bytesOf('set b'), recordCommit: bytesOf('record b'), class: 'emergency' },
    ],
    query: null,
    by: UNATTENDED,
    sequence: null,
    emergency: null,
    ...changes,
  }
}

export const entry = sealAccessEntry(accessOf(), logKey.publicKey, seededRandom('entry'))

export function requestOf(changes: Partial<AccessRequest> = {}): AccessRequest {
  return {
    id: bytesOf('request', 16),
    reader: READER,
    custodian: CUSTODIAN,
    purpose: 'TREAT',
    grant: grantOf(),
    practitioner: null,
    sets: [askedSet('a'), askedSet('b', { class: 'emergency' })],
    entry: accessEntryCommit(entry),
    block: { height: TIP - 1, digest: blockDigestAt(TIP - 1) },
    issuedAt: NOW,
    expiresAt: NOW + 5 * 60_000,
    audience: [SELF, 'riverside', CUSTODIAN],
    ...changes,
  }
}

/** The sets of this name, as a holder has them. */
export function heldSets(sets: readonly AskedSet[]): (setId: Uint8Array) => HeldSet | undefined {
  const held = new Map(
    sets.map(({ setId, gateTag, facts }) => [
      setId.join(),
      { custodian: CUSTODIAN, gate: gateOfOpening(gateTag, facts) },
    ]),
  )
  return (setId) => held.get(setId.join())
}

function readable(grant: SignedGrant): Grant | undefined {
  try {
    return readGrant(grant)
  } catch (error) {
    if (error instanceof RecordsError) return undefined
    throw error
  }
}

/** What a holder knows, and a request signed by its reader. */
export function inputOf(
  request: AccessRequest = requestOf(),
  changes: Partial<AccessInput> = {},
): AccessInput {
  return {
    signed: signAccessRequest(anchorKeyOf(request.reader), request),
    sender: request.reader,
    self: SELF,
    entry: request.entry,
    anchorKeyOf: (id) => (MEMBERS.includes(id) ? anchorKeyOf(id).publicKey : undefined),
    grantOf: readable,
    standings: standingsOf(),
    isStale: false,
    tip: TIP,
    blockDigestAt: (height) => (height <= TIP ? blockDigestAt(height) : undefined),
    now: NOW,
    heldSet: heldSets([askedSet('a'), askedSet('b', { class: 'emergency' })]),
    ...changes,
  }
}
