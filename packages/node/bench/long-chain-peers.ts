// The hospitals of a devnet that hold a long chain and its snapshot, in a process of their own: they answer for it,
// and agree on nothing.
//
//   fork('long-chain-peers.ts', [folder of the devnet, LongChainSize as JSON])

import { join } from 'node:path'
import { formatPeerId } from '@mooring/crypto'
import { type Network, startNetwork } from '@mooring/network'
import { answerBlockRequest } from '../src/block-server.ts'
import { loadNodeOptions, type NodeOptions } from '../src/index.ts'
import { WIRE_VERSIONS } from '../src/protocol.ts'
import { answerSnapshotRequest } from '../src/snapshot-exchange.ts'
import { growLongChain, type LongChain, type LongChainSize } from './long-chain.ts'

export interface LongChainPeers {
  head: { height: number; digest: Uint8Array }
  snapshotBytes: number
}

const MEMBERS = 4

const [dir = '', size = ''] = process.argv.slice(2)
const options: NodeOptions[] = []
for (let index = 0; index <= MEMBERS; index += 1) {
  const home = join(dir, `hospital-${index}`)
  options.push(await loadNodeOptions({ home, flags: {}, env: {} }))
}
const sizeOf: LongChainSize = JSON.parse(size)
const made = await growLongChain(join(dir, 'made'), options.slice(0, MEMBERS), sizeOf)
const networks: Network[] = []
for (const each of options.slice(0, MEMBERS)) networks.push(await answerAs(each, made))
process.once('message', () => {
  void (async () => {
    for (const network of networks) await network.close()
    await made.close()
    process.disconnect()
  })()
})
const { height, digest } = made.chain.tip
const { snapshotBytes } = made
process.send?.({ head: { height, digest }, snapshotBytes } satisfies LongChainPeers)

function answerAs(
  { p2p, keys, networkId, genesisDigest }: NodeOptions,
  { chain, execution, snapshots }: LongChain,
): Promise<Network> {
  return startNetwork(
    {
      listen: [...p2p.listen],
      announce: [],
      transportSeed: keys.transport.seed,
      networkId,
      genesisDigest,
      protocolVersions: WIRE_VERSIONS,
      members: () =>
        options.map(({ name, halves }, index) => ({
          peerId: formatPeerId(halves.transport.publicKey),
          name,
          authority: index < MEMBERS,
        })),
      addresses: (peerId) => p2p.peers.filter((address) => address.endsWith(`/p2p/${peerId}`)),
      log: () => undefined,
    },
    {
      onMessage: () => undefined,
      onTransactions: () => 'ignore',
      onRequest: async (_peer, protocol, payload) =>
        protocol === 'snapshot'
          ? answerSnapshotRequest(payload, snapshots)
          : answerBlockRequest(payload, { chain, execution }),
      onPeer: () => undefined,
      status: () => ({ height: chain.tip.height }),
    },
  )
}
