// What every engine is loaded with: anchors, signed one by one as a hospital signs them.

import { keyPairFromSeed, type KeyPair } from '@mooring/crypto'
import { createTransaction } from '@mooring/ledger'

const EXPIRY_MS = 500_000

export interface Anchoring {
  readonly genesisDigest: Uint8Array
  readonly organisation: string
  readonly keyPair: KeyPair
}

export function signAnchor({ genesisDigest, organisation, keyPair }: Anchoring, sequence: number) {
  return createTransaction({
    genesisDigest,
    keyPair,
    kind: 'record.anchor',
    expiresAt: Date.now() + EXPIRY_MS,
    body: {
      organisation,
      sequence,
      batchRoot: crypto.getRandomValues(new Uint8Array(32)),
      sizeBucket: 16,
    },
  })
}

/** For an engine that knows nothing of our genesis. */
export function strangerAt(index: number): Anchoring {
  return {
    genesisDigest: new Uint8Array(32).fill(7),
    organisation: `hospital-${index}`,
    keyPair: keyPairFromSeed(new Uint8Array(32).fill(index + 1)),
  }
}
