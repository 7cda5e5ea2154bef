/**
 * The shape of every answer, once: TypeScript reads the types from here, the server writes with these
 * schemas (what is not named is not sent), and `/openapi.json` publishes them.
 *
 * Digests, roots and ids are lower-case hex; times are RFC 3339 UTC; heights are integers. A type
 * `X` and its schema `X` share the name.
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
  numberOrNull,
  oneOf,
  text,
  textOrNull,
  time,
} from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

export const Alarm = named('Alarm', 'Something an operator must act on.', {
  code: text('The code, as in a problem document.'),
  mor: textOrNull('Its MOR number; `mooring explain` says more.'),
  severity: oneOf(['page', 'ticket'], 'How urgent it is.'),
  detail: text('One sentence.'),
  since: time('When it was first seen.'),
  acknowledged: textOrNull('Who has taken note, and with what words; null: nobody.'),
})
export type Alarm = Static<typeof Alarm>

export const Stall = named('Stall', 'Why work waits for finality, in words.', {
  code: text('The code, as in a problem document.'),
  mor: textOrNull('Its MOR number.'),
  detail: text('What is missing, by name.'),
})
export type Stall = Static<typeof Stall>

export const Status = named('Status', 'One node at one moment.', {
  node: Type.Object({
    name: text('The organisation this node acts for.'),
    peerId: text('Its libp2p peer id.'),
    role: oneOf(['authority', 'observer'], 'Whether it votes.'),
    version: text('Version of Mooring.'),
    runtime: text('Version of Node.'),
    startedAt: time('When the process started.'),
  }),
  network: Type.Object({
    name: text('Name in the genesis.'),
    id: text('`moor-` and the first eight digits of the genesis digest.'),
    protocolVersion: count('Protocol version in force.'),
  }),
  chain: Type.Object({
    height: count('Last final height.'),
    digest: digest('Digest of the last final block.'),
    time: time('Its block time.'),
    bestKnownHeight: count('The highest height a peer has reported.'),
    finalityP50Ms: numberOrNull('Submit to final, median of the recent past.'),
    finalityP95Ms: numberOrNull('The same, 95th percentile.'),
  }),
  consensus: Type.Object({
    epoch: count('Epoch.'),
    view: count('View.'),
    leader: text('Organisation whose turn it is.'),
    authorities: count('Size of the authority set.'),
    live: count('Authorities heard of recently, this node included.'),
    quorum: count('Votes needed.'),
    tolerates: Type.Integer({
      description: 'Further authorities that may fail; negative: stalled.',
    }),
    waitingMs: count('Age of the oldest work without finality, 0 when idle.'),
    missing: Type.Array(text('Organisation.'), { description: 'Authorities not heard of.' }),
    stall: nullOr(Stall),
  }),
  peers: Type.Object({
    connected: count('Open connections.'),
    members: count('Members of the network without this node.'),
  }),
  mempool: Type.Object({
    transactions: count('Transactions waiting for a block.'),
    bytes: count('Their size.'),
  }),
  records: Type.Object({
    accepted: count('Records taken here: received, accepted or further.'),
    anchored: count('Of these, in a final block.'),
  }),
  holder: Type.Object({
    custodians: count('Custodians that this node keeps shards for.'),
    shards: count('Shards that it keeps.'),
    bytes: count('Their size, with what travels beside them.'),
    damaged: count('Of these, found damaged since the start and not made again yet.'),
  }),
  storage: Type.Object({
    bytes: countOrNull('Size of the data directory.'),
    freeBytes: countOrNull('Free bytes on its volume.'),
    base: count('Nothing is kept of blocks at or below; 0: the chain is whole.'),
    prunedTo: count('Bodies of blocks at or below have been dropped.'),
    retention: text('How long bodies are kept: `forever`, a time, or a number of blocks.'),
    holds: Type.Array(text('Name.'), { description: 'Legal holds: nothing is dropped.' }),
  }),
  sync: Type.Object({
    active: flag('Whether blocks are being fetched.'),
    target: count('The height it is going to.'),
    blocksPerSecond: count('In the last five seconds.'),
    transactionsPerSecond: count('The same for transactions.'),
    peers: Type.Array(text('Organisation.'), { description: 'Who was asked a moment ago.' }),
    bad: Type.Array(
      Type.Object({
        name: text('Organisation.'),
        reason: text('What was wrong last.'),
        count: count('How often, since this node was started.'),
      }),
      { description: 'Who sent what must not be sent.' },
    ),
  }),
  alarms: list(Alarm),
})
export type Status = Static<typeof Status>

export const Peer = named('Peer', 'The other end of a connection, or of one that should be.', {
  peerId: text('Peer id.'),
  name: text('Organisation.'),
  connected: flag('Whether a connection is open.'),
  direction: Type.Unsafe<'inbound' | 'outbound' | null>({
    type: ['string', 'null'],
    enum: ['inbound', 'outbound', null],
    description: 'Who dialled.',
  }),
  height: countOrNull('Final height it last reported.'),
  rttMs: numberOrNull('Round trip.'),
  lastHeardMs: countOrNull('Milliseconds since anything arrived from it.'),
  lastError: textOrNull('Why the last attempt failed.'),
})
export type Peer = Static<typeof Peer>

export const Peers = named('Peers', 'All peers of this node.', { items: list(Peer) })
export type Peers = Static<typeof Peers>

const summaryFields = {
  height: count('Position in the chain.'),
  digest: digest('Digest of the header, which names the block.'),
  epoch: count('Epoch.'),
  view: count('View in which it was decided.'),
  time: time('Block time.'),
  proposer: text('Organisation that proposed it.'),
  transactionCount: count('Transactions in it.'),
}

export const BlockSummary = named('BlockSummary', 'A final block, in one line.', summaryFields)
export type BlockSummary = Static<typeof BlockSummary>

export const BlockPage = named('BlockPage', 'Final blocks, newest first.', {
  items: list(BlockSummary),
  nextCursor,
})
export type BlockPage = Static<typeof BlockPage>

export const Finalization = named('Finalization', 'The certificate that makes a block final.', {
  height: count('Height it was made for: this block or a descendant.'),
  digest: digest('Digest it was made for.'),
  view: count('View it was made in.'),
  signers: Type.Array(text('Organisation.'), { description: 'Who signed.' }),
  quorum: count('Signatures needed.'),
})
export type Finalization = Static<typeof Finalization>

export const BlockEntry = named('BlockEntry', 'One transaction of a block, in one line.', {
  id: digest('Transaction id.'),
  kind: text('Kind of transaction.'),
  organisation: text('Organisation that it speaks for.'),
  sequence: countOrNull('Its number among those of its organisation, if the kind has one.'),
})
export type BlockEntry = Static<typeof BlockEntry>

export const Block = named('Block', 'A final block: header, transaction ids, certificate.', {
  ...summaryFields,
  parent: digest('Digest of the parent.'),
  parentView: count('View of the parent.'),
  genesisDigest: digest('The network.'),
  transactionRoot: digest('RFC 9162 root over the transactions.'),
  stateRoot: digest('Root of the state after the block.'),
  historyRoot: digest('RFC 9162 root over all earlier block digests.'),
  authoritySetDigest: digest('The authority set in force.'),
  nextAuthoritySetDigest: textOrNull('The next one, when the block ends an epoch.'),
  transactions: Type.Array(digest('Transaction id.')),
  contents: list(BlockEntry),
  finalization: nullOr(Finalization),
})
export type Block = Static<typeof Block>

export const Transaction = named('Transaction', 'One signed instruction and what became of it.', {
  id: digest('Digest of what was signed.'),
  status: oneOf(['pending', 'final'], 'Waiting for a block, or in a final one.'),
  kind: text('Kind of transaction.'),
  height: countOrNull('Height of its block.'),
  index: countOrNull('Position in its block.'),
  time: textOrNull('Block time.'),
  expiresAt: time('After this block time it can no longer be included.'),
  organisation: text('Organisation that it speaks for, whose quota pays.'),
  summary: text('What it does, in one sentence.'),
  body: Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description: 'What was signed, by kind.',
  }),
  receipt: Type.Unsafe<Record<string, unknown> | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'Its outcome, by kind.',
  }),
})
export type Transaction = Static<typeof Transaction>

export const SubmittedTransaction = named(
  'SubmittedTransaction',
  'What became of one submission.',
  {
    id: digest('Digest of what was signed; the name of the transaction from now on.'),
    status: oneOf(['accepted', 'final'], 'Accepted: it waits for a block. Final: it is in one.'),
    height: countOrNull('Height of its block.'),
  },
)
export type SubmittedTransaction = Static<typeof SubmittedTransaction>

export const TransactionResult = named('TransactionResult', 'One item of a list submission.', {
  id: textOrNull('Digest of what was signed; null when it could not be read.'),
  status: oneOf(['accepted', 'known', 'final', 'rejected'], 'Outcome; known: submitted before.'),
  height: countOrNull('Height of its block.'),
  problem: Type.Unsafe<{ code: string; mor: string | null; detail: string } | null>({
    type: ['object', 'null'],
    required: ['code', 'mor', 'detail'],
    properties: {
      code: { type: 'string' },
      mor: { type: ['string', 'null'] },
      detail: { type: 'string' },
    },
    description: 'Why it was rejected.',
  }),
})
export type TransactionResult = Static<typeof TransactionResult>

export const TransactionResults = named('TransactionResults', 'A list submission, item by item.', {
  results: list(TransactionResult),
})
export type TransactionResults = Static<typeof TransactionResults>

const links = Type.Object({
  self: text('The record.'),
  content: text('Its exact bytes.'),
  proof: text('Its proof, after finality.'),
})

/** How far a record of this custodian is. */
export const standingFields = {
  status: oneOf(
    ['received', 'accepted', 'batched', 'anchored'],
    'Durable here, at enough holders, in a batch, or in a final block.',
  ),
  acceptedAt: time('When it was received and durable here.'),
  transactionId: textOrNull('Its anchor.'),
  height: countOrNull('Height of its anchor.'),
}

