// Texts for what goes wrong with what a node keeps: its databases, its vote journal, snapshots, holds.

import type { StorageErrorCode } from '@mooring/storage'
import { type CatalogEntry, entry } from './error-entry.ts'
import type { NodeErrorCode } from './node-error.ts'

export const KEEPING_TEXTS = {
  snapshot_refused: entry(1070, 8, 422)(
    'The snapshot cannot be believed',
    'Check "{check}": {detail}.',
    'Fetch it from another member, and report who gave this one.',
  ),
  snapshot_unknown: entry(1071, 6, 404)(
    'There is no such snapshot',
    'No snapshot of height {height} is kept here; only the newest few are.',
    'List them:   mooring snapshot list',
  ),
  snapshot_unavailable: entry(1072, 4, 503)(
    'No snapshot could be fetched',
    '{detail}.',
    'Start from blocks instead:   mooring start --sync-mode blocks',
    'Take one on a running node:   mooring snapshot create --endpoint <url>',
  ),
  holds_unreadable: entry(1074, 11)(
    'The file of the legal holds cannot be read',
    '{path}: {detail}. As long as nobody knows what is held, nothing is dropped.',
    'Bring the file back from a backup, or write it anew: mooring prune hold --help',
  ),
  hold_invalid: entry(1075, 2, 400)(
    'The hold cannot be placed',
    '{detail}.',
    'For example:   mooring prune hold case-4711 --reason "court order"',
  ),
  hold_exists: entry(1076, 7, 409)(
    'There is a hold of that name',
    '"{name}" was placed at {placedAt}, and stands.',
    'See all of them:   mooring prune plan',
  ),
  holds_busy: entry(1078, 7, 409)(
    'Somebody else changes the holds',
    'Process {pid} has {path} and does not give it back.',
    'See what it is, and try again:   ps -p {pid}',
  ),
  hold_unknown: entry(1077, 6, 404)(
    'There is no hold of that name',
    'Nothing is held as "{name}".',
    'See all of them:   mooring prune plan',
  ),
  chain_exists: entry(1073, 7, 409)(
    'The home has a chain already',
    'A snapshot begins a chain and never replaces one: {path} exists.',
    'Use a new home:   mooring init --home <dir>',
    'Or move data/chain away, and keep guard/.',
  ),
} satisfies Partial<Record<NodeErrorCode, CatalogEntry>>

