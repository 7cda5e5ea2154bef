// Members over real sockets that hold a chain which was made by hand, and answer for it.

import { formatPeerId } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import { keyOf, NAMES } from './chain-members.ts'
import type { MadeChain } from './made-chain.ts'

export class MadeMembers {
  readonly #made: MadeChain
  readonly #addresses = new Map<string, string[]>()
  readonly #networks: Network[] = []

  constructor(made: MadeChain) {
    this.#made = made
  }

  async start(name: string, handlers: Partial<NetworkHandlers>): Promise<Network> {
    const made = this.#made
    const network = await startNetwork(
      {
        listen: ['/ip4/127.0.0.1/tcp/0'],
        announce: [],
        transportSeed: keyOf(name, 'transport').seed,
        networkId: networkId(made.digest),
        genesisDigest: made.digest,
        protocolVersion: 1,
        members: () =>
          NAMES.map((member) => ({
            peerId: formatPeerId(keyOf(member, 'transport').publicKey),
            name: member,
            authority: true,
          })),
        addresses: (peerId) => this.#addresses.get(peerId) ?? [],
        log: () => undefined,
      },
      {
        onMessage: () => undefined,
        onTransactions: () => 'ignore',
        onRequest: (_peer, _protocol, payload) => Promise.resolve(made.answer(payload)),
        onPeer: () => undefined,
        status: () => ({ height: made.height }),
        ...handlers,
      },
    )
    this.#addresses.set(network.peerId, network.addresses())
    this.#networks.push(network)
    return network
  }

  async close(): Promise<void> {
    for (const network of this.#networks) await network.close()
  }
}