export const SubmittedRecord = named('SubmittedRecord', 'One record of a submission.', {
  id: text('Identifier of the record.'),
  resourceType: textOrNull('FHIR resource type.'),
  entry: count('Position in the submission.'),
  status: oneOf(
    ['received', 'accepted', 'anchored', 'known'],
    'Received: durable here. Accepted: at enough holders. Known: sent before.',
  ),
  height: countOrNull('Height of its anchor.'),
  links,
})
export type SubmittedRecord = Static<typeof SubmittedRecord>

export const SubmissionProblem = named('SubmissionProblem', 'One entry that was not accepted.', {
  code: text('What is wrong.'),
  entry: countOrNull('Position in the submission; null for the whole.'),
  line: count('Line, from 1.'),
  column: count('Column, from 1.'),
  detail: text('One sentence.'),
})
export type SubmissionProblem = Static<typeof SubmissionProblem>

export const Submission = named('Submission', 'What became of one submission of records.', {
  submission: text('Identifier of the submission.'),
  records: list(SubmittedRecord),
  problems: list(SubmissionProblem),
})
export type Submission = Static<typeof Submission>

export const StoredRecord = named('Record', 'What this custodian tells of a record.', {
  id: text('Identifier of the record.'),
  resourceType: textOrNull('FHIR resource type.'),
  contentType: text('Media type of its bytes.'),
  size: count('Bytes.'),
  class: textOrNull('Class of record, once it is sealed.'),
  holders: countOrNull('Organisations that hold a shard of it, once it is placed.'),
  ...standingFields,
  links,
})
export type StoredRecord = Static<typeof StoredRecord>

