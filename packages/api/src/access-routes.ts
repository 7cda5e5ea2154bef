/**
 * The part of the table that is about the access log.
 */

import { Access, ACCESS_OUTCOMES, AccessPage } from './access-answers.ts'
import { closed, hexId, json, page, table } from './route-forms.ts'
import { Type } from './schema.ts'

const organisation = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 64, description }))
const open = Type.Optional(
  Type.Boolean({ description: 'Open what is about patients whose keys this custodian hosts.' }),
)

export const accessRoutes = table({
  listAccess: {
    method: 'GET',
    path: '/v1/access',
    tag: 'records',
    role: 'auditor',
    summary: 'Who asked for records here, and what came of it, newest first',
    query: Type.Object(
      {
        ...page,
        organisation: organisation('Only what this organisation asked.'),
        custodian: organisation('Only about records of this custodian.'),
        outcome: Type.Optional(
          Type.Unsafe<(typeof ACCESS_OUTCOMES)[number]>({
            type: 'string',
            enum: [...ACCESS_OUTCOMES],
            description: 'Only what came to this.',
          }),
        ),
        open,
      },
      closed,
    ),
    responses: { 200: json('A page; `Link` names the next one.', AccessPage) },
  },
  getAccess: {
    method: 'GET',
    path: '/v1/access/:id',
    tag: 'records',
    role: 'auditor',
    summary: 'One line of the access log',
    params: Type.Object({ id: hexId }),
    query: Type.Object({ open }, closed),
    responses: { 200: json('The line.', Access) },
    problems: [404],
  },
})
