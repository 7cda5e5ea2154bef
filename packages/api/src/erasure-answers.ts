/** The shape of the answers about erasing, holding and amending records. */

import {
  count,
  digest,
  list,
  named,
  nextCursor,
  nullOr,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const ERASURE_REASONS = [
  'patient_request',
  'retention_over',
  'entered_in_error',
  'court_order',
] as const

export const Tombstone = named('Tombstone', 'What the chain says of an erased record.', {
  item: digest('Names the record to those that were told its salt, and to nobody else.'),
  batchRoot: digest('The batch that has its commitment.'),
  height: count('Of the block that has the tombstone.'),
  transactionId: textOrNull('The transaction, where this node has sent it.'),
  erasedAt: time('When it was final here.'),
})

export const Deletion = named('Deletion', 'A statement of a member that it has deleted its part.', {
  holder: text('Organisation.'),
  shards: Type.Array(count('Number of a shard that was there.')),
  height: count('Of the final block at which it acted.'),
  signature: text('With its anchor key, in hex.'),
})

export const Erasure = named('Erasure', 'How far the erasure of a record is.', {
  record: digest('Identifier of the record.'),
  class: text('Class of record.'),
  status: oneOf(
    ['restricted', 'lifting', 'ordered', 'erased'],
    'Restricted: the law keeps it, and no grant opens it. Ordered: its tombstone is not final so far.',
  ),
  by: oneOf(['patient', 'custodian'], 'Who asked.'),
  reason: oneOf(ERASURE_REASONS, 'Why.'),
  requestedAt: time('When.'),
  code: textOrNull('Of a restricted one: what keeps it.'),
  until: textOrNull('Until when, where that is known.'),
  tombstone: nullOr(Tombstone),
  deletions: list(Deletion),
  waiting: Type.Array(text('A member that has not answered so far.')),
})
export type Erasure = Static<typeof Erasure>

export const ErasurePage = named('ErasurePage', 'Erasures, in no order that means anything.', {
  items: list(Erasure),
  nextCursor,
})
export type ErasurePage = Static<typeof ErasurePage>

export const Erasures = named('Erasures', 'All of one patient.', { items: list(Erasure) })
export type Erasures = Static<typeof Erasures>

export const LegalHold = named('LegalHold', 'Why a record is not to be erased.', {
  record: digest('Identifier of the record.'),
  reason: text('As it was given.'),
  since: time('Since when.'),
})
export type LegalHold = Static<typeof LegalHold>

export const Released = named('Released', 'A record without a legal hold.', {
  record: digest('Identifier of the record.'),
  erasure: nullOr(Erasure),
})
export type Released = Static<typeof Released>

export const AmendmentAnswer = named('AmendmentAnswer', 'What a custodian says of a request.', {
  outcome: oneOf(['accepted', 'refused'], 'Whether the record is corrected.'),
  reason: text('Why, or how.'),
  correction: textOrNull('Identifier of the record that corrects it.'),
  answeredAt: time('When.'),
})

export const Amendment = named('Amendment', 'A request to correct a record, and its answer.', {
  id: text('Names the request.'),
  record: digest('Identifier of the record.'),
  request: text('What is wrong, and what would be right.'),
  requestedAt: time('When.'),
  answer: nullOr(AmendmentAnswer),
})
export type Amendment = Static<typeof Amendment>

export const Amendments = named('Amendments', 'Requests to correct records.', {
  items: list(Amendment),
})
export type Amendments = Static<typeof Amendments>
