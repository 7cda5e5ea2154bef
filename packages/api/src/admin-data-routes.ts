/**
 * The part of the table that is about backups of a node and the checking of its databases. Both take longer
 * than a request may: they are begun, and looked at until they are over.
 */

import { Backups, Verifications } from './admin-data-answers.ts'
import { body, json, table } from './route-forms.ts'
import { Type } from './schema.ts'

const KEYS_CHARACTERS_MAX = 3 * 1024 * 1024

export const adminDataRoutes = table({
  getBackups: {
    method: 'GET',
    path: '/v1/admin/backups',
    tag: 'admin',
    role: 'operator',
    summary: 'The backups of this node: kept, running and due',
    responses: { 200: json('All of them.', Backups) },
  },
  beginBackup: {
    method: 'POST',
    path: '/v1/admin/backups',
    tag: 'admin',
    role: 'operator',
    summary: 'Begin a backup',
    accepts: body({
      compression: Type.Unsafe<'zstd' | 'gzip' | 'none'>({
        type: 'string',
        enum: ['zstd', 'gzip', 'none'],
        description: 'How it is compressed.',
      }),
      keys: Type.Optional(
        Type.String({
          maxLength: KEYS_CHARACTERS_MAX,
          pattern: '^[A-Za-z0-9_-]+$',
          description:
            'The keys, sealed by who asks; base64url. Without it no key is in the backup.',
        }),
      ),
    }),
    bodyBytesMax: KEYS_CHARACTERS_MAX + 1024,
    responses: { 202: json('It runs.', Backups) },
    problems: [409, 413, 415],
  },
  getVerifications: {
    method: 'GET',
    path: '/v1/admin/verifications',
    tag: 'admin',
    role: 'operator',
    summary: 'What the last check of the databases found',
    responses: { 200: json('The check that runs, and the last one.', Verifications) },
  },
  beginVerification: {
    method: 'POST',
    path: '/v1/admin/verifications',
    tag: 'admin',
    role: 'operator',
    summary: 'Begin a check of the databases',
    accepts: body({}),
    bodyBytesMax: 1024,
    responses: { 202: json('It runs.', Verifications) },
    problems: [413, 415],
  },
})
