/**
 * The shape of what a node tells of its access log.
 */

import {
  count,
  countOrNull,
  digest,
  list,
  named,
  nextCursor,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const ACCESS_OUTCOMES = [
  'asked',
  'read',
  'query',
  'witnessed',
  'served',
  'refused',
  'repaired',
] as const

export type AccessOutcome = (typeof ACCESS_OUTCOMES)[number]

export const Access = named(
  'Access',
  'One line of the access log: who asked, and what came of it.',
  {
    id: digest('What stands in the batch: the commitment of the entry, or of this node about it.'),
    time: time('When this node heard of it.'),
    organisation: text('Who asked, or made shards again.'),
    custodian: textOrNull('Whose records; null when that could not be read.'),
    purpose: textOrNull('Why, as a code of v3-ActReason; null when that could not be read.'),
    outcome: oneOf(
      ACCESS_OUTCOMES,
      'asked: by this node, read: and got. query: what there is. witnessed: traced here, served: and given out. refused: got nothing.',
    ),
    code: textOrNull('Why it was refused.'),
    records: count('Records asked for, or sets made again.'),
    times: count('More than one for refusals that were too many to be told apart.'),
    grant: textOrNull('Id of the grant; null: none was shown.'),
    status: oneOf(['waiting', 'batched', 'anchored'], 'On its way to the chain.'),
    batch: countOrNull('Number of its batch at this node.'),
    height: countOrNull('Height of the block that anchors the batch.'),
    event: Type.Unsafe<Record<string, unknown> | null>({
      type: ['object', 'null'],
      additionalProperties: true,
      description:
        'The AuditEvent, when it was asked for and this custodian hosts the keys of the patient.',
    }),
  },
)
export type Access = Static<typeof Access>

export const AccessPage = named('AccessPage', 'The access log, newest first.', {
  items: list(Access),
  nextCursor,
})
export type AccessPage = Static<typeof AccessPage>
