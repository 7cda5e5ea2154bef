// The organisations of a cluster and their keys. A key may be renewed: each has generations, and the
// newest one is in use from the next start of its member on.

import { type KeyPair, keyPairFromSeed, sha256, x25519PublicKey } from '@mooring/crypto'
import {
  type Change,
  createTransaction,
  type Duty,
  type NewKey,
  type Organisation,
  signGenesisEntry,
  signNewKey,
} from '@mooring/ledger'

export const NETWORK = 'cluster'

export type OwnDuty = Exclude<Duty, 'issuer'>

const DUTIES: readonly OwnDuty[] = ['governance', 'consensus', 'transport', 'anchor', 'seal']

export function nameOf(index: number): string {
  return `h-${index}`
}

export function seedOf(index: number, duty: OwnDuty, generation = 0): Uint8Array {
  return sha256(new TextEncoder().encode(`${index} ${duty} ${generation}`))
}

export class ClusterKeys {
  readonly #generations = new Map<string, number>()

  pair(index: number, duty: OwnDuty): KeyPair {
    const seed = seedOf(index, duty, this.#generations.get(`${index} ${duty}`) ?? 0)
    return duty === 'seal' ? { seed, publicKey: x25519PublicKey(seed) } : keyPairFromSeed(seed)
  }

  /** From now on the next key of this duty is the one in use. */
  renew(index: number, duty: OwnDuty): KeyPair {
    const generation = this.#generations.get(`${index} ${duty}`) ?? 0
    this.#generations.set(`${index} ${duty}`, generation + 1)
    return this.pair(index, duty)
  }

  organisation(index: number, role: 'authority' | 'observer' = 'authority'): Organisation {
    const key = (duty: OwnDuty): Uint8Array => this.pair(index, duty).publicKey
    return {
      id: nameOf(index),
      name: `Hospital ${index}`,
      legalGroup: `group-${index}`,
      roles: [role],
      keys: {
        governance: key('governance'),
        consensus: key('consensus'),
        transport: key('transport'),
        anchor: key('anchor'),
        seal: key('seal'),
        issuer: null,
      },
    }
  }

  founder(index: number): ReturnType<typeof signGenesisEntry> {
    return signGenesisEntry(NETWORK, this.organisation(index), this.pair(index, 'governance'))
  }

  /** A change that renews these keys; from now on they are the ones in use. */
  rekey(network: Uint8Array, index: number, duties: readonly OwnDuty[] = DUTIES): Change {
    const organisation = nameOf(index)
    const keys = duties.map((duty): NewKey => {
      const pair = this.renew(index, duty)
      if (duty === 'seal') return { duty, key: pair.publicKey, signature: null }
      return signNewKey(network, { organisation, duty }, pair)
    })
    return { kind: 'rekey', body: { organisation, keys } }
  }
}

const LIFETIME_MS = 300_000

export function proposalOf(
  network: Uint8Array,
  organisation: string,
  key: KeyPair,
  change: Change,
): Uint8Array {
  const now = Date.now()
  return createTransaction({
    genesisDigest: network,
    keyPair: key,
    kind: 'change.propose',
    expiresAt: now + LIFETIME_MS,
    body: { organisation, reason: 'a test asks for it', expiresAt: now + 3_600_000, change },
  })
}

export function approvalOf(
  network: Uint8Array,
  organisation: string,
  key: KeyPair,
  change: Uint8Array,
): Uint8Array {
  return createTransaction({
    genesisDigest: network,
    keyPair: key,
    kind: 'change.approve',
    expiresAt: Date.now() + LIFETIME_MS,
    body: { organisation, change },
  })
}

export function readinessOf(
  network: Uint8Array,
  organisation: string,
  key: KeyPair,
  change: Uint8Array,
): Uint8Array {
  return createTransaction({
    genesisDigest: network,
    keyPair: key,
    kind: 'change.ready',
    expiresAt: Date.now() + LIFETIME_MS,
    body: { organisation, change },
  })
}
