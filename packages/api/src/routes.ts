/**
 * One table: what can be asked, with what, and which answers exist.
 *
 * The server binds it, `/openapi.json` is made from it, and the endpoints are typed by it: a route
 * without an endpoint does not compile. `role` says who may ask
 * (admission.ts). Query values are text on the wire and become what their schema says before they are
 * checked; bodies are never converted.
 */

import { ref } from './answer-forms.ts'
import { accessRoutes } from './access-routes.ts'
import { adminRoutes } from './admin-routes.ts'
import * as answers from './answers.ts'
import { checkpointRoutes } from './checkpoint-routes.ts'
import { erasureRoutes } from './erasure-routes.ts'
import { evidenceRoutes } from './evidence-routes.ts'
import { membershipRoutes } from './membership-routes.ts'
import { emergencyRoutes } from './emergency-routes.ts'
import { identityRoutes } from './identity-routes.ts'
import { patientRoutes } from './patient-routes.ts'
import type { Response } from './route.ts'
import { timelineRoutes } from './timeline-routes.ts'
import { storageRoutes } from './storage-routes.ts'
import { bytes, closed, hexId, json, page, recordId, stream, table } from './route-forms.ts'
import { Type } from './schema.ts'
import { vaultRoutes } from './vault-routes.ts'

const JSON_BODY_MAX = 1024 * 1024
const PROOF_BODY_MAX = 4 * 1024 * 1024
const RECORDS_BODY_MAX = 16 * 1024 * 1024
export const LIST_MAX = 256

const duration = Type.String({
  pattern: '^[0-9]{1,6}(ms|s|m)$',
  description: 'For example 500ms, 10s or 1m; at most 60s.',
})
const wait = Type.Unsafe<'final'>({
  type: 'string',
  enum: ['final'],
  description: 'Answer only after finality, or after `timeout`.',
})
const prefer = Type.Optional(
  Type.String({ description: '`wait=<seconds>`, the same as wait=final with that timeout.' }),
)
const checks = Type.Object(
  {
    verbose: Type.Optional(Type.Boolean({ description: 'List every condition.' })),
    exclude: Type.Optional(Type.String({ description: 'Conditions to leave out, by comma.' })),
  },
  closed,
)
const waitQuery = { wait: Type.Optional(wait), timeout: Type.Optional(duration) }

const oneOrMore = Type.Object(
  {
    transaction: Type.Optional(Type.String({ description: 'One transaction, base64.' })),
    transactions: Type.Optional(
      Type.Array(Type.String({ description: 'Transactions, base64.' }), {
        minItems: 1,
        maxItems: LIST_MAX,
      }),
    ),
  },
  { ...closed, minProperties: 1, maxProperties: 1 },
)

const openDocument = { description: 'OpenAPI 3.1.', type: 'application/json' }
const all = ['api', 'patients', 'metrics'] as const

