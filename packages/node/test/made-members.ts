// Members over real sockets that hold a chain which was made by hand, and answer for it.

import { formatPeerId } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import { keyOf, NAMES } from './chain-members.ts'

/** What there is to answer with: a MadeChain has it. */
export interface MadeAnswers {
  readonly digest: Uint8Array
  readonly height: number
  answer(payload: Uint8Array): Uint8Array
}

export class MadeMembers {
  readonly #made: MadeAnswers
  readonly #addresses = new Map<string, string[]>()
  readonly #networks: Network[] = []

  constructor(made: MadeAnswers) {
    this.#made = made
  }

  /** Where the members are, by peer id; and where those are that another process has. */
  get addresses(): Map<string, string[]> {
    return this.#addresses
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
        protocolVersions: [1, 2],
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
