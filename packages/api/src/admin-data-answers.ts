/**
 * Answers about backups of a node and the checking of its databases.
 */

import {
  count,
  countOrNull,
  digest,
  flag,
  list,
  named,
  nullOr,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import type { Static } from './schema.ts'

export const Backup = named('Backup', 'A backup as its beginning tells of it; not checked.', {
  path: text('Its file, on the computer of the node.'),
  bytes: count('Size of the file.'),
  node: text('Name of the node that made it.'),
  networkId: text('Of which network.'),
  height: count('Last block in it.'),
  digest: digest('Digest of that block.'),
  createdAt: time('When it was begun.'),
  hasKeys: flag('Whether the keys are in it, sealed under a passphrase.'),
  isScheduled: flag('Whether the node made it by itself.'),
})
export type Backup = Static<typeof Backup>

export const BackupRun = named('BackupRun', 'A backup that is being made.', {
  since: time('When it was begun.'),
  bytes: count('Read so far.'),
})
export type BackupRun = Static<typeof BackupRun>

export const BackupFailure = named('BackupFailure', 'Why a backup was not made.', {
  at: time('When it ended.'),
  code: text('Code of the catalogue.'),
  detail: text('In words.'),
})
export type BackupFailure = Static<typeof BackupFailure>

export const Backups = named('Backups', 'What is kept, what runs, and what comes next.', {
  schedule: textOrNull('Line of cron; null: none is made by itself.'),
  dir: text('Folder of the backups.'),
  keep: count('How many of those made on schedule are kept.'),
  next: textOrNull('When the next one is due, RFC 3339.'),
  running: nullOr(BackupRun),
  last: nullOr(Backup),
  lastFailure: nullOr(BackupFailure),
  items: list(Backup),
})
export type Backups = Static<typeof Backups>

const DATABASES = ['chain', 'records', 'vault', 'blobs', 'guard', 'snapshots'] as const

export const DatabaseFinding = named('DatabaseFinding', 'What does not hold.', {
  database: oneOf(DATABASES, 'Where.'),
  code: text('Code of the catalogue.'),
  what: text('File or key; what could name a record is left out.'),
  detail: text('In words.'),
})
export type DatabaseFinding = Static<typeof DatabaseFinding>

export const DatabaseCheck = named('DatabaseCheck', 'What a check of the databases found.', {
  height: countOrNull('Last block of the chain; null when it cannot be read.'),
  digest: textOrNull('Its digest; compare it with what other members say.'),
  stateRoot: textOrNull('Of the state after it.'),
  blocks: count('Blocks checked.'),
  transactions: count('Transactions checked.'),
  values: count('Values of the state, of the private store and of the vault checked.'),
  blobs: count('Large shards checked.'),
  findings: list(DatabaseFinding),
  damaged: count('How many things do not hold; the first thousand are among the findings.'),
  seconds: count('How long it took.'),
})
export type DatabaseCheck = Static<typeof DatabaseCheck>

export const Verifications = named('Verifications', 'The check that runs, and the last one.', {
  runningSince: textOrNull('When it was begun; null: none runs.'),
  last: nullOr(DatabaseCheck),
  failure: nullOr(BackupFailure),
})
export type Verifications = Static<typeof Verifications>
