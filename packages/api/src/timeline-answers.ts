/**
 * The shape of timelines, of access logs of patients, and of what is asked about them.
 *
 * What many entries share (the proof that an anchor is in the chain) stands once on a page. Everything
 * here is checked by who reads it: a wallet believes the chain and its own keys.
 */

import {
  count,
  countOrNull,
  digest,
  flag,
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

const digests = (description: string) => Type.Array(digest('A digest.'), { description })

export const TimelinePlace = named('TimelinePlace', 'Where a record is on the chain.', {
  anchor: digest('The transaction that anchors its batch: see `anchors` of the page.'),
  height: count('Of the block.'),
  blockTime: textOrNull('When the block was made; null where this node has dropped it.'),
  index: count('Of its leaf in the batch.'),
  path: digests('From the leaf to the root.'),
})

export const TimelineOpening = named(
  'TimelineOpening',
  'What leads from the bytes to the record.',
  {
    blind: digest('Hides the commitment.'),
    fieldRoot: digest('Over the fields.'),
    rawSalt: digest('Of the bytes.'),
    rawCommit: digest('Of the bytes.'),
  },
)

export const TimelineItem = named('TimelineItem', 'One record of a timeline.', {
  id: digest('Its commitment, which names it everywhere.'),
  custodian: text('Organisation that keeps it.'),
  sequence: count('Its number among the records of the patient there, from 1.'),
  state: oneOf(['kept', 'erased'], 'Erased: this line is all that is left of it.'),
  class: text('Class of records; empty when it is erased.'),
  resourceType: textOrNull('FHIR resource type.'),
  resourceId: textOrNull('Its id in the resource.'),
  versionId: textOrNull('`meta.versionId` of the resource.'),
  fullUrl: textOrNull('Its address in the bundle it came in.'),
  contentType: text('Media type of its bytes.'),
  size: count('Bytes.'),
  eventAt: text('When what it tells of happened, in its own words; empty where it does not say.'),
  receivedAt: textOrNull('When its custodian received it; null when it is erased.'),
  supersedes: textOrNull('Commitment of the version before.'),
  mistake: flag('Whether it says of itself that it was entered in error.'),
  place: nullOr(TimelinePlace),
  opening: nullOr(TimelineOpening),
})
export type TimelineItem = Static<typeof TimelineItem>

export const TimelineAnchor = named('TimelineAnchor', 'That an anchor is in the chain.', {
  transaction: digest('Its id.'),
  proof: text('The proof of the transaction, as base64url of its encoding.'),
})

export const TimelinePage = named('TimelinePage', 'Records by their numbers, oldest first.', {
  head: textOrNull(
    'On the first page for a patient: count and root of all records, signed; CBOR as base64url.',
  ),
  items: list(TimelineItem),
  anchors: list(TimelineAnchor),
  entry: textOrNull('Digest of the access entry that this question left.'),
  nextCursor,
})
export type TimelinePage = Static<typeof TimelinePage>

export const TracedAt = named('TracedAt', 'Who knows of an access.', {
  holder: text('Organisation that has the line in its log.'),
  time: time('When it heard of it.'),
  served: count('Sets that it gave out.'),
  height: countOrNull('Of the block that has the line; null while none has.'),
})

export const TracedRequest = named('TracedRequest', 'What was asked of the holders.', {
  id: text('Of the request.'),
  reader: text('Organisation that asked.'),
  purpose: text('Why, as a code of v3-ActReason.'),
  grant: textOrNull('Id of the grant; null: none was shown.'),
  sets: digests('Of the records that were asked for; none of a question.'),
})

export const TracedRefusal = named('TracedRefusal', 'Why somebody got nothing.', {
  organisation: text('Who asked.'),
  code: text('Why.'),
  count: count('How often.'),
  entry: textOrNull('Commitment of the entry that came with the request.'),
})

export const TracedEntry = named('TracedEntry', 'The entry, sealed to the patient.', {
  nonce: text('In hex.'),
  custodian: text('Whose records.'),
  sealed: text('As base64url.'),
})

export const Trace = named('Trace', 'One access to records of a patient.', {
  leaf: digest('What stands in the batches of the access logs.'),
  request: nullOr(TracedRequest),
  refusal: nullOr(TracedRefusal),
  entry: nullOr(TracedEntry),
  opened: textOrNull('The AuditEvent, where this node has the key that it is sealed to.'),
  at: list(TracedAt),
})
export type Trace = Static<typeof Trace>

export const TracePage = named('TracePage', 'What all holders know of accesses to one patient.', {
  items: list(Trace),
  silent: Type.Array(text('A member that did not answer: its lines may be missing.')),
  nextCursor,
})
export type TracePage = Static<typeof TracePage>

export const Question = named('Question', 'A question of a patient about an access.', {
  id: text('The question.'),
  access: digest('The access.'),
  question: text('As the patient wrote it.'),
  askedAt: time('When.'),
  by: textOrNull('Role of a representative who asked; null for the patient.'),
  answer: textOrNull('As the hospital wrote it; null so far.'),
  answeredAt: textOrNull('When.'),
  patient: textOrNull("The hospital's own reference; null for a wallet."),
  reader: textOrNull('Organisation that the question is about, where it is known.'),
})
export type Question = Static<typeof Question>

export const QuestionPage = named('QuestionPage', 'Questions, newest first.', {
  items: list(Question),
})
export type QuestionPage = Static<typeof QuestionPage>

export const DisclosedRecord = named('DisclosedRecord', 'A record that was disclosed.', {
  id: digest('Its commitment.'),
  class: text('Class of records.'),
  resourceType: textOrNull('FHIR resource type.'),
})

export const Disclosure = named(
  'Disclosure',
  'Records of a patient given to another organisation.',
  {
    access: digest('The access.'),
    time: time('When.'),
    recipient: text('Organisation.'),
    purpose: text('Why, as a code of v3-ActReason.'),
    grant: textOrNull('Id of the grant.'),
    records: list(DisclosedRecord),
    unknown: count('Sets that are no records here any more.'),
    holders: Type.Array(text('Who attests it.')),
  },
)
export type Disclosure = Static<typeof Disclosure>

export const Accounting = named('Accounting', 'An accounting of disclosures, newest first.', {
  organisation: text('Whose.'),
  patient: text('Reference.'),
  items: list(Disclosure),
  silent: Type.Array(text('A member that did not answer: its lines may be missing.')),
})
export type Accounting = Static<typeof Accounting>
