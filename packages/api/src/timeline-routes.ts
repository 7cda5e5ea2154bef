/**
 * The part of the table that is about timelines, access logs of patients, and questions about them.
 */

import { body, bytes, closed, hexKey, json, page, recordId, table } from './route-forms.ts'
import { Type } from './schema.ts'
import * as answers from './timeline-answers.ts'
import { toSign, underGrant } from './vault-routes.ts'

const BODY_MAX = 64 * 1024
export const QUESTION_CHARACTERS_MAX = 2_000

const words = (description: string) =>
  Type.String({ minLength: 1, maxLength: QUESTION_CHARACTERS_MAX, description })
const questionId = Type.String({ pattern: '^[0-9a-f]{32}$', description: 'Of the question.' })

export const timelineRoutes = table({
  getOwnTimeline: {
    method: 'GET',
    path: '/v1/patient/timeline',
    tag: 'patients',
    role: 'patient',
    summary: 'All records of the patient that asks, by their numbers, each with its proof',
    query: Type.Object(page, closed),
    responses: { 200: json('A page.', answers.TimelinePage) },
    problems: [401, 403, 404, 429],
  },
  readOwnRecord: {
    method: 'GET',
    path: '/v1/patient/records/:id/content',
    tag: 'patients',
    role: 'patient',
    summary:
      'A record of the patient that asks, read from its holders; that leaves an access entry',
    params: Type.Object({ id: recordId }),
    responses: {
      200: {
        description:
          'The bytes, in the media type they came in. `Mooring-Access-Entry` names the trace, ' +
          '`Mooring-Anchored` the block (or `final`, or `pending`).',
        type: '*/*',
        schema: bytes('*/*').schema,
      },
    },
    problems: [401, 403, 404, 429],
  },
  listOwnTraces: {
    method: 'GET',
    path: '/v1/patient/accesses',
    tag: 'patients',
    role: 'patient',
    summary: 'Who accessed records of the patient that asks, as all holders tell it',
    query: Type.Object(page, closed),
    responses: { 200: json('A page.', answers.TracePage) },
    problems: [401, 403, 404, 429],
  },
  askQuestion: {
    method: 'POST',
    path: '/v1/patient/questions',
    tag: 'patients',
    role: 'patient',
    summary: 'Ask the hospital why an access was made',
    accepts: body({ access: hexKey, question: words('What is asked.') }),
    bodyBytesMax: BODY_MAX,
    responses: { 201: json('It is kept.', answers.Question) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
  listOwnQuestions: {
    method: 'GET',
    path: '/v1/patient/questions',
    tag: 'patients',
    role: 'patient',
    summary: 'The questions of the patient that asks, with their answers',
    responses: { 200: json('Newest first.', answers.QuestionPage) },
    problems: [401, 403, 404, 429],
  },
  listQuestions: {
    method: 'GET',
    path: '/v1/questions',
    tag: 'patients',
    role: 'auditor',
    summary: 'What patients ask about accesses to their records',
    query: Type.Object(
      { open: Type.Optional(Type.Boolean({ description: 'Only what is not answered yet.' })) },
      closed,
    ),
    responses: { 200: json('Newest first.', answers.QuestionPage) },
  },
  answerQuestion: {
    method: 'POST',
    path: '/v1/questions/:id/answer',
    tag: 'patients',
    role: 'auditor',
    summary: 'Answer a question of a patient, once',
    params: Type.Object({ id: questionId }),
    accepts: body({ answer: words('What is answered.') }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is kept.', answers.Question) },
    problems: [404, 408, 409, 413, 415, 422],
  },
  getAccounting: {
    method: 'GET',
    path: '/v1/accounting',
    tag: 'patients',
    role: 'auditor',
    summary: 'What records of a patient were disclosed to other organisations',
    query: Type.Object(
      {
        patient: Type.String({
          minLength: 1,
          maxLength: 256,
          description: 'A FHIR reference or the bare number.',
        }),
      },
      closed,
    ),
    responses: { 200: json('The accounting.', answers.Accounting) },
    problems: [404],
  },
  getGrantedTimeline: {
    method: 'POST',
    path: '/v1/timeline',
    tag: 'records',
    role: 'submitter',
    summary: 'What a grant opens, each record with its proof; the question leaves an access entry',
    query: Type.Object(page, closed),
    accepts: body(underGrant),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('A page.', answers.TimelinePage), 202: toSign },
    problems: [403, 408, 413, 415, 422],
  },
})
