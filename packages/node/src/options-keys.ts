// Where the keys of a node are.

import { path } from './option-kinds.ts'

export const KEYS_OPTIONS = {
  consensus: path({
    default: 'keys/consensus.json',
    description: 'Key that signs votes, relative to the home.',
  }),
  transport: path({
    default: 'keys/transport.json',
    description: 'Key of the libp2p identity, relative to the home.',
  }),
  anchor: path({
    default: 'keys/anchor.json',
    description: 'Key that signs record anchors, relative to the home.',
  }),
  seal: path({
    default: 'keys/seal.json',
    description: 'X25519 key that opens what is sealed to us, relative to the home.',
  }),
}
