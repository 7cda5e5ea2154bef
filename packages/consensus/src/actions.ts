/**
 * Everything the state machine can ask for. The shell performs the actions of a step in order, and
 * makes every `journal` and `vote` of it durable with one sync before anything of it is sent.
 */
import type { TimerName } from './events.ts'
import type {
  AuthorityIndex,
  BlockMeta,
  Certificate,
  Digest,
  Evidence,
  Status,
  UnsignedVote,
  View,
  Vote,
} from './types.ts'

export type Outgoing =
  | { readonly kind: 'votes'; readonly votes: readonly Vote[] }
  | { readonly kind: 'certificates'; readonly certificates: readonly Certificate[] }
  | { readonly kind: 'status'; readonly status: Status }

export type HaltReason =
  | {
      readonly code: 'conflicting_certificates'
      readonly first: Certificate
      readonly second: Certificate
    }
  | { readonly code: 'state_diverged'; readonly digest: Digest; readonly view: View }
  | { readonly code: 'duplicate_key'; readonly vote: Vote }

export type Action =
  /** Write to the journal; durable before the next vote leaves. */
  | { readonly type: 'journal'; readonly certificate: Certificate }
  /** Journal the vote (for a notarize: the block too), sync, sign, send to all, hand it back as an event. */
  | { readonly type: 'vote'; readonly vote: UnsignedVote }
  /** The same for a leader's notarize, sent as a proposal with the block and this justification. */
  | {
      readonly type: 'propose'
      readonly vote: UnsignedVote
      readonly justification: readonly Certificate[]
    }
  | { readonly type: 'send'; readonly to: AuthorityIndex; readonly message: Outgoing }
  | { readonly type: 'broadcast'; readonly message: Outgoing }
  /** Build a block on a parent that is executed; `mayBeEmpty` when even an empty block helps. */
  | {
      readonly type: 'build'
      readonly view: View
      readonly parent: BlockMeta
      readonly mayBeEmpty: boolean
    }
  /** Execute a held block whose parent is executed; answered by `executed`. */
  | { readonly type: 'execute'; readonly digest: Digest }
  | {
      readonly type: 'fetch-block'
      readonly digest: Digest
      readonly holders: readonly AuthorityIndex[]
    }
  | {
      readonly type: 'set-timer'
      readonly name: TimerName
      readonly view: View
      readonly afterMs: number
    }
  /** Make these executed blocks final, in this order; the certificate finalizes the last. */
  | {
      readonly type: 'commit'
      readonly blocks: readonly BlockMeta[]
      readonly finalization: Certificate
    }
  /** Too far behind for single fetches: bring the chain up to this finalization, then report `synced`. */
  | { readonly type: 'sync'; readonly finalization: Certificate }
  /**
   * For a node that lost its votes: remember that it may vote in this epoch from this view on, durable
   * before the next vote. Null: whatever was forgotten can do no harm any more, and nor can this mark.
   */
  | { readonly type: 'rejoin'; readonly voteFrom: View | null }
  | { readonly type: 'evidence'; readonly evidence: Evidence }
  /** Stop voting for good; an operator must look. */
  | { readonly type: 'halt'; readonly reason: HaltReason }
