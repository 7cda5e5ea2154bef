/**
 * The words of the protocol: what is voted on, votes, certificates, and what a proposal carries.
 *
 * Names and meaning are those of Simplex (Chan and Pass, TCC 2023) in the shape of commonware's
 * `simplex/types.rs`: three votes (notarize, nullify, finalize) and the three certificates made of a
 * quorum of them. Agreement knows blocks only by digest; what is inside is the ledger's business.
 */

/** 64 lower-case hex characters that name a block. */
export type Digest = string
export type Epoch = number
export type View = number
export type Height = number
/** Position in the ordered authority set of the epoch. */
export type AuthorityIndex = number
/** Milliseconds of a clock that never goes back; its zero has no meaning. */
export type MonotonicMs = number
/** Milliseconds since 1970, the leader's and the voters' wall clock. */
export type UnixMs = number

export interface Clock {
  readonly monotonic: MonotonicMs
  readonly wall: UnixMs
}

/** What notarize and finalize sign. `parentView` is inside, for a digest alone does not say what it extends. */
export interface Subject {
  readonly epoch: Epoch
  readonly view: View
  readonly parentView: View
  readonly height: Height
  readonly digest: Digest
}

export type VoteKind = 'notarize' | 'nullify' | 'finalize'

/** A vote before it is signed. A nullify has parentView 0, height 0 and the zero digest. */
export interface UnsignedVote {
  readonly kind: VoteKind
  readonly subject: Subject
  readonly signer: AuthorityIndex
}

export interface Vote extends UnsignedVote {
  readonly signature: Uint8Array
}

/** Exactly a quorum of votes of one kind on one subject. */
export interface Certificate {
  readonly kind: VoteKind
  readonly subject: Subject
  readonly bitmap: Uint8Array
  readonly signatures: readonly Uint8Array[]
}

/** What agreement must know of a block: its place in the chain, its time, and whether it carries anything. */
export interface BlockMeta {
  readonly digest: Digest
  readonly parent: Digest
  readonly view: View
  readonly parentView: View
  readonly height: Height
  readonly time: UnixMs
  readonly isEmpty: boolean
  /** A change of the network passes in it: final, it ends the epoch. */
  readonly isSealing: boolean
}

/**
 * A leader's proposal: the block's place, the leader's own notarize, and the proof that its parent may be
 * extended. Where the views of block and vote differ, a sealing block is proposed again (`sealing.ts`).
 */
export interface Proposal {
  readonly block: BlockMeta
  readonly vote: Vote
  readonly justification: readonly Certificate[]
}

/** What a node holds above its last finalization; sent to be told what is missing. Bit i of a bitmap is view `from + i`. */
export interface Status {
  readonly epoch: Epoch
  readonly finalizedView: View
  readonly finalizedHeight: Height
  readonly finalizedDigest: Digest
  readonly view: View
  readonly from: View
  readonly notarized: Uint8Array
  readonly nullified: Uint8Array
  /** Not 0: answer with your own status and this number in `answer` (`rejoin.ts`). */
  readonly question: number
  readonly answer: number
}

/** Two signed messages of one authority that an honest one never signs together. */
export interface Evidence {
  readonly kind: 'conflicting_notarize' | 'conflicting_finalize' | 'nullify_finalize'
  readonly first: Vote
  readonly second: Vote
}

export const ZERO_DIGEST: Digest = '0'.repeat(64)

export function nullifySubject(epoch: Epoch, view: View): Subject {
  return { epoch, view, parentView: 0, height: 0, digest: ZERO_DIGEST }
}

export function sameSubject(a: Subject, b: Subject): boolean {
  return (
    a.digest === b.digest &&
    a.view === b.view &&
    a.parentView === b.parentView &&
    a.height === b.height &&
    a.epoch === b.epoch
  )
}

export function subjectOf(epoch: Epoch, block: BlockMeta): Subject {
  const { view, parentView, height, digest } = block
  return { epoch, view, parentView, height, digest }
}