export const RecordPage = named('RecordPage', 'Records of this custodian, newest first.', {
  items: list(StoredRecord),
  nextCursor,
})
export type RecordPage = Static<typeof RecordPage>

export const ProofDocument = Type.Unsafe<object>({
  type: 'object',
  additionalProperties: true,
  description: 'A self-contained proof: of a record (has `record`), or of a transaction.',
})

export const Verification = named('Verification', 'A proof checked step by step.', {
  ok: flag('Whether every step holds.'),
  steps: Type.Array(
    Type.Object({
      number: count('Step.'),
      name: text('What is checked.'),
      detail: text('What was found.'),
      ok: flag('Whether it holds.'),
    }),
  ),
  failed: textOrNull('Code of the first step that does not hold.'),
  height: countOrNull('Height of the final block.'),
  blockTime: textOrNull('Its block time.'),
  transaction: textOrNull('The transaction id.'),
})
export type Verification = Static<typeof Verification>

export const Health = named('Health', 'Conditions, one by one.', {
  status: oneOf(['ok'], 'Always ok: anything else is a problem document.'),
  conditions: Type.Array(
    Type.Object({
      name: text('Condition.'),
      ok: flag('Whether it holds.'),
      detail: text('One sentence.'),
    }),
  ),
})
export type Health = Static<typeof Health>
export type Condition = Health['conditions'][number]

export const Problem = named('Problem', 'Problem details, RFC 9457.', {
  type: text('Names the kind of problem.'),
  title: text('The kind in words.'),
  status: count('HTTP status.'),
  detail: text('This occurrence in words.'),
  instance: text('`urn:uuid:` of the request, as in the log of the node.'),
  code: text('The kind, for programs.'),
  mor: Type.Optional(text('The kind as a MOR number.')),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        detail: text('One sentence.'),
        code: Type.Optional(text('What is wrong.')),
        in: Type.Optional(oneOf(['body', 'query', 'path', 'header'], 'Part of the request.')),
        pointer: Type.Optional(text('JSON pointer into that part.')),
        entry: Type.Optional(countOrNull('Entry of a submission.')),
        line: Type.Optional(count('Line, from 1.')),
        column: Type.Optional(count('Column, from 1.')),
      }),
    ),
  ),
  retryAfterMs: Type.Optional(count('When to try again.')),
})
