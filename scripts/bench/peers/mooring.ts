// Mooring under the load that is also given to others: processes as an operator starts them, reached over HTTP.

import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { type Devnet, homePaths } from '@mooring/node'
import { networkUsage, startBenchNetwork } from '../../../packages/node/bench/bench-network.ts'
import type { Contact, Engine } from './engine.ts'

export const mooring: Engine = {
  name: 'mooring',
  checking: null,
  async start({ authorities }) {
    const network = await startBenchNetwork(authorities)
    return {
      contact: contactOf(network),
      settings:
        'the profile of a devnet; every node verifies every signature, and syncs before it votes',
      usage: () => networkUsage(network),
      stop: () => network.close(),
    }
  },
}

export interface MooringContact extends Contact {
  readonly engine: 'mooring'
  readonly genesisDigest: string
  readonly nodes: readonly { name: string; url: string; anchorKeyFile: string }[]
}

export function contactOf({
  devnet,
  nodes,
}: {
  devnet: Devnet
  nodes: readonly { name: string; home: string }[]
}): MooringContact {
  return {
    engine: 'mooring',
    genesisDigest: toHex(devnet.genesisDigest),
    nodes: nodes.map(({ name, home }, index) => ({
      name,
      url: `http://127.0.0.1:${devnet.nodes[index]?.ports.http}`,
      anchorKeyFile: join(homePaths(home).keys, 'anchor.json'),
    })),
  }
}
