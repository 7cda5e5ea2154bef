// Four authorities and an observer, their keys, and what they sign.

import type { Certificate, Event, Subject, VoteKind } from '@mooring/consensus'
import { voteMessage, ZERO_DIGEST } from '@mooring/consensus'
import {
  bitmapOf,
  domainHash,
  type KeyPair,
  keyPairFromSeed,
  sha256,
  sign,
  x25519PublicKey,
} from '@mooring/crypto'
import {
  createGenesis,
  createTransaction,
  DEVNET_PARAMETERS,
  type Genesis,
  type Organisation,
  type Parameters,
  signGenesisEntry,
} from '@mooring/ledger'
import { START } from './test-clock.ts'

export const NAMES = ['st-mary', 'riverside', 'county', 'lakeview']
/** After the authorities: none of them. */
export const OBSERVER = 'laboratory'

const keys = new Map<string, KeyPair>()

export function keyOf(name: string, duty: string): KeyPair {
  const whose = `${name} ${duty}`
  const known = keys.get(whose) ?? keyPairFromSeed(sha256(new TextEncoder().encode(whose)))
  keys.set(whose, known)
  return known
}

export function organisation(id: string): Organisation {
  const key = (duty: string) => keyOf(id, duty).publicKey
  return {
    id,
    name: `Hospital ${id}`,
    legalGroup: id,
    roles: [id === OBSERVER ? 'observer' : 'authority'],
    keys: {
      governance: key('governance'),
      consensus: key('consensus'),
      transport: key('transport'),
      anchor: key('anchor'),
      seal: x25519PublicKey(keyOf(id, 'seal').seed),
      issuer: null,
    },
  }
}

export function genesisWith(parameters: Partial<Parameters>): Genesis {
  return createGenesis({
    networkName: 'test',
    time: START - 5_000,
    parameters: { ...DEVNET_PARAMETERS, ...parameters },
    organisations: [...NAMES, OBSERVER].map((name) =>
      signGenesisEntry('test', organisation(name), keyOf(name, 'governance')),
    ),
  })
}

export interface BatchPlace {
  kind: 'record.anchor' | 'access.log'
  organisation: string
  sequence: number
}

export function batchOf(chain: Uint8Array, place: BatchPlace, expiresAt: number): Uint8Array {
  const { kind, organisation: organisationId, sequence } = place
  return createTransaction({
    genesisDigest: chain,
    keyPair: keyOf(organisationId, 'anchor'),
    kind,
    expiresAt,
    body: {
      organisation: organisationId,
      sequence,
      batchRoot: domainHash('batch', new TextEncoder().encode(`${organisationId} ${sequence}`)),
      sizeBucket: 64,
    },
  })
}

/** Signed by the first three of the four. */
export function certificateOf(chain: Uint8Array, kind: VoteKind, subject: Subject): Certificate {
  const signers = [0, 1, 2]
  const message = voteMessage(chain, kind, subject)
  const signatures = signers.map((index) => sign(keyOf(NAMES[index] ?? '', 'consensus'), message))
  return { kind, subject, bitmap: bitmapOf(signers, NAMES.length), signatures }
}

/** The votes of others, as agreement gets them: checked, so that nobody looks at their signatures. */
export function votesBy(signers: readonly number[], kind: VoteKind, subject: Subject): Event {
  const signature = new Uint8Array(64)
  return { type: 'votes', votes: signers.map((signer) => ({ kind, subject, signer, signature })) }
}

export function nullifyOf(view: number): Subject {
  return { epoch: 0, view, parentView: 0, height: 0, digest: ZERO_DIGEST }
}
