/**
 * The part of the table that is about how a node is doing, for who runs it.
 */

import { Acknowledged, Checks, LogLevel } from './admin-seeing-answers.ts'
import { binary, body, closed, json, table } from './route-forms.ts'
import { Type } from './schema.ts'

const COMMAND_BODY_MAX = 4 * 1024
export const BUNDLE_TYPE = 'application/gzip'
const PROFILE_MS_MAX = 60_000
const SINCE_MS_MAX = 30 * 24 * 60 * 60 * 1_000

export const adminSeeingRoutes = table({
  getChecks: {
    method: 'GET',
    path: '/v1/admin/checks',
    tag: 'admin',
    role: 'operator',
    summary: 'What the node finds when it looks at itself and asks its members',
    query: Type.Object(
      {
        skip: Type.Optional(
          Type.String({ maxLength: 1000, description: 'Names of checks, separated by commas.' }),
        ),
      },
      closed,
    ),
    responses: { 200: json('What was found.', Checks) },
  },
  getLogLevel: {
    method: 'GET',
    path: '/v1/admin/log-level',
    tag: 'admin',
    role: 'operator',
    summary: 'How much is logged',
    responses: { 200: json('The level.', LogLevel) },
  },
  setLogLevel: {
    method: 'POST',
    path: '/v1/admin/log-level',
    tag: 'admin',
    role: 'operator',
    summary: 'Log more or less from now on, until the node is started again',
    accepts: body({ level: Type.String({ minLength: 1, maxLength: 500 }) }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: json('The new level.', LogLevel) },
    problems: [408, 413, 415, 422],
  },
  acknowledgeAlarm: {
    method: 'POST',
    path: '/v1/admin/alarms',
    tag: 'admin',
    role: 'operator',
    summary: 'Take note of an alarm, so that others see that somebody has',
    accepts: body({
      code: Type.String({ maxLength: 100 }),
      note: Type.String({ maxLength: 500 }),
    }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: json('Noted.', Acknowledged) },
    problems: [404, 408, 413, 415],
  },
  createBundle: {
    method: 'POST',
    path: '/v1/admin/bundle',
    tag: 'admin',
    role: 'operator',
    summary: 'What somebody who helps from afar needs to see, as one archive',
    accepts: body({
      sinceMs: Type.Integer({ minimum: 0, maximum: SINCE_MS_MAX }),
      profileMs: Type.Integer({ minimum: 0, maximum: PROFILE_MS_MAX }),
      isRedacted: Type.Boolean(),
    }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: {
      200: {
        description: 'A tar archive, compressed with gzip.',
        type: BUNDLE_TYPE,
        schema: binary(BUNDLE_TYPE),
      },
    },
    problems: [408, 413, 415],
  },
})
