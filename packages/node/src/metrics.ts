// Every metric of a node, declared here and nowhere else: what is not here does not exist, and what
// is here is filled. Labels are bounded: `peer` and `authority` are names of members, the rest are
// fixed words.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const SHORT_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
const INTERVAL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const BYTES = [1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]
const COUNTS = [0, 1, 4, 16, 64, 256, 1024, 4096, 20_000]

class Declaration {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  gauge<L extends string = never>(name: string, help: string, labelNames: L[] = []) {
    return new Gauge<L>({ name: `mooring_${name}`, help, labelNames, registers: [this.#registry] })
  }

  counter<L extends string = never>(name: string, help: string, labelNames: L[] = []) {
    const registers = [this.#registry]
    return new Counter<L>({ name: `mooring_${name}`, help, labelNames, registers })
  }

  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: L[] = [],
  ) {
    const registers = [this.#registry]
    return new Histogram<L>({ name: `mooring_${name}`, help, buckets, labelNames, registers })
  }
}

const declareNode = (to: Declaration) => ({
  buildInfo: to.gauge('build_info', 'Always 1; what runs.', ['version', 'node', 'protocol']),
  networkInfo: to.gauge('network_info', 'Always 1; the network.', ['network_id']),
  nodeRole: to.gauge('node_role', 'Always 1; authority or observer.', ['role']),
  ready: to.gauge('ready', '1 when every readiness condition holds.'),
  readyCondition: to.gauge('ready_condition', '1 when the condition holds.', ['condition']),
  alarmActive: to.gauge('alarm_active', '1 while an operator must act on it.', [
    'code',
    'severity',
  ]),
  dbSize: to.gauge('db_size_bytes', 'Size of the data directory.'),
  dbFree: to.gauge('db_free_bytes', 'Free bytes on the volume of the data directory.'),
})

const declareChain = (to: Declaration) => ({
  chainHeight: to.gauge('chain_height', 'Height of the last block executed.'),
  chainFinalHeight: to.gauge('chain_final_height', 'Height of the last final block.'),
  chainBestKnownHeight: to.gauge('chain_best_known_height', 'Greatest height a peer told of.'),
  chainPrunedHeight: to.gauge('chain_pruned_height', 'Bodies at or below have been dropped.'),
  syncBlocksPerSecond: to.gauge('sync_blocks_per_second', 'Blocks applied while catching up.'),
  syncBadAnswers: to.gauge('sync_bad_answers', 'Wrong answers of a member since the start.', [
    'peer',
  ]),
  chainLastBlockTimestamp: to.gauge(
    'chain_last_block_timestamp_seconds',
    'Time of the last block.',
  ),
  chainBlockInterval: to.histogram(
    'chain_block_interval_seconds',
    'Block time minus the time of its parent.',
    INTERVAL_SECONDS,
  ),
  chainBlockSize: to.histogram('chain_block_size_bytes', 'Encoded size of a block.', BYTES),
  chainBlockTransactions: to.histogram(
    'chain_block_transactions',
    'Transactions in a block.',
    COUNTS,
  ),
  transactions: to.counter('transactions_total', 'Transactions by outcome.', ['kind', 'result']),
  records: to.counter('records_total', 'Records by outcome.', ['kind', 'result']),
  finality: to.histogram('finality_seconds', 'Submitted until final.', SECONDS, ['origin']),
})

const declareConsensus = (to: Declaration) => ({
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

const declareDoor = (to: Declaration) => ({
  mempoolTransactions: to.gauge('mempool_transactions', 'Transactions waiting for a block.'),
  mempoolBytes: to.gauge('mempool_bytes', 'Bytes of waiting transactions.'),
  mempoolOldest: to.gauge('mempool_oldest_seconds', 'Age of the oldest waiting transaction.'),
  mempoolRejected: to.counter('mempool_rejected_total', 'Refused at the door.', ['reason']),
  anchorBatchRecords: to.histogram('anchor_batch_records', 'Records in a batch.', COUNTS),
  accessBatchEntries: to.histogram('access_batch_entries', 'Access entries in a batch.', COUNTS),
  accessPending: to.gauge('access_pending', 'Access entries that no final block has so far.'),
  accesses: to.counter('accesses_total', 'Requests for records, by what came of them.', ['result']),
  anchorDelay: to.histogram('anchor_delay_seconds', 'Record received until anchored.', SECONDS),
  httpRequests: to.counter('http_requests_total', 'Requests by route template.', [
    'route',
    'method',
    'status',
  ]),
  httpRequest: to.histogram('http_request_seconds', 'Time to answer.', SECONDS, ['route']),
  httpInFlight: to.gauge('http_in_flight', 'Requests being answered.'),
  sseClients: to.gauge('sse_clients', 'Open event streams.'),
  sseDropped: to.counter('sse_dropped_total', 'Event streams that this node ended.', ['reason']),
})

const declareNetwork = (to: Declaration) => ({
  p2pPeers: to.gauge('p2p_peers', 'Connected peers.', ['kind', 'direction']),
  p2pPeerUp: to.gauge('p2p_peer_up', '1 while the member is connected.', ['peer']),
  p2pPeerRtt: to.gauge('p2p_peer_rtt_seconds', 'Round trip to a member.', ['peer']),
  p2pDials: to.counter('p2p_dials_total', 'Dials by result.', ['result']),
  p2pDisconnects: to.counter('p2p_disconnects_total', 'Lost connections.', ['reason']),
  p2pDenied: to.counter('p2p_denied_total', 'Connections refused.', ['stage', 'reason']),
  p2pBytes: to.counter('p2p_bytes_total', 'Bytes sent and received.', ['direction', 'protocol']),
  gossipMessages: to.counter('gossip_messages_total', 'Gossip by what became of it.', ['result']),
})

const declareHolder = (to: Declaration) => ({
  vaultSets: to.gauge('vault_sets', 'Sets of shards known here, by how whole they are.', [
    'strength',
  ]),
  vaultAudits: to.counter('vault_audits_total', 'Audited sets by verdict.', ['verdict']),
  vaultRepairs: to.counter('vault_repairs_total', 'Shards to be made again, by outcome.', [
    'result',
  ]),
  queueRecords: to.gauge('vault_queue_records', 'Records that wait for their holders.'),
  queueBytes: to.gauge('vault_queue_bytes', 'Sealed bytes that wait for their holders.'),
  queueOldest: to.gauge('vault_queue_oldest_seconds', 'Age of the record that waits longest.'),
  holderShards: to.gauge('holder_shards', 'Shards kept for custodians.'),
  holderBytes: to.gauge('holder_bytes', 'Bytes kept for custodians.'),
  holderDamagedShards: to.gauge(
    'holder_damaged_shards',
    'Shards found damaged, not made again yet.',
  ),
  holderRequests: to.counter('holder_requests_total', 'Requests of members by outcome.', [
    'kind',
    'outcome',
  ]),
  vaultProbes: to.counter('vault_probes_total', 'Holders asked to serve without a trace.', [
    'peer',
    'result',
  ]),
  holderRequest: to.histogram('holder_request_seconds', 'Time to answer.', SECONDS, ['kind']),
})

function declareAll(to: Declaration) {
  return {
    ...declareNode(to),
    ...declareChain(to),
    ...declareConsensus(to),
    ...declareDoor(to),
    ...declareNetwork(to),
    ...declareHolder(to),
  }
}

export type Metrics = ReturnType<typeof declareAll> & {
  // Runs before every scrape, for gauges that are cheaper to read than to keep up to date.
  beforeScrape(refresh: () => void): void
  // What a scrape answers.
  text(): Promise<string>
  contentType: string
  catalogue(): { name: string; type: string; help: string }[]
  close(): void
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const refreshers: (() => void)[] = []
  return {
    ...declareAll(new Declaration(registry)),
    beforeScrape: (refresh) => {
      refreshers.push(refresh)
    },
    text: () => {
      for (const refresh of refreshers) refresh()
      return registry.metrics()
    },
    contentType: registry.contentType,
    catalogue: () =>
      registry
        .getMetricsAsArray()
        .map(({ name, help, type }) => ({ name, help, type: String(type) })),
    close: () => registry.clear(),
  }
}
