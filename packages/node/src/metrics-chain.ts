// What is measured of the chain: blocks, transactions, changes of the network, catching up, the mempool.

import {
  BYTES,
  COUNTS,
  type Declaration,
  INTERVAL_SECONDS,
  SECONDS,
} from './metrics-declaration.ts'

export const declareChain = (to: Declaration) => ({
  chainHeight: to.gauge('chain_height', 'Height of the last block executed.'),
  chainFinalHeight: to.gauge('chain_final_height', 'Height of the last final block.'),
  chainBestKnownHeight: to.gauge('chain_best_known_height', 'Greatest height a peer told of.'),
  chainPrunedHeight: to.gauge('chain_pruned_height', 'Bodies at or below have been dropped.'),
  chainHeartbeat: to.gauge(
    'chain_heartbeat_seconds',
    'The chain makes a block at least so often; 0 when it only makes them for work.',
  ),
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
  finality: to.histogram('finality_seconds', 'Submitted until final.', SECONDS, ['origin']),
  changesOpen: to.gauge('changes_open', 'Proposed changes of the network that are not decided.'),
  changesExpire: to.gauge(
    'changes_expire_timestamp_seconds',
    'When the next open change expires; 0 while none is open.',
  ),
})

export const declareSync = (to: Declaration) => ({
  syncActive: to.gauge('sync_active', '1 while this node catches up.'),
  syncBlocksBehind: to.gauge('sync_blocks_behind', 'Blocks until the greatest known height.'),
  syncBlocks: to.counter('sync_blocks_total', 'Blocks taken from peers.', ['mode']),
  syncBlocksPerSecond: to.gauge('sync_blocks_per_second', 'Blocks applied while catching up.'),
  syncBadAnswers: to.gauge('sync_bad_answers', 'Wrong answers of a member since the start.', [
    'peer',
  ]),
})

export const declareMempool = (to: Declaration) => ({
  mempoolTransactions: to.gauge('mempool_transactions', 'Transactions waiting for a block.'),
  mempoolLimit: to.gauge('mempool_limit_transactions', 'How many may wait.'),
  mempoolBytes: to.gauge('mempool_bytes', 'Bytes of waiting transactions.'),
  mempoolOldest: to.gauge('mempool_oldest_seconds', 'Age of the oldest waiting transaction.'),
  mempoolRejected: to.counter('mempool_rejected_total', 'Refused at the door.', ['reason']),
})
