/** What each thing takes that a node does, in milliseconds of its one thread; and what a disk takes. */

export interface Costs {
  /** One frame into the network or out of it: framing, encryption, multiplexing. */
  readonly frameMs: number
  readonly signMs: number
  readonly verifyVoteMs: number
  /** Of a certificate, for each signature in it. */
  readonly verifyMemberMs: number
  readonly decodeVoteMs: number
  readonly decodeMemberMs: number
  /** Decoded, and its signature verified. */
  readonly admitMs: number
  /** Decoded, checked, and its changes written into the state tree; its signature is known. */
  readonly applyMs: number
  /** A block without its transactions: built, or decoded and executed. */
  readonly blockMs: number
  /** One step of the state machine: of itself, and for each authority. */
  readonly stepMs: number
  readonly stepAuthorityMs: number
  /** Until an append to the journal is durable; the thread is free meanwhile. */
  readonly syncMs: number
  readonly transactionBytes: number
  readonly headerBytes: number
}

/** As `measure-costs.ts` found them on an EPYC of 2021: so that a run can be told again figure by figure, anywhere. */
export const REFERENCE: Costs = {
  frameMs: 0.018,
  signMs: 0.015,
  verifyVoteMs: 0.037,
  verifyMemberMs: 0.038,
  decodeVoteMs: 0.000_4,
  decodeMemberMs: 0.000_05,
  admitMs: 0.039,
  applyMs: 0.009,
  blockMs: 0.008,
  stepMs: 0.000_7,
  stepAuthorityMs: 0.000_025,
  syncMs: 0.4,
  transactionBytes: 172,
  headerBytes: 236,
}
