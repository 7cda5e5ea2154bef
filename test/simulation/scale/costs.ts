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

/** Two cores of a server of 2021, one busy: so that a run can be told again figure by figure, anywhere. */
export const REFERENCE: Costs = {
  frameMs: 0.03,
  signMs: 0.03,
  verifyVoteMs: 0.07,
  verifyMemberMs: 0.065,
  decodeVoteMs: 0.01,
  decodeMemberMs: 0.001,
  admitMs: 0.1,
  applyMs: 0.03,
  blockMs: 0.5,
  stepMs: 0.01,
  stepAuthorityMs: 0.000_1,
  syncMs: 1,
  transactionBytes: 250,
  headerBytes: 400,
}
