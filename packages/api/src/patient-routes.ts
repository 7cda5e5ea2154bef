/**
 * The part of the table that is for patients, and for the desk at which they enrol.
 *
 * What a patient asks is signed with a key (`role: 'patient'`); a revocation says itself that it may be
 * relayed, so that anybody can bring it.
 */

import {
  body,
  closed,
  hexId,
  hexKey,
  json,
  page,
  patient,
  signature,
  startOfDay,
  table,
} from './route-forms.ts'
import * as answers from './patient-answers.ts'
import { Type } from './schema.ts'
import { GrantDocument } from './vault-answers.ts'

const BODY_MAX = 96 * 1024

export const patientRoutes = table({
  createEnrolment: {
    method: 'POST',
    path: '/v1/enrolments',
    tag: 'patients',
    role: 'operator',
    summary:
      'At the desk, once it is clear who somebody is: a ticket that binds a wallet to a patient',
    accepts: body({
      patient,
      endpoint: Type.String({
        pattern: '^https?://[\\x21-\\x7e]+$',
        maxLength: 256,
        description: 'Base address under which the wallet reaches this node.',
      }),
      isNew: Type.Optional(
        Type.Boolean({
          description: 'No record of the patient has come in yet; else one must have.',
        }),
      ),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 201: json('The ticket.', answers.Enrolment) },
    problems: [404, 408, 409, 413, 415, 422, 429],
  },
  enrolPatient: {
    method: 'POST',
    path: '/v1/patient/enrolment',
    tag: 'patients',
    role: 'patient',
    summary:
      'Bind the key that signs this to the patient of a ticket; an earlier key of theirs is retired',
    accepts: body({
      code: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$', description: 'Of the ticket.' }),
      sealKey: hexKey,
      recoveryCommit: Type.Optional(hexKey),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('Both are in force.', answers.Enrolled) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
  depositGrant: {
    method: 'POST',
    path: '/v1/patient/grants',
    tag: 'patients',
    role: 'patient',
    summary: 'Put a grant in force: its handle goes on the chain, its recipient gets its keys',
    accepts: body({
      grant: GrantDocument,
      open: Type.Object(
        {
          publicKey: hexKey,
          expiresAt: startOfDay,
          kind: Type.Unsafe<'share' | 'standing' | 'research' | 'delegation'>({
            type: 'string',
            enum: ['share', 'standing', 'research', 'delegation'],
          }),
          signature,
        },
        closed,
      ),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 201: json('It is in force.', answers.GrantDeposit) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
  listOwnGrants: {
    method: 'GET',
    path: '/v1/patient/grants',
    tag: 'patients',
    role: 'patient',
    summary: 'The grants of the patient that asks, newest first',
    query: Type.Object(page, closed),
    responses: { 200: json('A page.', answers.KnownGrants) },
    problems: [401, 403, 404, 429],
  },
  revokeHandle: {
    method: 'POST',
    path: '/v1/revocations',
    tag: 'patients',
    role: 'none',
    summary: 'Relay a revocation that its one-time key has signed; anybody may bring it',
    accepts: body({ publicKey: hexKey, signature }),
    bodyBytesMax: BODY_MAX,
    responses: {
      200: json('It is final: nobody serves that grant any more.', answers.RelayedHandle),
    },
    problems: [404, 408, 409, 413, 415, 422, 429],
  },
  listGrants: {
    method: 'GET',
    path: '/v1/grants',
    tag: 'patients',
    role: 'submitter',
    summary: 'The grants of one patient that this custodian keeps, newest first',
    query: Type.Object({ ...page, patient }, closed),
    responses: { 200: json('A page.', answers.KnownGrants) },
    problems: [404],
  },
  revokeGrant: {
    method: 'POST',
    path: '/v1/grants/:handle/revoke',
    tag: 'patients',
    role: 'submitter',
    summary: 'Take back a grant that was signed with a key hosted here',
    params: Type.Object({ handle: hexId }),
    accepts: body({}),
    bodyBytesMax: BODY_MAX,
    responses: {
      200: json('It is final: nobody serves that grant any more.', answers.RelayedHandle),
    },
    problems: [404, 408, 409, 413, 415, 422],
  },
})
