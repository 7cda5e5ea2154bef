// The signer that holds the consensus key, as the node sees it.

import type { UnsignedVote } from '@mooring/consensus'
import type { Finding } from './alarms.ts'

export interface ReadyTerms {
  organisation: string
  change: Uint8Array
  expiresAt: number
}

export interface RemoteSigner {
  /**
   * Asks until the signer answers, or the vote is not wanted any more.
   *
   * @returns null for a vote that is not given.
   * @throws NodeError signer_contradiction, signer_behind, signer_foreign
   */
  vote(key: Uint8Array, vote: UnsignedVote, isWanted: () => boolean): Promise<Uint8Array | null>
  /** The transaction that says so; null while the signer is away. */
  ready(key: Uint8Array, terms: ReadyTerms): Promise<Uint8Array | null>
  /** What people should know of it; null when all is well. */
  finding(): Finding | null
  close(): Promise<void>
}
