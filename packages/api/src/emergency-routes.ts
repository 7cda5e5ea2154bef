/**
 * The part of the table that is about emergencies: for those who open a set, for the hospital of a patient, for
 * reviewers, and for patients.
 */

import * as answers from './emergency-answers.ts'
import { body, bytes, closed, hexId, hexKey, json, page, patient, table } from './route-forms.ts'
import { Type } from './schema.ts'

const BODY_MAX = 64 * 1024
const DEPOSITS_MAX = 16 * 1024 * 1024
const PRESENTATION_MAX = 16 * 1024

const code = Type.String({
  maxLength: 32,
  description: 'A code; an unknown or empty one is refused.',
})
const words = Type.String({ maxLength: 4_096 })
const short = Type.String({ minLength: 1, maxLength: 128 })
const presentation = Type.String({
  maxLength: PRESENTATION_MAX,
  description: 'SD-JWT VC of the practitioner with a key binding over this question.',
})
const emergency = { params: Type.Object({ id: hexId }) }

export const emergencyRoutes = table({
  openEmergency: {
    method: 'POST',
    path: '/v1/emergencies',
    tag: 'emergencies',
    role: 'submitter',
    summary: 'Open an emergency set: on the chain first, then with shares of its trustees',
    accepts: body({
      requestId: hexKey,
      locatorId: hexKey,
      reason: code,
      readerKey: hexKey,
      presentation,
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('Sealed to the one-time key.', answers.EmergencyOpened) },
    problems: [403, 404, 408, 409, 413, 415, 422, 429],
  },
  openOfflineEmergency: {
    method: 'POST',
    path: '/v1/emergencies/offline',
    tag: 'emergencies',
    role: 'submitter',
    summary:
      'Without the network: the summary of a patient of this hospital, for two practitioners',
    accepts: body({
      requestId: hexKey,
      patient,
      reason: code,
      presentations: Type.Array(presentation, { minItems: 0, maxItems: 2 }),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('The summary.', answers.OfflineSummary) },
    problems: [403, 404, 408, 409, 413, 415, 422],
  },
  listEmergencies: {
    method: 'GET',
    path: '/v1/emergencies',
    tag: 'emergencies',
    role: 'submitter',
    summary: 'Emergencies that this hospital has opened',
    query: Type.Object(page, closed),
    responses: { 200: json('A page; `Link` names the next one.', answers.EmergencyList) },
  },
  getEmergency: {
    method: 'GET',
    path: '/v1/emergencies/:id',
    tag: 'emergencies',
    role: 'submitter',
    summary: 'One of them',
    ...emergency,
    responses: { 200: json('The emergency.', answers.Emergency) },
    problems: [404],
  },
  closeEmergency: {
    method: 'POST',
    path: '/v1/emergencies/:id/close',
    tag: 'emergencies',
    role: 'submitter',
    summary: 'How it ended, and the written reason',
    ...emergency,
    accepts: body({ outcome: code, text: words }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is on the chain.', answers.Emergency) },
    problems: [404, 408, 409, 413, 415, 422],
  },
  listEmergencyReviews: {
    method: 'GET',
    path: '/v1/emergency-reviews',
    tag: 'emergencies',
    role: 'operator',
    summary: 'Emergencies of other owners that this member reviews',
    query: Type.Object(page, closed),
    responses: { 200: json('A page; `Link` names the next one.', answers.EmergencyReviews) },
  },
  judgeEmergency: {
    method: 'POST',
    path: '/v1/emergency-reviews/:id',
    tag: 'emergencies',
    role: 'operator',
    summary: 'What this member says of it',
    ...emergency,
    accepts: body({
      verdict: Type.Unsafe<'justified' | 'questionable' | 'unjustified'>({
        type: 'string',
        enum: ['justified', 'questionable', 'unjustified'],
      }),
      note: words,
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It is told.', answers.EmergencyReview) },
    problems: [404, 408, 409, 413, 415, 422],
  },
  depositHostedEmergencySet: {
    method: 'POST',
    path: '/v1/emergency-sets',
    tag: 'emergencies',
    role: 'operator',
    summary: 'Make or renew the emergency set of a patient whose wallet is hosted here',
    accepts: body({
      patient,
      withSensitive: Type.Optional(Type.Boolean({ default: false })),
      optOut: Type.Optional(Type.Boolean({ default: false })),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('Trustees have it.', answers.HostedEmergencySet) },
    problems: [404, 408, 409, 413, 415, 422],
  },
  getHostedEmergencySet: {
    method: 'GET',
    path: '/v1/emergency-sets',
    tag: 'emergencies',
    role: 'operator',
    summary: 'The emergency set of one patient, and what came of it',
    query: Type.Object({ patient }, closed),
    responses: { 200: json('As this hospital knows it.', answers.EmergencyStatus) },
    problems: [404],
  },
  issueCredential: {
    method: 'POST',
    path: '/v1/practitioners/credentials',
    tag: 'emergencies',
    role: 'operator',
    summary: 'A credential for a practitioner of this organisation, for a week at most',
    accepts: body({
      key: hexKey,
      role: short,
      name: short,
      licence: short,
      btg: Type.Boolean({ description: 'Whether it gives the right to emergency access.' }),
      expiresAt: Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Unix milliseconds.',
      }),
    }),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('For the practitioner.', answers.PractitionerCredential) },
    problems: [408, 413, 415, 422],
  },
  revokeCredential: {
    method: 'POST',
    path: '/v1/practitioners/credentials/:index/revoke',
    tag: 'emergencies',
    role: 'operator',
    summary: 'Take a credential back',
    params: Type.Object({ index: Type.String({ pattern: '^[0-9]{1,9}$' }) }),
    accepts: body({}),
    bodyBytesMax: BODY_MAX,
    responses: { 200: json('It opens nothing any more.', answers.RevokedCredential) },
    problems: [404, 408, 413, 415, 422],
  },
  getOwnEmergencyStatus: {
    method: 'GET',
    path: '/v1/patient/emergency',
    tag: 'emergencies',
    role: 'patient',
    summary: 'The emergency set of the patient that asks, and who has opened one',
    responses: { 200: json('As this hospital knows it.', answers.EmergencyStatus) },
    problems: [401, 403],
  },
  getOwnEmergencySummary: {
    method: 'GET',
    path: '/v1/patient/emergency/summary',
    tag: 'emergencies',
    role: 'patient',
    summary: 'What an ambulance would see of the records here',
    query: Type.Object({ sensitive: Type.Optional(Type.Boolean({ default: false })) }, closed),
    responses: { 200: json('The summary.', answers.EmergencySummary) },
    problems: [401, 403],
  },
  getEmergencyTrustees: {
    method: 'GET',
    path: '/v1/patient/emergency/trustees',
    tag: 'emergencies',
    role: 'patient',
    summary: 'Whom a set of that name is split over',
    query: Type.Object({ locatorId: hexKey }, closed),
    responses: { 200: json('Of different owners.', answers.EmergencyTrustees) },
    problems: [401, 403, 422],
  },
  depositEmergencySet: {
    method: 'POST',
    path: '/v1/patient/emergency/sets',
    tag: 'emergencies',
    role: 'patient',
    summary: 'Hand sealed versions of a set to its trustees',
    accepts: { 'application/cbor': bytes('application/cbor') },
    bodyBytesMax: DEPOSITS_MAX,
    responses: { 200: json('Enough of them have it.', answers.EmergencyDeposited) },
    problems: [401, 403, 408, 409, 413, 415, 422],
  },
})
