export { convict, culpritsOf } from './accountability.ts'
export type { Action, HaltReason, Outgoing } from './actions.ts'
export { checkEvidence, evidenceOf, type InvalidEvidence } from './evidence.ts'
export type { Event, ExecutionOutcome, TimerName } from './events.ts'
export {
  type CompactProposal,
  decodeCertificate,
  decodeEvidence,
  decodeMessage,
  decodeVote,
  encodeCertificate,
  encodeEvidence,
  encodeMessage,
  encodeVote,
  EVIDENCE_MAX,
  type Message,
  type ProposalMessage,
  TRANSACTION_NAME_BYTES,
} from './messages.ts'
export { faultsOf, leaderOf, quorumOf } from './quorum.ts'
export type { Rejoin } from './rejoin.ts'
export { type Recovered, start } from './start.ts'
export {
  type ConsensusConfig,
  type ConsensusState,
  recordOf,
  RETENTION,
  VIEWS_AHEAD,
} from './state.ts'
export { statusOf } from './status.ts'
export { type Step, step } from './step.ts'
export {
  type BlockMeta,
  type Certificate,
  type Clock,
  type Digest,
  type Evidence,
  type Proposal,
  sameSubject,
  type Status,
  type Subject,
  type UnsignedVote,
  type Vote,
  type VoteKind,
  ZERO_DIGEST,
} from './types.ts'
export { type AuthorityKeys, checkCertificate, checkVote, voteMessage, votesOf } from './votes.ts'
