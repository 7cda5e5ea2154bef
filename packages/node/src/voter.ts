// Who puts the signature under a vote: this process, with the key in its memory, or a signer that has it.

import { type UnsignedVote, voteMessage } from '@mooring/consensus'
import { sign } from '@mooring/crypto'
import type { ConsensusKey } from './load-options.ts'
import type { RemoteSigner } from './remote-signer.ts'

/** Signs at once; or asks, and may be left waiting. */
export type Voter =
  | { sign: (vote: UnsignedVote) => Uint8Array }
  | {
      /** @returns null for a vote that is not given: it was not wanted any more, or cannot be judged. */
      ask: (vote: UnsignedVote, isWanted: () => boolean) => Promise<Uint8Array | null>
    }

/** @param consensusKey null for one that must never vote. */
export function voterOf(
  { consensusKey, genesisDigest }: { consensusKey: ConsensusKey | null; genesisDigest: Uint8Array },
  signer: Pick<RemoteSigner, 'vote'> | undefined,
): Voter {
  if (consensusKey === null) {
    return {
      sign: () => {
        throw new Error('an observer was asked to vote')
      },
    }
  }
  const { seed, publicKey } = consensusKey
  if (seed !== null) {
    return {
      sign: ({ kind, subject }) =>
        sign({ seed, publicKey }, voteMessage(genesisDigest, kind, subject)),
    }
  }
  if (signer === undefined) throw new Error('nobody holds the consensus key')
  return { ask: (vote, isWanted) => signer.vote(publicKey, vote, isWanted) }
}
