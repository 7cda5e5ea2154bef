// Databases, and how long what is in them is kept.

import { integer, list, type Option, path, size, text } from './option-kinds.ts'

const MIB = 1024 ** 2
const RETENTION_YEARS_MAX = 150

export const STORAGE_OPTIONS = {
  dir: path({ default: 'data', description: 'Databases, relative to the home.' }),
  cache: size([MIB, 16_384 * MIB], {
    default: 64 * MIB,
    description: 'Memory for the page cache of the state.',
    profiles: { test: 8 * MIB },
  }),
  retention: {
    kind: 'retention',
    default: 'forever',
    description: 'How long bodies of old blocks are kept: forever, a time, or a number of blocks.',
  } satisfies Option<string>,
  verify_on_start: text(
    {
      default: 'tip+1000',
      description: 'What of the chain is checked at a start: none, tip, tip+<blocks> or full.',
      profiles: { test: 'tip' },
    },
    {
      pattern: '^(none|tip|tip\\+[1-9][0-9]{0,8}|full)$',
      hint: 'expected none, tip, the tip and blocks below it such as tip+1000, or full',
      examples: ['tip+7', 'full'],
    },
  ),
  min_free: size([0, 1024 * 1024 * MIB], {
    default: 2048 * MIB,
    description: 'With less room on the disk than this nothing new is taken; an alarm is raised.',
    profiles: { devnet: 256 * MIB, test: 256 * MIB },
  }),
}

export const BACKUP_OPTIONS = {
  schedule: text(
    {
      default: '',
      description: 'When backups are made, as in cron: "30 3 * * *"; empty: never by itself.',
    },
    {
      pattern: '^[A-Za-z0-9 ,*/?#@-]{0,100}$',
      hint: 'expected a line of cron such as "30 3 * * *"',
      examples: ['30 3 * * *', '0 4 * * 1'],
    },
  ),
  dir: path({
    default: 'backups',
    description: 'Folder of the backups, relative to the home; best on another disk.',
  }),
  keep: integer([1, 1000], {
    default: 7,
    description: 'So many backups made on schedule are kept; the oldest goes first.',
  }),
}

export const RETENTION_OPTIONS = {
  years: integer([0, RETENTION_YEARS_MAX], {
    default: 10,
    description: 'So many years the law keeps a record: no patient has it erased before.',
    profiles: { devnet: 0, test: 0 },
  }),
  classes: list(
    {
      default: [],
      description: 'Classes with a number of their own: "imaging=30", "sensitive:psy=15".',
    },
    {
      pattern: '^[a-z]{1,16}(:[a-z0-9]{1,32})?=[0-9]{1,3}$',
      hint: 'expected a class and years, such as "imaging=30"',
      examples: ['imaging=30', 'sensitive:psy=15'],
    },
  ),
}