export const STORAGE_TEXTS: Record<StorageErrorCode, CatalogEntry> = {
  locked: entry(1010, 10, 503)(
    'The ledger is in use by another process',
    'Two processes on one home would sign twice.',
    'Talk to the node that runs:   mooring status',
    'Run a second node in a home of its own:   mooring --home <dir> start',
  ),
  corrupt: entry(1020, 11)(
    'Stored data is damaged',
    'A stored value does not match its checksum: the disk or something beside Mooring changed it.',
    'Check the disk. If it is the chain, let the node fetch it again: move data/chain away, keep guard/.',
    'The rest of data/ is shards and records: that is a lost disk, see docs/how-to/the-vault.md.',
  ),
  missing: entry(1021, 11)(
    'Stored data is missing',
    'A value that the chain says must exist is not in the database.',
    'Let the node fetch the chain again: move data/chain away, keep guard/.',
  ),
  pruned: entry(1047, 6, 410)(
    'It is not kept on this node any more',
    'Block {height} was final, and this node has dropped its body; it keeps bodies above height {prunedTo}.',
    'Ask a node that keeps more:   --endpoint <url>',
    'See what this node keeps, and why:   mooring prune plan',
  ),
  full: entry(1022, 11, 507)(
    'The disk is full',
    'A write failed for lack of space; nothing half-written counts.',
    'Free space on the volume of the home, then start again.',
  ),
  io: entry(1023, 11)(
    'The disk refused a read or a write',
    'The operating system returned an error for a file of the home.',
    'Check the volume: is it mounted, writable, healthy?',
  ),
  read_only: entry(1244, 11)(
    'The disk takes no writes',
    'The file system of the home is mounted read-only, or became so after an error of the disk.',
    'See what the system says of it:   dmesg, mount',
    'Read what is there meanwhile:   mooring inspect',
  ),
  format: entry(1024, 13)(
    'The data was written in another format',
    'This version does not read that format, and no migration leads to its own.',
    'Use the version that wrote it. If it is the chain, it can be fetched again:   mooring db repair --from-peers',
  ),
  format_newer: entry(1245, 13)(
    'The data was written by a newer version',
    'An older version would misread it, and damage it by writing: nothing was touched.',
    'Install the version that wrote it, or a newer one:   mooring version',
    'To go back, restore a backup that the older version made:   mooring backup restore --help',
  ),
  wrong_network: entry(1025, 13)(
    'The data belongs to another network',
    'The databases were started with a different genesis.',
    'Check config/genesis.json, or use the home of that network.',
  ),
  out_of_order: entry(1026, 1)(
    'A block does not follow the tip',
    'The store was asked to keep a block that does not extend the chain.',
    'Run again with -vv and report what it prints.',
  ),
  stale_view: entry(1027, 1)(
    'A view of the state is out of date',
    'Finality has overtaken the state that was asked.',
    'Run again with -vv and report what it prints.',
  ),
  duplicate: entry(1028, 7, 409)(
    'A record with this id is stored already',
    'Records are never overwritten.',
    'Fetch the stored one:   mooring record get <id>',
  ),
  guard_corrupt: entry(1030, 12)(
    'The vote journal is damaged',
    'The guard against signing twice cannot trust its own file, so that the node does not vote.',
    'Never delete guard/. Restore the disk; when that cannot be, begin a new journal and observe first:   mooring start --rejoin',
  ),
  guard_behind: entry(1031, 12)(
    'The vote journal is older than the votes',
    'All or part of guard/ was lost, wiped or restored from a backup. A node that has forgotten its votes may contradict them, and two contradicting votes break the promise that blocks are final.',
    'Make sure that no other copy of this node runs. Then come back as one that observes first:   mooring start --rejoin',
    'Or bring all of guard/ back as it was last; never an older copy.',
  ),
  guard_moved: entry(1040, 12)(
    'The vote journal is a copy',
    'guard/ is not where it was made: it was copied, restored, or moved to another disk or machine. If the original still runs, or ran after the copy was made, this node would vote against itself, and no one could trust its blocks as final.',
    'Start the original instead, if it is still there.',
    'If the original is stopped for good, come back as one that observes first:   mooring start --rejoin',
    'A second node needs keys of its own:   mooring --home <dir> init',
  ),
  guard_regression: entry(1032, 12)(
    'The guard refused a vote',
    'A vote below the marks was about to be kept.',
    'Stop every other process that uses this consensus key.',
  ),
  guard_stopped: entry(1033, 12)(
    'The vote journal stopped',
    'An earlier write failed; nothing is signed until the node restarts.',
    'Check the volume of guard/, then restart the node.',
  ),
  blob_corrupt: entry(1080, 11)(
    'A stored shard is damaged',
    'Blob {blob} does not hold the bytes of its name: {detail}. The disk, the bucket or something beside Mooring changed it.',
    'Check the disk. The shard is made again from the other holders:   mooring vault repair',
  ),
  blob_missing: entry(1081, 11)(
    'A stored shard is missing',
    'Blob {blob} is not in the blob store, although this node keeps a shard in it.',
    'Check what [vault] says of blobs. The shard is made again from the other holders:   mooring vault repair',
  ),
  bucket_unreachable: entry(1082, 11, 503)(
    'The bucket for large shards does not answer',
    '{detail}. Small shards are kept here and are not affected.',
    'Check that {endpoint} runs and can be reached from this computer.',
  ),
  bucket_refused: entry(1083, 11, 503)(
    'The bucket for large shards refuses',
    '{detail}.',
    'Check [vault] bucket, region and credentials, and that these may read, write, list and delete.',
  ),
}
