// Signing for an organisation with its governance key, which is cold: it lies in a file that only these
// commands open, and never reaches a node. The node is asked for what is to be signed, and given what
// was; that it is a node of the home's own network is checked before anything is.

import { join, resolve } from 'node:path'
import type { Member, Network, Status } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { createTransaction, genesisDigest, networkId, type Payload } from '@mooring/ledger'
import { homePaths } from '@mooring/node/home'
import { keyFileName, readKeyFile } from '@mooring/node/keys'
import { readGenesisFile } from '@mooring/node/load-options'
import { adoptNextKey, findNextKey } from '@mooring/node/next-keys'
import { NodeError } from '@mooring/node/node-error'
import type { SeedLock } from '@mooring/node'
import { type Context, homeOf } from './context.ts'
import type { Endpoint, RemoteOptions } from './endpoint.ts'
import { governanceLock, type GovernanceLockOptions } from './keys-lock.ts'

export type GovernanceOptions = RemoteOptions & GovernanceLockOptions & { governanceKey?: string }

/** The network as the node sees it at the moment, and the key to sign with. */
export type Governance = {
  client: Client
  keyPair: KeyPair
  genesisDigest: Uint8Array
  network: Network
  members: Member[]
  status: Status
  /** Whose key it is. */
  organisation: string
}

export function governanceKeyPath(
  context: Context,
  options: Omit<GovernanceOptions, 'timeout'>,
): string {
  const { governanceKey: path } = options
  if (path !== undefined) return resolve(context.cwd, path)
  return join(homePaths(homeOf(context, options)).keys, keyFileName('governance'))
}

async function homeDigest(
  context: Context,
  options: GovernanceOptions,
): Promise<Uint8Array | undefined> {
  try {
    const { genesisFile } = homePaths(homeOf(context, options))
    return genesisDigest(await readGenesisFile(genesisFile))
  } catch (error) {
    if (error instanceof NodeError && error.code === 'genesis_missing') return undefined
    throw error
  }
}

export async function openGovernance(
  context: Context,
  options: GovernanceOptions,
  { client, endpoint }: { client: Client; endpoint: Endpoint },
): Promise<Governance> {
  const path = governanceKeyPath(context, options)
  const own = await homeDigest(context, options)
  const [network, { items: members }, status] = await Promise.all([
    client.network(),
    client.members(),
    client.status(),
  ])
  const digest = fromHex(network.genesisDigest)
  if (own !== undefined && !equalBytes(own, digest)) {
    const data = { home: networkId(own), url: endpoint.url, node: network.networkId }
    throw new NodeError('endpoint_foreign', data)
  }
  const ownerOf = ({ publicKey }: KeyPair) =>
    members.find(({ keys }) => keys['governance'] === toHex(publicKey))?.id
  const lock = await governanceLock(context, options)
  const keyPair = await readGovernanceKey(path, lock, (key) => ownerOf(key) !== undefined)
  const organisation = ownerOf(keyPair)
  if (organisation === undefined) {
    const key = toHex(keyPair.publicKey)
    throw new NodeError('governance_foreign', { path, key, network: network.networkId })
  }
  return { client, keyPair, genesisDigest: digest, network, members, status, organisation }
}

// A rotation of this key may have passed while nobody waited for it.
async function readGovernanceKey(
  path: string,
  lock: SeedLock,
  isMembers: (keyPair: KeyPair) => boolean,
): Promise<KeyPair> {
  const keyPair = await readKeyFile(path, 'governance', lock)
  if (isMembers(keyPair)) return keyPair
  const next = await findNextKey(path, 'governance', lock)
  return next !== undefined && isMembers(next) ? adoptNextKey(path, 'governance', lock) : keyPair
}

// In the middle of what the network allows: clocks differ, and blocks take their time.
function expiryOf({ network, status }: Governance, now: Date): number {
  const windowMs = network.parameters['expiryWindowMs'] ?? 0
  return Math.max(now.getTime(), Date.parse(status.chain.time)) + Math.floor(windowMs / 2)
}

type Unsigned<P = Payload> = P extends Payload ? Omit<P, 'expiresAt'> : never

export function signTransaction(governance: Governance, now: Date, unsigned: Unsigned): Uint8Array {
  const { keyPair, genesisDigest: digest } = governance
  const expiresAt = expiryOf(governance, now)
  return createTransaction({ ...unsigned, expiresAt, genesisDigest: digest, keyPair })
}
