// A node that is asked about the chain on behalf of a wallet: the one that is named, else a hospital that
// the wallet knows, else the usual one. Any member will do: what it relays is signed.

import { ApiProblem, type Client } from '@mooring/api/client'
import { connectClient } from '@mooring/api/node-client'
import type { Identity } from '@mooring/api'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import type { Wallet } from '@mooring/records'
import type { Context } from './context.ts'
import { type RemoteOptions, resolveEndpoint } from './endpoint.ts'
import { asking } from './remote-error.ts'

export async function askChain<T>(
  context: Context,
  wallet: Pick<Wallet, 'hospitals'>,
  options: RemoteOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const [first] = wallet.hospitals
  const endpoint =
    options.endpoint === undefined && first !== undefined
      ? { url: first.endpoint, origin: `${first.organisation}, as the wallet has it` }
      : await resolveEndpoint(context, options)
  const client = connectClient(endpoint.url, { timeoutMs: options.timeout })
  return asking(endpoint, options.timeout, work(client))
}

// Undefined where the chain has none of that name.
export async function findIdentity(client: Client, id: Uint8Array): Promise<Identity | undefined> {
  try {
    return await client.identity(toHex(id))
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'identity_unknown') return undefined
    throw error
  }
}

// The network of the node that answers; what is signed for another one is worth nothing here.
export async function askNetwork(client: Client): Promise<Uint8Array> {
  return fromHex((await client.network()).genesisDigest)
}

export async function refuseOther(client: Client, expected: Uint8Array): Promise<void> {
  if (!equalBytes(await askNetwork(client), expected)) throw new NodeError('other_network')
}
