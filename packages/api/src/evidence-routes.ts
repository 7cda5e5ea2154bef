/**
 * The part of the table that is about evidence against authorities.
 */

import { Evidence, EvidencePage } from './evidence-answers.ts'
import { binary, closed, hexId, json, table } from './route-forms.ts'
import { Type } from './schema.ts'

const PAGE_MAX = 500
const PAGE_DEFAULT = 50

export const evidenceRoutes = table({
  listEvidence: {
    method: 'GET',
    path: '/v1/evidence',
    tag: 'network',
    role: 'auditor',
    summary: 'Authorities that have voted against themselves, newest evidence first',
    query: Type.Object(
      {
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT }),
        ),
        cursor: Type.Optional(
          Type.String({ maxLength: 200, description: '`nextCursor` of the page before.' }),
        ),
      },
      closed,
    ),
    responses: { 200: json('A page; `Link` names the next one.', EvidencePage) },
  },
  getEvidence: {
    method: 'GET',
    path: '/v1/evidence/:id',
    tag: 'network',
    role: 'auditor',
    summary: 'One piece of evidence',
    params: Type.Object({ id: hexId }),
    responses: { 200: json('The evidence.', Evidence) },
    problems: [404],
  },
  getEvidenceBytes: {
    method: 'GET',
    path: '/v1/evidence/:id/content',
    tag: 'network',
    role: 'auditor',
    summary: 'Its bytes, as a removal proposal takes them',
    params: Type.Object({ id: hexId }),
    responses: {
      200: {
        description: 'The canonical encoding; its digest is the id.',
        type: 'application/cbor',
        schema: binary('application/cbor'),
      },
    },
    problems: [404],
  },
})
