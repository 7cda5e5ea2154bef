// Documents of commands about backups and databases.

import {
  always,
  answer,
  answered,
  count,
  digest,
  document,
  flag,
  listOf,
  object,
  oneOf,
  orNull,
  text,
  time,
} from './forms.ts'

const place = { networkId: text, height: count, digest }

const head = {
  format: count,
  mooring: text,
  genesisDigest: digest,
  node: text,
  peerId: text,
  ...place,
  stateRoot: digest,
  createdAt: time,
  hasKeys: flag,
  blobs: oneOf('local', 's3'),
}

export const DATA_SCHEMAS = {
  'mooring/backup-created/v1': answered('A backup that was made.', 'Backup'),
  'mooring/backup-verification/v1': document('A backup that holds.', {
    ok: always(true),
    path: text,
    ...head,
    entries: object({ chain: count, records: count, vault: count }),
    files: count,
    contentBytes: count,
  }),
  'mooring/backups/v1': document('The backups of a folder.', {
    dir: text,
    items: listOf(answer('Backup')),
    unreadable: listOf(object({ path: text, detail: text })),
  }),
  'mooring/backup-schedule/v1': document('When backups are made by themselves.', {
    schedule: text,
    dir: text,
    keep: count,
    next: listOf(time),
    last: orNull(time),
    lastFailure: orNull(answer('BackupFailure')),
  }),
  'mooring/restore/v1': document('A home that was made of a backup.', {
    home: text,
    node: text,
    ...place,
    createdAt: time,
    observesFirst: always(true),
    changed: listOf(object({ name: text, was: text, is: text })),
  }),
  'mooring/restore-new/v1': document('A home of somebody new, with the chain of a backup.', {
    home: text,
    name: text,
    ...place,
    joinLine: orNull(text),
  }),
  'mooring/db-info/v1': document('What the databases of a home are.', {
    home: object({ format: orNull(count), known: count, writtenBy: orNull(text) }),
    databases: listOf(object({ name: text, format: count, files: count, bytes: count })),
    chain: orNull(
      object({
        height: count,
        digest,
        stateRoot: digest,
        time,
        base: count,
        prunedTo: count,
      }),
    ),
    snapshots: listOf(count),
    trash: listOf(object({ path: text, bytes: count })),
  }),
  'mooring/db-verification/v1': answered('What a check of all data found.', 'DatabaseCheck', {
    ok: flag,
  }),
  'mooring/db-compacted/v1': document('The sizes of databases before and after.', {
    items: listOf(object({ name: text, before: count, after: count })),
  }),
  'mooring/db-rollback/v1': document('The chain of a home set back, or what that would do.', {
    done: flag,
    from: count,
    to: count,
    blocks: count,
    executed: count,
    fromSnapshot: orNull(count),
    trash: orNull(text),
  }),
  'mooring/db-repair/v1': document('What was made again, or would be.', {
    damaged: count,
    steps: listOf(object({ database: text, does: text, loses: orNull(text) })),
    left: listOf(text),
    done: listOf(text),
    height: orNull(count),
  }),
}
