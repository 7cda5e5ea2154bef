// What this node does about the chain. What must be equal everywhere is in the genesis, not here.

import { choice, integer, path, size } from './option-kinds.ts'

const MIB = 1024 ** 2

export const CONSENSUS_OPTIONS = {
  signer_state: path({
    default: '',
    description:
      'File of the high-water marks, best on another disk; empty: signer.state in guard/.',
  }),
}

export const MEMPOOL_OPTIONS = {
  max_count: integer([1, 1_000_000], {
    default: 10_000,
    description: 'Most transactions waiting for a block.',
    profiles: { devnet: 100_000 },
  }),
  max_bytes: size([64 * 1024, 4096 * MIB], {
    default: 64 * MIB,
    description: 'Most bytes of waiting transactions.',
  }),
  per_client: integer([1, 1_000_000], {
    default: 500,
    description: 'Most transactions waiting that came from one client.',
    profiles: { devnet: 100_000, test: 100_000 },
  }),
}

export const SYNC_OPTIONS = {
  mode: choice(['blocks', 'snapshot'], {
    default: 'blocks',
    description: 'How a node without a chain begins: with every block, or with a snapshot.',
  }),
}
