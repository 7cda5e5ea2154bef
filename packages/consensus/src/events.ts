/**
 * Everything that can happen to the state machine. The shell verifies signatures before it builds an
 * event; the machine never sees an unverified vote, certificate or proposal.
 */
import type {
  AuthorityIndex,
  BlockMeta,
  Certificate,
  Digest,
  MonotonicMs,
  Proposal,
  Status,
  View,
  Vote,
} from './types.ts'

export type TimerName =
  | 'leader'
  | 'certification'
  | 'retry'
  | 'relay'
  | 'status'
  | 'completion'
  | 'build'
  | 'early'

export type ExecutionOutcome = 'valid' | 'invalid'

export type Event =
  | { readonly type: 'proposal'; readonly from: AuthorityIndex; readonly proposal: Proposal }
  | { readonly type: 'votes'; readonly votes: readonly Vote[] }
  | { readonly type: 'certificates'; readonly certificates: readonly Certificate[] }
  | { readonly type: 'status'; readonly from: AuthorityIndex; readonly status: Status }
  /** A block that was asked for is here, its digest checked. */
  | { readonly type: 'block'; readonly block: BlockMeta }
  | { readonly type: 'executed'; readonly digest: Digest; readonly outcome: ExecutionOutcome }
  /** Answer to `build`. Null: nothing to propose after all, or it cannot be done (`failed`). */
  | {
      readonly type: 'built'
      readonly view: View
      readonly block: BlockMeta | null
      readonly failed: boolean
    }
  | { readonly type: 'timer'; readonly name: TimerName; readonly view: View }
  /** Whether a transaction waits that no unfinalized block contains, or the heartbeat is due. */
  | { readonly type: 'work'; readonly waiting: boolean }
  /** When each authority was last heard; null = not connected. */
  | { readonly type: 'peers'; readonly heard: readonly (MonotonicMs | null)[] }
  /** A block that is final by the certificates of a quorum does not execute here. */
  | { readonly type: 'diverged'; readonly digest: Digest; readonly view: View }
  /** Blocks up to this one were committed outside the machine; `finalization` is of this one or of a later one. */
  | {
      readonly type: 'synced'
      readonly block: BlockMeta
      readonly finalization: Certificate
    }
