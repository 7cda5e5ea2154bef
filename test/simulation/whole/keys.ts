/** Organisations of a simulated network: names, keys that follow from a name, and the genesis. */
import { formatPeerId, type KeyPair, keyPairFromSeed, x25519PublicKey } from '@mooring/crypto'
import {
  createGenesis,
  DEVNET_PARAMETERS,
  type Genesis,
  genesisDigest,
  type Organisation,
  type Parameters,
  signGenesisEntry,
} from '@mooring/ledger'

const DUTIES = ['governance', 'consensus', 'transport', 'anchor', 'seal'] as const
export type SimulatedDuty = (typeof DUTIES)[number]

const NETWORK = 'simulation'

/** In the order of the authority set, which is that of the names. */
export function nameOf(index: number): string {
  return `h-${String(index).padStart(2, '0')}`
}

export const KEY_GENERATIONS = 4

export function indexOf(name: string): number {
  return Number(name.slice(2))
}

const seeds = new Map<string, KeyPair>()

/** Making a key pair is dear, and all seeds may share them: nothing is secret here. */
export function keyOf(index: number, duty: SimulatedDuty, generation = 0): KeyPair {
  const name = `${index} ${duty} ${generation}`
  const known = seeds.get(name)
  if (known !== undefined) return known
  const seed = new Uint8Array(32).fill(7)
  // Not at the ends, where X25519 clamps.
  seed.set([index, DUTIES.indexOf(duty), generation], 8)
  const pair = keyPairFromSeed(seed)
  seeds.set(name, pair)
  return pair
}

const peers = new Map<number, string>()

export function peerIdOf(index: number): string {
  const known = peers.get(index)
  if (known !== undefined) return known
  const peerId = formatPeerId(keyOf(index, 'transport').publicKey)
  peers.set(index, peerId)
  return peerId
}

export function organisationOf(index: number, role: Organisation['roles'][number]): Organisation {
  const key = (duty: SimulatedDuty): Uint8Array => keyOf(index, duty).publicKey
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
      seal: x25519PublicKey(keyOf(index, 'seal').seed),
      issuer: null,
    },
  }
}

export interface Founding {
  readonly genesis: Genesis
  readonly digest: Uint8Array
}

const foundings = new Map<string, Founding>()

export function found(
  { authorities, observers }: { authorities: number; observers: number },
  time: number,
  parameters: Partial<Parameters>,
): Founding {
  const name = JSON.stringify([authorities, observers, time, parameters])
  const known = foundings.get(name)
  if (known !== undefined) return known
  const organisations = Array.from({ length: authorities + observers }, (_, index) => {
    const organisation = organisationOf(index, index < authorities ? 'authority' : 'observer')
    return signGenesisEntry(NETWORK, organisation, keyOf(index, 'governance'))
  })
  const genesis = createGenesis({
    networkName: NETWORK,
    time,
    parameters: { ...DEVNET_PARAMETERS, ...parameters },
    organisations,
  })
  const founding = { genesis, digest: genesisDigest(genesis) }
  foundings.set(name, founding)
  return founding
}
