// The genesis that a node shows, as a wallet pins it: the digest names the network from then on.

import { createClient } from '@mooring/api/client'
import { CodecError } from '@mooring/codec'
import { encodeGenesis, genesisDigest, LedgerError, parseGenesisJson } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import type { Wallet } from '@mooring/records'
import type { RemoteOptions } from './endpoint.ts'
import { asking } from './remote-error.ts'

export type Network = NonNullable<Wallet['genesis']>

export async function askGenesis(url: string, { timeout }: RemoteOptions): Promise<Network> {
  const endpoint = { url, origin: 'the ticket' }
  const client = createClient(url, { timeoutMs: timeout })
  const json = await asking(endpoint, timeout, client.genesis())
  try {
    const genesis = parseGenesisJson(json)
    return { digest: genesisDigest(genesis), encoded: encodeGenesis(genesis) }
  } catch (error) {
    if (!(error instanceof LedgerError || error instanceof CodecError)) throw error
    const detail = 'something that is no genesis'
    throw new NodeError('endpoint_strange', { url, detail }, { cause: error })
  }
}
