// Texts for backups, and for the checking, repairing and setting back of databases.

import { type CatalogEntry, entry } from './error-entry.ts'

export type DataErrorCode =
  | 'backup_invalid'
  | 'backup_foreign'
  | 'backup_newer'
  | 'backup_busy'
  | 'backup_keys_sealed'
  | 'backup_keys_missing'
  | 'backup_failed'
  | 'backup_no_room'
  | 'backup_old'
  | 'backup_unscheduled'
  | 'restore_target_used'
  | 'database_damaged'
  | 'rollback_impossible'
  | 'repair_unfinished'
  | 'repair_needs_consent'
  | 'home_newer'

export const DATA_TEXTS: Record<DataErrorCode, CatalogEntry> = {
  backup_invalid: entry(1230, 8, 422)(
    'The backup cannot be believed',
    '{path}: {detail}.',
    'Use another backup, and look why this one is not whole:   mooring backup list',
  ),
  backup_foreign: entry(1231, 13, 409)(
    'The backup is of another network',
    'It is of {found}, and the genesis given is that of {expected}.',
    'Compare:   mooring genesis show',
  ),
  backup_newer: entry(1232, 13, 422)(
    'The backup was made by a newer version',
    '{path} has format {found}; this version reads up to {known}.',
    'Install the version that made it, or a newer one, and restore with that.',
  ),
  backup_busy: entry(1233, 7, 409)(
    'A backup is being made',
    'One at a time is made; the other began at {since}.',
    'Wait until it is done:   mooring backup list',
  ),
  backup_keys_sealed: entry(1234, 5, 403)(
    'The keys in the backup do not open',
    '{detail}.',
    'Give the passphrase that they were sealed with:   --passphrase-file <file>',
    'Or bring the keys from where else they are kept:   --keys <folder>',
  ),
  backup_keys_missing: entry(1235, 3)(
    'The backup has no keys',
    '{path} was made without them, and what a node keeps opens only with its own keys.',
    'Bring them from where they are kept:   mooring backup restore --keys <folder> …',
    'If they are lost, begin as somebody new:   mooring backup restore --new-identity …',
  ),
  backup_failed: entry(1236, 11, 500)(
    'A backup on schedule failed',
    '{detail}.',
    'Try it by hand, and see what it says:   mooring backup create',
    'Look whether the folder is there and has room:   mooring config get backup.dir',
  ),
  backup_no_room: entry(1249, 11, 507)(
    'There is no room for the backup',
    'In {folder} less than {minFreeBytes} bytes would stay free, which [storage] min_free asks for.',
    'Put backups on another disk:   mooring config set backup.dir <folder>',
    'Keep fewer of them:   mooring config set backup.keep <n>',
  ),
  backup_old: entry(1237, 11, 500)(
    'The last backup is too old',
    'The last one that succeeded is of {time}.',
    'Make one now:   mooring backup create',
    'See when the next is due, and how the last went:   mooring backup schedule',
  ),
  backup_unscheduled: entry(1238, 7, 409)(
    'No backup is made by itself',
    'The configuration has no [backup] schedule.',
    'Set one:   [backup] schedule = "30 3 * * *"',
  ),
  restore_target_used: entry(1239, 7, 409)(
    'The home is not empty',
    'A backup is restored into a new home only: {path} exists.',
    'Name another home:   mooring --home <dir> backup restore <file>',
    'Move the old one away as it is; its guard/ is never to be deleted.',
  ),
  database_damaged: entry(1240, 11, 500)(
    'Stored data is damaged or missing',
    '{count} things do not hold in the data of this home.',
    'See what can be done, and what it costs:   mooring db repair --from-peers --dry-run',
    'Check the disk before anything is written to it again.',
  ),
  rollback_impossible: entry(1241, 7, 409)(
    'The chain cannot be set back so far',
    'To height {height}: {detail}.',
    'See which heights are possible:   mooring db info',
    'Or fetch the chain again:   mooring db repair --from-peers',
  ),
  repair_unfinished: entry(1242, 9, 503)(
    'The repair is not finished',
    '{detail}. What is done is done, and nothing of it has to be done again.',
    'Start the node: it goes on from here by itself:   mooring start',
  ),
  repair_needs_consent: entry(1243, 7, 409)(
    'The repair would give something up',
    '{detail}.',
    'Restore a backup instead, if there is a good one:   mooring backup list',
    'To go on:   mooring db repair --from-peers --yes',
  ),
  home_newer: entry(1246, 13)(
    'The home was last used by a newer version',
    '{path} says format {found}, by Mooring {version}; this version knows up to {known}. Nothing was touched.',
    'Install that version, or a newer one.',
    'To go back, restore a backup that the older version made:   mooring backup restore --help',
  ),
}
