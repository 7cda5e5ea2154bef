/**
 * The shape of the answers about the vault: how strong it is, what a grant opens, what a record was.
 */

import {
  count,
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
import { standingFields } from './answers.ts'
import { type Static, Type } from './schema.ts'

export const VaultScheme = named('VaultScheme', 'How a record is split.', {
  needed: count('So many shards open a record: k.'),
  shards: count('So many are made of each: n.'),
  groups: count('Legal groups that hold shards; no two shards of a record go to one.'),
})
export type VaultScheme = Static<typeof VaultScheme>

export const VaultHolder = named('VaultHolder', 'An organisation that holds shards of this node.', {
  name: text('Organisation.'),
  group: text('Its legal group.'),
  reachable: flag('Whether it answers now.'),
  shards: count('Shards of this custodian that it should hold.'),
  challenged: count('Storage challenges that it was given.'),
  failed: count('Of these, answered wrongly or not at all.'),
  lastGoodAt: textOrNull('When it last answered a challenge well.'),
  problem: textOrNull('Code of what is wrong with it now.'),
})
export type VaultHolder = Static<typeof VaultHolder>

export const Vault = named('Vault', 'What this node has placed with others, and what it holds.', {
  scheme: nullOr(VaultScheme),
  records: Type.Object({
    total: count('Records of this custodian.'),
    waiting: count('Of these, not yet receipted by enough other holders.'),
    full: count('At full strength: every shard is with a holder that answers.'),
    reduced: count('Some shards are missing, and one more may go.'),
    critical: count('Exactly as many shards are left as a record needs.'),
    lost: count('Fewer than that: unreadable until a holder comes back.'),
  }),
  held: Type.Object({
    custodians: count('Custodians whose shards are here.'),
    shards: count('Shards held here for others and for this node itself.'),
    bytes: count('Their size.'),
    keyDeposits: count('Sealed key deposits held here.'),
  }),
  holders: list(VaultHolder),
  challenges: Type.Object({
    lastAt: textOrNull('When holders were last challenged.'),
    checked: count('Sets in that round.'),
    bad: count('Of these, with at least one bad or missing shard.'),
  }),
  repair: Type.Object({
    active: flag('Whether shards are being made anew.'),
    waiting: count('Sets that wait for it.'),
    repaired: count('Shards made anew since this node was started.'),
    lastAt: textOrNull('When the last one was.'),
  }),
})
export type Vault = Static<typeof Vault>

export const VaultStep = named('VaultStep', 'One line of a running check or repair.', {
  kind: oneOf(
    ['progress', 'finding', 'done', 'failed'],
    'Finding: one shard that is not as it should be. The last line is done or failed.',
  ),
  checked: count('Sets looked at.'),
  total: count('Sets there are.'),
  good: count('Of those looked at, at full strength.'),
  bad: count('Of those looked at, not at full strength when this ends.'),
  repaired: count('Shards made anew.'),
  record: textOrNull('Record of a finding, when this node knows it.'),
  holder: textOrNull('Organisation of a finding.'),
  movedTo: textOrNull('Who holds the shard now, when it was made anew.'),
  code: textOrNull('What is wrong.'),
  detail: text('One sentence.'),
})
export type VaultStep = Static<typeof VaultStep>

export const ReadableRecord = named('ReadableRecord', 'A record that a grant opens.', {
  id: text('Names it in a read.'),
  commitment: digest('What is anchored of it.'),
  custodian: text('Organisation that anchored it.'),
  class: text('Class of record.'),
  resourceType: textOrNull('FHIR resource type.'),
  resourceId: textOrNull('Its id in the resource.'),
  versionId: textOrNull('`meta.versionId` of the resource.'),
  contentType: text('Media type of its bytes.'),
  size: count('Bytes.'),
  receivedAt: time('When its custodian received it.'),
  supersedes: textOrNull('Commitment of the version before, when there is one.'),
})
export type ReadableRecord = Static<typeof ReadableRecord>

export const ReadablePage = named('ReadablePage', 'Records that a grant opens.', {
  items: list(ReadableRecord),
  entry: textOrNull('Digest of the access entry that this question left.'),
  nextCursor,
})
export type ReadablePage = Static<typeof ReadablePage>

export const PractitionerChallenge = named(
  'PractitionerChallenge',
  'What the practitioner has to sign; the same call with the signature goes on.',
  {
    challenge: text('Names it in the next call.'),
    toSign: text('Bytes to sign with the key of the practitioner, in hexadecimal digits.'),
  },
)
export type PractitionerChallenge = Static<typeof PractitionerChallenge>

const ShownField = named('ShownField', 'One field of a record.', {
  pointer: text('JSON pointer.'),
  value: text('JSON text of the value.'),
})

export const ShownFields = named('ShownFields', 'What a grant shows of a record.', {
  id: text('Commitment of the record.'),
  fields: list(ShownField),
  proof: Type.Unsafe<object>({
    type: 'object',
    additionalProperties: true,
    description: 'Proof that these are fields of a record that the custodian anchored.',
  }),
})
export type ShownFields = Static<typeof ShownFields>

export const ShownFieldsPage = named('ShownFieldsPage', 'Fields that a grant shows.', {
  items: list(ShownFields),
  entry: digest('Access entry that this question left.'),
  nextCursor,
})
export type ShownFieldsPage = Static<typeof ShownFieldsPage>

export const RecordVersion = named('RecordVersion', 'One version of a record.', {
  id: text('Identifier of the record.'),
  versionId: textOrNull('`meta.versionId` of the resource.'),
  ...standingFields,
  size: count('Bytes.'),
  commitment: digest('What is anchored of it.'),
  supersedes: textOrNull('Identifier of the version before.'),
  holders: count('Organisations that hold a shard of it.'),
  accesses: count('Access entries about it that this custodian knows.'),
})
export type RecordVersion = Static<typeof RecordVersion>

export const RecordVersions = named('RecordVersions', 'The versions of a record, newest first.', {
  items: list(RecordVersion),
  nextCursor,
})
export type RecordVersions = Static<typeof RecordVersions>

export const GrantDocument = Type.Unsafe<object>({
  type: 'object',
  additionalProperties: true,
  description: 'A grant document with its signature, as `mooring grant create` writes it.',
})
