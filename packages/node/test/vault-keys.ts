// Keys of made-up hospitals and patients, bytes of made-up records, and final blocks that everybody has.

import { createHash } from 'node:crypto'
import { keyPairFromSeed, sha256, x25519PublicKey } from '@mooring/crypto'
import { blockDigest, encodeHeader, type Header, type Organisation } from '@mooring/ledger'
import { organisationDid, pairwiseSealKey, pairwiseSignKey } from '@mooring/records'

export const HEIGHT = 70
export const seedOf = (name: string) => sha256(new TextEncoder().encode(name))

export interface Whose {
  readonly seed: Uint8Array
  readonly custodian: string
}

/** The members as they are now, in both shapes that are asked for. */
export class MembersNow {
  readonly #now: () => readonly Organisation[]

  constructor(now: () => readonly Organisation[]) {
    this.#now = now
  }

  get organisations(): readonly Organisation[] {
    return this.#now()
  }

  get list(): { peerId: string; name: string; authority: boolean }[] {
    return this.#now().map(({ id }) => ({ peerId: id, name: id, authority: true }))
  }
}

export function bytesFor(name: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    const block = createHash('sha256').update(`${name} ${at}`).digest()
    bytes.set(block.subarray(0, Math.min(32, length - at)), at)
  }
  return bytes
}

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

export function signKeyOf({ seed, custodian }: Whose) {
  return pairwiseSignKey(seed, organisationDid(custodian))
}

export function logKeyOf({ seed, custodian }: Whose): Uint8Array {
  return pairwiseSealKey(seed, organisationDid(custodian), 1).publicKey
}

export function anchorKeyOf(name: string) {
  return keyPairFromSeed(seedOf(`${name} anchor`))
}

export function sealSecretOf(name: string): Uint8Array {
  return seedOf(`${name} seal`)
}

export function organisationOf(id: string): Organisation {
  const key = (duty: string) => keyPairFromSeed(seedOf(`${id} ${duty}`)).publicKey
  return {
    id,
    name: id,
    legalGroup: `group of ${id}`,
    roles: ['authority'],
    keys: {
      governance: key('governance'),
      consensus: key('consensus'),
      transport: key('transport'),
      anchor: key('anchor'),
      seal: x25519PublicKey(sealSecretOf(id)),
      issuer: null,
    },
  }
}

function headerAt(height: number): Header {
  const zero = new Uint8Array(32)
  return {
    genesisDigest: zero,
    epoch: 0,
    view: height,
    parentView: Math.max(0, height - 1),
    height,
    parent: zero,
    time: 1_700_000_000_000 + height,
    proposer: 'a',
    transactionRoot: zero,
    transactionCount: 0,
    stateRoot: zero,
    historyRoot: zero,
    authoritySetDigest: zero,
    nextAuthoritySetDigest: null,
  }
}

/** The same final blocks for everybody. */
export const chain = {
  tip: {
    height: HEIGHT,
    digest: blockDigest(headerAt(HEIGHT)),
    time: 0,
    stateRoot: new Uint8Array(32),
  },
  getHeader: (at: number | Uint8Array) =>
    typeof at === 'number' && at <= HEIGHT ? encodeHeader(headerAt(at)) : undefined,
}
