// Databases, and how long what is in them is kept.

import { integer, list, type Option, path, size } from './option-kinds.ts'

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
