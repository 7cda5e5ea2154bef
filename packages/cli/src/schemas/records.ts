// Documents of commands about records, reading, blocks and proofs.

import {
  always,
  answer,
  answered,
  anything,
  count,
  digest,
  document,
  flag,
  items,
  listOf,
  number,
  object,
  oneOf,
  optional,
  orNull,
  text,
  texts,
  time,
} from './forms.ts'

const step = object({ number: count, name: text, detail: text, ok: flag })

export const timelineLine = object({
  id: digest,
  custodian: text,
  sequence: count,
  state: text,
  resourceType: orNull(text),
  resourceId: orNull(text),
  class: text,
  contentType: text,
  size: count,
  at: time,
  isEventTime: flag,
  eventAt: orNull(anything),
  height: orNull(count),
  blockTime: orNull(time),
  proved: flag,
  fault: orNull(text),
  mistake: flag,
  supersedes: orNull(digest),
  corrects: orNull(digest),
  correctedBy: orNull(digest),
})

export const timeline = {
  items: listOf(timelineLine),
  gaps: listOf(object({ custodian: text, from: count, to: count })),
  problems: listOf(object({ code: text, custodian: text, record: digest })),
}

export const RECORD_SCHEMAS = {
  'mooring/submissions/v1': document('What was submitted, file by file.', {
    items: listOf(
      object({
        file: text,
        submission: text,
        records: listOf(answer('SubmittedRecord')),
        problems: listOf(answer('SubmissionProblem')),
      }),
    ),
  }),
  'mooring/record/v1': answered('One record of this node.', 'Record'),
  'mooring/records/v1': items('Records of this node.', answer('Record')),
  'mooring/readable-records/v1': items('Records that a grant opens.', answer('ReadableRecord')),
  'mooring/record-file/v1': document('A record that was read into a file.', {
    id: digest,
    file: text,
    size: count,
    contentType: text,
    accessEntry: orNull(digest),
    anchored: object({ isAnchored: flag, height: orNull(count) }),
    badHolders: listOf(object({ holder: text, code: text })),
  }),
  'mooring/record-history/v1': items('The versions of a record.', answer('RecordVersion'), {
    id: digest,
  }),
  'mooring/record-fields/v1': items('Fields of records.', answer('ShownFields')),
  'mooring/record-timeline/v1': document('Records of one patient in one order.', timeline),
  'mooring/proof-file/v1': document('Where a proof was written.', {
    id: digest,
    file: text,
    fields: optional(texts),
  }),
  'mooring/verification/v1': document('Whether a proof holds.', {
    ok: flag,
    steps: listOf(step),
    transactionId: optional(digest),
    height: optional(count),
    blockTime: optional(number),
    anchor: optional(
      orNull(
        object({
          kind: oneOf('record.anchor', 'access.log'),
          organisation: text,
          sequence: count,
        }),
      ),
    ),
    shown: optional(listOf(object({ pointer: text, value: text }))),
    failed: optional(object({ number: count, name: text, code: text })),
  }),
  'mooring/bundle-verification/v1': document('A timeline in a file that holds.', {
    ok: always(true),
    proven: listOf(object({ fullUrl: text, organisation: text, height: count, blockTime: number })),
    waiting: count,
  }),
  'mooring/erasure/v1': answered('What became of an erasure.', 'Erasure'),
  'mooring/erasures/v1': items('What is erased or restricted.', answer('Erasure')),
  'mooring/amendments/v1': items('Corrections that patients asked for.', answer('Amendment')),
  'mooring/legal-hold/v1': answered('A record that is held.', 'LegalHold'),
  'mooring/released/v1': answered('A record that is held no more.', 'Released'),
  'mooring/block/v1': answered('One final block.', 'Block'),
  'mooring/blocks/v1': items('Final blocks, newest first.', answer('BlockSummary')),
  'mooring/block-event/v1': document('A block that became final.', {
    height: count,
    digest,
    time,
    epoch: optional(count),
    view: optional(count),
    proposer: optional(text),
    transactionCount: optional(count),
  }),
  'mooring/transaction/v1': answered('One transaction.', 'Transaction'),
  'mooring/access-list/v1': items('Who asked for records here.', answer('Access')),
  'mooring/access-questions/v1': items('What patients asked.', answer('Question')),
  'mooring/question/v1': answered('A question of a patient, and its answer.', 'Question', {
    organisation: optional(text),
  }),
  'mooring/accounting/v1': answered('Whom the records of a patient went to.', 'Accounting'),
  'mooring/grant-file/v1': document('Where a grant was written.', {
    id: text,
    file: text,
    custodian: optional(text),
    recipient: text,
    expiresAt: time,
  }),
  'mooring/grant/v1': document('A grant as its file has it.', {
    version: optional(count),
    grant: optional(anything),
  }),
  'mooring/kept-grants/v1': items('Grants that this node keeps.', answer('KnownGrant')),
  'mooring/revoked-grant/v1': answered('A grant that has ended.', 'RelayedHandle'),
}