export const routes = table({
  live: {
    method: 'GET',
    path: '/livez',
    tag: 'health',
    role: 'none',
    summary: 'Whether the process works at all; never false because of the network',
    listeners: all,
    query: checks,
    responses: { 200: json('It does.', answers.Health) },
    problems: [503],
  },
  ready: {
    method: 'GET',
    path: '/readyz',
    tag: 'health',
    role: 'none',
    summary: 'Whether the node follows the chain and can take work',
    listeners: all,
    query: checks,
    responses: { 200: json('It can.', answers.Health) },
    problems: [503],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    tag: 'health',
    role: 'none',
    summary: 'Metrics in the Prometheus text format',
    listeners: ['metrics'],
    responses: { 200: { description: 'Metrics.', type: 'text/plain', schema: Type.String() } },
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    tag: 'health',
    role: 'none',
    summary: 'This contract as an OpenAPI document',
    responses: { 200: { ...openDocument, schema: Type.Unsafe<object>({}) } },
  },
  getStatus: {
    method: 'GET',
    path: '/v1/status',
    tag: 'network',
    role: 'viewer',
    summary: 'How this node is doing',
    responses: { 200: json('The status.', answers.Status) },
  },
  ...membershipRoutes,
  ...checkpointRoutes,
  ...storageRoutes,
  ...evidenceRoutes,
  listPeers: {
    method: 'GET',
    path: '/v1/peers',
    tag: 'network',
    role: 'viewer',
    summary: 'The peers of this node and how well it reaches them',
    responses: { 200: json('All of them.', answers.Peers) },
  },
  listBlocks: {
    method: 'GET',
    path: '/v1/blocks',
    tag: 'chain',
    role: 'viewer',
    summary: 'Final blocks, newest first',
    query: Type.Object(page, closed),
    responses: { 200: json('A page; `Link` names the next one.', answers.BlockPage) },
  },
  getBlock: {
    method: 'GET',
    path: '/v1/blocks/:block',
    tag: 'chain',
    role: 'viewer',
    summary: 'One final block by height, by digest, or the latest',
    params: Type.Object({
      block: Type.String({
        pattern: '^(latest|[0-9]{1,15}|[0-9a-f]{64})$',
        description: 'Height, digest, or `latest`.',
      }),
    }),
    responses: { 200: json('The block.', answers.Block) },
    problems: [404, 410],
  },
  getTransaction: {
    method: 'GET',
    path: '/v1/transactions/:id',
    tag: 'chain',
    role: 'viewer',
    summary: 'One transaction: pending, or final with its receipt',
    params: Type.Object({ id: hexId }),
    responses: { 200: json('The transaction.', answers.Transaction) },
    problems: [404, 410],
  },
  submitTransactions: {
    method: 'POST',
    path: '/v1/transactions',
    tag: 'chain',
    role: 'submitter',
    summary: 'Submit one signed transaction, or a list',
    query: Type.Object(waitQuery, closed),
    headers: Type.Object({ prefer }),
    accepts: {
      'application/json': { form: 'json', schema: oneOrMore },
      'application/cbor': bytes('application/cbor'),
    },
    bodyBytesMax: JSON_BODY_MAX,
    responses: {
      200: submitted('Known before, or a list in which nothing is left to wait for.'),
      201: submitted('Final.'),
      202: submitted('Accepted; it waits for a block.'),
    },
    problems: [408, 413, 415, 422],
  },
  submitRecords: {
    method: 'POST',
    path: '/v1/records',
    tag: 'records',
    role: 'submitter',
    summary: 'Submit records: FHIR as JSON or one resource a line, or one record of any media type',
    query: Type.Object(
      {
        ...waitQuery,
        partial: Type.Optional(
          Type.Boolean({ description: 'Keep the good entries although others are bad.' }),
        ),
        patient: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 256,
            description:
              'Whose record it is, when the body is not FHIR: a reference or the bare number. ' +
              "Without it the record is the institution's own.",
          }),
        ),
      },
      closed,
    ),
    headers: Type.Object({
      prefer,
      'idempotency-key': Type.Optional(
        Type.String({ description: 'The same key and body give the same answer for 24 hours.' }),
      ),
    }),
    accepts: {
      'application/fhir+json': bytes('application/fhir+json'),
      'application/json': bytes('application/json'),
      'application/fhir+ndjson': bytes('application/fhir+ndjson'),
      'application/x-ndjson': bytes('application/x-ndjson'),
      'application/ndjson': bytes('application/ndjson'),
      '*/*': stream('Any other media type, as it comes: one record.'),
    },
    bodyBytesMax: RECORDS_BODY_MAX,
    responses: {
      200: json('All of it was submitted before.', answers.Submission),
      201: json('Anchored.', answers.Submission),
      202: json('Durable here; the anchor follows.', answers.Submission),
    },
    problems: [403, 408, 409, 413, 415, 422, 507],
  },
  listRecords: {
    method: 'GET',
    path: '/v1/records',
    tag: 'records',
    role: 'submitter',
    summary: 'Records of this custodian, newest first',
    query: Type.Object(
      {
        ...page,
        type: Type.Optional(
          Type.String({ pattern: '^[A-Za-z]{1,64}$', description: 'FHIR resource type.' }),
        ),
      },
      closed,
    ),
    responses: { 200: json('A page; `Link` names the next one.', answers.RecordPage) },
  },
  getRecord: {
    method: 'GET',
    path: '/v1/records/:id',
    tag: 'records',
    role: 'submitter',
    summary: 'What is known of one record, without its content',
    params: Type.Object({ id: recordId }),
    responses: { 200: json('The record.', answers.StoredRecord) },
    problems: [404, 410],
  },
  ...vaultRoutes,
  ...patientRoutes,
  ...identityRoutes,
  ...emergencyRoutes,
  ...erasureRoutes,
  ...timelineRoutes,
  ...accessRoutes,
  ...adminRoutes,
  getProof: {
    method: 'GET',
    path: '/v1/proofs/:id',
    tag: 'proofs',
    role: 'auditor',
    isForStrangers: true,
    summary: 'The proof that a record or a transaction is in a final block',
    params: Type.Object({ id: recordId }),
    query: Type.Object(
      {
        opening: Type.Optional(
          Type.Boolean({
            default: true,
            description: 'Include what opens the commitment; only the custodian can.',
          }),
        ),
      },
      closed,
    ),
    responses: {
      200: { description: 'The proof.', type: 'application/json', schema: answers.ProofDocument },
    },
    problems: [404, 410],
  },
  verifyProof: {
    method: 'POST',
    path: '/v1/proofs/verify',
    tag: 'proofs',
    role: 'auditor',
    isForStrangers: true,
    summary: 'Check a proof document against the genesis of this node',
    accepts: { 'application/json': { form: 'bytes', schema: answers.ProofDocument } },
    bodyBytesMax: PROOF_BODY_MAX,
    responses: { 200: json('Step by step; `ok` is the verdict.', answers.Verification) },
    problems: [408, 413, 415],
  },
  streamEvents: {
    method: 'GET',
    path: '/v1/events',
    tag: 'events',
    role: 'viewer',
    summary: 'Blocks, transactions, records, peers and alarms as they happen (server-sent events)',
    query: Type.Object(
      {
        types: Type.Optional(
          Type.String({
            pattern: '^[a-z]+(,[a-z]+)*$',
            description:
              'block, transaction, record, peer, member, evidence, alarm, by comma; all when absent.',
          }),
        ),
        from: Type.Optional(
          Type.Integer({ minimum: 0, description: 'First height; live only when absent.' }),
        ),
      },
      closed,
    ),
    headers: Type.Object({
      'last-event-id': Type.Optional(
        Type.String({ description: '`<height>.<index>` of the last event received.' }),
      ),
    }),
    responses: {
      200: { description: 'The stream.', type: 'text/event-stream', schema: Type.String() },
    },
  },
})

function submitted(description: string): Response {
  const one = ref(answers.SubmittedTransaction)
  const several = ref(answers.TransactionResults)
  return { description, type: 'application/json', schema: Type.Union([one, several]) }
}

export type Routes = typeof routes
export type OperationId = keyof Routes

export const operationIds: readonly OperationId[] = Object.keys(routes).filter(isOperationId)

export function isOperationId(text: string): text is OperationId {
  return Object.hasOwn(routes, text)
}
