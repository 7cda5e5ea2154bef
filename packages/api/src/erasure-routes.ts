/**
 * The part of the table that is about erasing, holding and amending records: what a patient asks, and what the
 * custodian does about it.
 *
 * What may not be erased is refused with its reason (409) and restricted instead, where its patient asked.
 */

import { AMENDMENT_CHARACTERS_MAX } from '@mooring/records'
import * as answers from './erasure-answers.ts'
import { body, closed, json, page, recordId, table } from './route-forms.ts'
import { Type } from './schema.ts'

const BODY_MAX = 16 * 1024
const words = (description: string) =>
  Type.String({ minLength: 1, maxLength: AMENDMENT_CHARACTERS_MAX, pattern: '\\S', description })
const ofRecord = Type.Object({ id: recordId })
const amendmentId = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{32}$' }) })

export const erasureRoutes = table({
  eraseRecord: {
    method: 'POST',
    path: '/v1/records/:id/erasure',
    tag: 'records',
    role: 'operator',
    summary: 'Erase a record here and at all holders; a tombstone on the chain says that, not what',
    params: ofRecord,
    accepts: body({
      reason: Type.Unsafe<(typeof answers.ERASURE_REASONS)[number]>({
        type: 'string',
        enum: [...answers.ERASURE_REASONS],
      }),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('Erased; who was away is told later.', answers.Erasure) },
    problems: [404, 408, 409, 413, 415, 422, 429],
  },
  withdrawErasure: {
    method: 'POST',
    path: '/v1/records/:id/erasure/withdraw',
    tag: 'records',
    role: 'operator',
    summary: 'For a patient at the desk: a record that was restricted is readable again',
    params: ofRecord,
    accepts: body({}),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is not restricted any more.', answers.Erasure) },
    problems: [404, 408, 409, 413, 415, 422],
  },
  getErasure: {
    method: 'GET',
    path: '/v1/records/:id/erasure',
    tag: 'records',
    role: 'submitter',
    summary: 'How far the erasure of a record is, and who has signed that it is gone',
    params: ofRecord,
    responses: { 200: json('The erasure.', answers.Erasure) },
    problems: [404],
  },
  listErasures: {
    method: 'GET',
    path: '/v1/erasures',
    tag: 'records',
    role: 'operator',
    summary: 'Erased and restricted records of this custodian',
    query: Type.Object(page, closed),
    responses: { 200: json('A page; `Link` names the next one.', answers.ErasurePage) },
  },
  holdRecord: {
    method: 'POST',
    path: '/v1/records/:id/hold',
    tag: 'records',
    role: 'operator',
    summary: 'A legal hold: nobody erases this record',
    params: ofRecord,
    accepts: body({ reason: words('Which inquiry or court, for example.') }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is held.', answers.LegalHold) },
    problems: [404, 408, 413, 415, 422],
  },
  releaseRecord: {
    method: 'POST',
    path: '/v1/records/:id/release',
    tag: 'records',
    role: 'operator',
    summary: 'End a legal hold; what the patient asked for meanwhile is judged anew',
    params: ofRecord,
    accepts: body({}),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is not held any more.', answers.Released) },
    problems: [404, 408, 409, 413, 415, 422],
  },
  requestErasure: {
    method: 'POST',
    path: '/v1/patient/erasures',
    tag: 'patients',
    role: 'patient',
    summary: 'Ask that a record be erased; where the law keeps it, it is restricted instead',
    accepts: body({ record: recordId }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('Erased; who was away is told later.', answers.Erasure) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
  listOwnErasures: {
    method: 'GET',
    path: '/v1/patient/erasures',
    tag: 'patients',
    role: 'patient',
    summary: 'What the patient that asks has had erased or restricted',
    responses: { 200: json('All of them.', answers.Erasures) },
    problems: [401, 403, 404, 429],
  },
  liftRestriction: {
    method: 'POST',
    path: '/v1/patient/erasures/:id/withdraw',
    tag: 'patients',
    role: 'patient',
    summary: 'Withdraw a request that the law has refused: the record is readable again',
    params: ofRecord,
    accepts: body({}),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is not restricted any more.', answers.Erasure) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
  requestAmendment: {
    method: 'POST',
    path: '/v1/patient/amendments',
    tag: 'patients',
    role: 'patient',
    summary: 'Ask that a record be corrected',
    accepts: body({ record: recordId, request: words('What is wrong, what would be right.') }),
    bodyBytesMax: BODY_MAX,
    responses: { 201: json('It waits for an answer.', answers.Amendment) },
    problems: [401, 403, 404, 408, 410, 413, 415, 422, 429],
  },
  listOwnAmendments: {
    method: 'GET',
    path: '/v1/patient/amendments',
    tag: 'patients',
    role: 'patient',
    summary: 'What the patient that asks wanted corrected, and the answers',
    responses: { 200: json('All of them.', answers.Amendments) },
    problems: [401, 403, 404, 429],
  },
  listAmendments: {
    method: 'GET',
    path: '/v1/amendments',
    tag: 'records',
    role: 'operator',
    summary: 'Requests to correct records, the open ones or all',
    query: Type.Object(
      { all: Type.Optional(Type.Boolean({ description: 'Also those that are answered.' })) },
      closed,
    ),
    responses: { 200: json('Oldest first.', answers.Amendments) },
  },
  answerAmendment: {
    method: 'POST',
    path: '/v1/amendments/:id/answer',
    tag: 'records',
    role: 'operator',
    summary: 'Accept or refuse a request to correct a record',
    params: amendmentId,
    accepts: body({
      outcome: Type.Unsafe<'accepted' | 'refused'>({
        type: 'string',
        enum: ['accepted', 'refused'],
      }),
      reason: words('Why, or how.'),
      correction: Type.Optional(recordId),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is answered.', answers.Amendment) },
    problems: [404, 408, 409, 413, 415, 422],
  },
})
