// What is measured of shards: those this node keeps for custodians, and those that others keep for it.

import { type Declaration, SECONDS } from './metrics-declaration.ts'

export const declareVault = (to: Declaration) => ({
  vaultSets: to.gauge('vault_sets', 'Sets of shards known here, by how whole they are.', [
    'strength',
  ]),
  vaultAudits: to.counter('vault_audits_total', 'Audited sets by verdict.', ['verdict']),
  vaultProbes: to.counter('vault_probes_total', 'Holders asked to serve without a trace.', [
    'peer',
    'result',
  ]),
  queueRecords: to.gauge('vault_queue_records', 'Records that wait for their holders.'),
  queueBytes: to.gauge('vault_queue_bytes', 'Sealed bytes that wait for their holders.'),
  queueOldest: to.gauge('vault_queue_oldest_seconds', 'Age of the record that waits longest.'),
  shardRepairs: to.counter('shard_repair_total', 'Shards to be made again, by outcome.', [
    'result',
  ]),
  shardsBad: to.counter('shard_bad_total', 'Answers about a shard that proved wrong.', ['holder']),
  shardsHeld: to.gauge('shards_held', 'Shards kept for custodians.'),
  holderBytes: to.gauge('holder_bytes', 'Bytes kept for custodians.'),
  holderDamagedShards: to.gauge(
    'holder_damaged_shards',
    'Shards found damaged, not made again yet.',
  ),
  holderRequests: to.counter('holder_requests_total', 'Requests of members by outcome.', [
    'kind',
    'outcome',
  ]),
  holderRequest: to.histogram('holder_request_seconds', 'Time to answer.', SECONDS, ['kind']),
})
