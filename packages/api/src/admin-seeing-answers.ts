/**
 * Answers about how a node is doing, for who runs it.
 */

import { flag, list, named, oneOf, text, textOrNull } from './answer-forms.ts'
import type { Static } from './schema.ts'

export const CHECK_RESULTS = ['ok', 'warn', 'fail', 'skip'] as const

export const Check = named('Check', 'One thing that was looked at.', {
  area: text('What it belongs to: `host`, `home`, `keys`, `data`, `members`, …'),
  name: text('What was looked at; `--skip` takes this name.'),
  result: oneOf(CHECK_RESULTS, 'How it is.'),
  detail: text('What was found, in one sentence.'),
  advice: textOrNull('What to do about it; null where nothing is to be done.'),
})
export type Check = Static<typeof Check>

export const Checks = named(
  'Checks',
  'What a node finds when it looks at itself and its members.',
  {
    items: list(Check),
  },
)
export type Checks = Static<typeof Checks>

export const LogLevel = named('LogLevel', 'How much is logged.', {
  level: text('A level, and levels of single modules: `info,p2p=debug`.'),
})
export type LogLevel = Static<typeof LogLevel>

export const Acknowledged = named('Acknowledged', 'An alarm that somebody has taken note of.', {
  code: text('Of the alarm.'),
  by: text('Who took note.'),
  note: text('What was noted.'),
  again: flag('Whether it had been before.'),
})
export type Acknowledged = Static<typeof Acknowledged>
