// What is measured of agreement, of the guard before our votes, and of signatures.

import { type Declaration, SECONDS, SHORT_SECONDS } from './metrics-declaration.ts'

export const declareConsensus = (to: Declaration) => ({
  consensusEpoch: to.gauge('consensus_epoch', 'Current epoch: changes of the network so far.'),
  consensusView: to.gauge('consensus_view', 'Current view, counted from 1 in every epoch.'),
  consensusViews: to.counter('consensus_views_total', 'Views by how they ended.', ['result']),
  consensusNullify: to.counter('consensus_nullify_total', 'Own nullify votes.', ['reason']),
  consensusWork: to.gauge(
    'consensus_work_seconds',
    'Age of the oldest work without finalization; 0 when idle.',
  ),
  consensusStepDuration: to.histogram(
    'consensus_step_duration_seconds',
    'Time one step took.',
    SHORT_SECONDS,
    ['step'],
  ),
  consensusQuorumDelay: to.histogram(
    'consensus_quorum_delay_seconds',
    'Start of a view until its certificate.',
    SECONDS,
    ['certificate'],
  ),
  consensusCompact: to.counter(
    'consensus_compact_proposals_total',
    'Proposals that came as names of transactions: whole at once, or lacking some.',
    ['outcome'],
  ),
  consensusVotes: to.counter('consensus_votes_total', 'Votes by authority.', [
    'authority',
    'vote',
    'result',
  ]),
  consensusAuthorities: to.gauge('consensus_authorities', 'Authorities in the set.'),
  consensusLive: to.gauge('consensus_live', 'Authorities heard of lately, with ourselves.'),
  consensusQuorum: to.gauge('consensus_quorum', 'Votes that make a certificate.'),
  consensusFaultToleranceLeft: to.gauge(
    'consensus_fault_tolerance_left',
    'Authorities that may still fail before blocks stop.',
  ),
  consensusAuthorityLastVoteView: to.gauge(
    'consensus_authority_last_vote_view',
    'View of the last vote of an authority.',
    ['authority'],
  ),
  consensusProposals: to.counter('consensus_proposals_total', 'Proposals by authority.', [
    'authority',
    'result',
  ]),
  consensusEquivocations: to.counter(
    'consensus_equivocations_total',
    'Contradictory votes seen; stays 0.',
    ['authority'],
  ),
  guardLastSignedView: to.gauge('guard_last_signed_view', 'View of our last signed vote.'),
  guardRefusals: to.counter('guard_refusals_total', 'Votes the guard refused.', ['reason']),
  guardFsync: to.histogram('guard_fsync_seconds', 'Time until votes were on disk.', SHORT_SECONDS),
})

export const declareCrypto = (to: Declaration) => ({
  cryptoVerify: to.histogram(
    'crypto_verify_seconds',
    'Time to check the signatures of one item.',
    SHORT_SECONDS,
    ['kind'],
  ),
  cryptoVerified: to.counter('crypto_verify_total', 'Items whose signatures were checked.', [
    'kind',
    'result',
  ]),
})
