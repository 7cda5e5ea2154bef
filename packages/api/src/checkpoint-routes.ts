/**
 * The part of the table that is about checkpoints.
 */

import { Checkpoint } from './checkpoint-answers.ts'
import { json, table } from './route-forms.ts'
import { Type } from './schema.ts'

export const checkpointRoutes = table({
  getCheckpoint: {
    method: 'GET',
    path: '/v1/checkpoints/:height',
    tag: 'chain',
    role: 'auditor',
    summary: 'The first block at or after a height that has a certificate of its own',
    params: Type.Object({
      height: Type.String({ pattern: '^(latest|[0-9]{1,15})$', description: 'Or `latest`.' }),
    }),
    responses: { 200: json('The block with its certificate.', Checkpoint) },
    problems: [404],
  },
})
