/**
 * The part of the table that is about the vault: reading with a trace, grants, strength and repair.
 *
 * A grant travels in a body, never in an address: addresses end up in logs.
 */

import { ProofDocument } from './answers.ts'
import { binary, body, closed, json, page, recordId, table } from './route-forms.ts'
import { Type } from './schema.ts'
import * as answers from './vault-answers.ts'

const GRANT_BODY_MAX = 64 * 1024
const COMMAND_BODY_MAX = 4 * 1024
const FIELDS_MAX = 256
const NAMES_MAX = 256

const purpose = Type.String({
  pattern: '^[A-Z0-9]{2,16}$',
  description: 'Why, as a code of v3-ActReason, for example TREAT.',
})
const words = (pattern: string, description: string) =>
  Type.Array(Type.String({ pattern }), { minItems: 1, maxItems: 16, description })
export const person = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'Who at this organisation looks; without it a system does.',
})
const hex = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` })
export const practitioner = Type.Object(
  { key: hex(32), challenge: Type.Optional(hex(16)), signature: Type.Optional(hex(64)) },
  { ...closed, description: 'Who looks and signs; the first call is answered with 202.' },
)
export const toSign = json('A practitioner has to sign first.', answers.PractitionerChallenge)
/** Of every question under a grant. */
export const underGrant = {
  grant: answers.GrantDocument,
  purpose,
  person: Type.Optional(person),
  practitioner: Type.Optional(practitioner),
}
const instant = (description: string) =>
  Type.String({
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2})$',
    description,
  })
const organisation = Type.String({ minLength: 1, maxLength: 64, description: 'Organisation.' })
const content = {
  description:
    'The bytes, in the media type they came in. `Mooring-Access-Entry` names the trace, `Mooring-Anchored` the block ' +
    '(or `final`, or `pending`), `Mooring-Bad-Holders` who gave shards that are not of the set.',
  type: '*/*',
  schema: binary('*/*'),
}
const steps = (description: string) => ({
  description,
  type: 'application/x-ndjson',
  schema: Type.Unsafe<string>({
    contentMediaType: 'application/x-ndjson',
    description: 'One `VaultStep` a line; the last one is `done` or `failed`.',
    contentSchema: { $ref: 'VaultStep#' },
  }),
})

export const vaultRoutes = table({
  getRecordContent: {
    method: 'GET',
    path: '/v1/records/:id/content',
    tag: 'records',
    role: 'submitter',
    summary: 'Its custodian reads a record back; that leaves an access entry',
    params: Type.Object({ id: recordId }),
    query: Type.Object({ purpose: Type.Optional(purpose), person: Type.Optional(person) }, closed),
    responses: { 200: content },
    problems: [403, 404, 410],
  },
  readRecord: {
    method: 'POST',
    path: '/v1/records/:id/read',
    tag: 'records',
    role: 'submitter',
    summary: 'Read one record under a grant; that leaves an access entry',
    params: Type.Object({ id: recordId }),
    accepts: body(underGrant),
    bodyBytesMax: GRANT_BODY_MAX,
    responses: { 200: content, 202: toSign },
    problems: [403, 404, 408, 413, 415, 422],
  },
  listReadable: {
    method: 'POST',
    path: '/v1/reads',
    tag: 'records',
    role: 'submitter',
    summary: 'What a grant opens; the question leaves an access entry',
    query: Type.Object(page, closed),
    accepts: body({
      ...underGrant,
      records: Type.Optional(
        Type.Array(recordId, {
          minItems: 1,
          maxItems: NAMES_MAX,
          description: 'Only these.',
        }),
      ),
    }),
    bodyBytesMax: GRANT_BODY_MAX,
    responses: { 200: json('A page.', answers.ReadablePage), 202: toSign },
    problems: [403, 408, 413, 415, 422],
  },
  readFields: {
    method: 'POST',
    path: '/v1/reads/fields',
    tag: 'records',
    role: 'submitter',
    summary: 'Fields that a grant shows of records it does not open as a whole, with proofs',
    query: Type.Object(page, closed),
    accepts: body(underGrant),
    bodyBytesMax: GRANT_BODY_MAX,
    responses: { 200: json('A page.', answers.ShownFieldsPage), 202: toSign },
    problems: [403, 408, 413, 415, 422],
  },
  getRecordHistory: {
    method: 'GET',
    path: '/v1/records/:id/history',
    tag: 'records',
    role: 'submitter',
    summary: 'The versions of one record, newest first',
    params: Type.Object({ id: recordId }),
    query: Type.Object(page, closed),
    responses: { 200: json('A page; `Link` names the next one.', answers.RecordVersions) },
    problems: [404, 410],
  },
  discloseRecord: {
    method: 'POST',
    path: '/v1/records/:id/disclose',
    tag: 'proofs',
    role: 'submitter',
    summary: 'A proof that shows chosen fields of a record and no other',
    params: Type.Object({ id: recordId }),
    accepts: body({
      fields: Type.Array(Type.String({ maxLength: 1024 }), {
        minItems: 1,
        maxItems: FIELDS_MAX,
        description: 'JSON pointers, for example /code/text.',
      }),
    }),
    bodyBytesMax: GRANT_BODY_MAX,
    responses: {
      200: { description: 'The disclosure.', type: 'application/json', schema: ProofDocument },
    },
    problems: [403, 404, 410, 408, 413, 415, 422],
  },
  createGrant: {
    method: 'POST',
    path: '/v1/grants',
    tag: 'records',
    role: 'submitter',
    summary: 'Let another organisation read records of a patient, signed with the key hosted here',
    accepts: body({
      patient: Type.String({
        maxLength: 256,
        description:
          'Whose records: a FHIR reference or the bare number; empty for those of no patient.',
      }),
      recipient: organisation,
      classes: words('^[a-z]+(:[a-z0-9-]+)?$', 'Classes of records, for example general.'),
      purposes: words('^[A-Z0-9]{2,16}$', 'Codes of v3-ActReason, for example TREAT.'),
      notBefore: Type.Optional(instant('When it begins; now when absent.')),
      expiresAt: instant('When it ends, at most a year ahead.'),
    }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: {
      201: {
        description: 'The grant document; whoever holds it and the key of its recipient may read.',
        type: 'application/json',
        schema: answers.GrantDocument,
      },
    },
    problems: [404, 408, 413, 415, 422],
  },
  getVault: {
    method: 'GET',
    path: '/v1/vault',
    tag: 'storage',
    role: 'viewer',
    summary: 'How strong the vault is, holder by holder, and what is held here for others',
    responses: { 200: json('As this node knows it now.', answers.Vault) },
  },
  verifyVault: {
    method: 'POST',
    path: '/v1/vault/verify',
    tag: 'storage',
    role: 'operator',
    summary: 'Challenge the holders of the records of this custodian, now',
    accepts: body({
      full: Type.Optional(
        Type.Boolean({ default: true, description: 'For every record instead of a sample.' }),
      ),
    }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: steps('Line by line, as it goes.') },
    problems: [408, 413, 415],
  },
  repairVault: {
    method: 'POST',
    path: '/v1/vault/repair',
    tag: 'storage',
    role: 'operator',
    summary: 'Make missing and bad shards anew, now',
    accepts: body({
      immediate: Type.Optional(
        Type.Boolean({
          description: 'Replace holders that do not answer without waiting for them.',
        }),
      ),
    }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: steps('Line by line, as it goes.') },
    problems: [408, 413, 415],
  },
})
