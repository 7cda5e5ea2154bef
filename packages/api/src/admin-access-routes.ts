/**
 * The part of the table that is about who may ask this node, and about what was done to it.
 */

import * as answers from './admin-access-answers.ts'
import { CALLER_ROLES, type CallerRole } from './caller.ts'
import { body, closed, json, page, table } from './route-forms.ts'
import { Type } from './schema.ts'

const COMMAND_BODY_MAX = 1024
const nothing = body({})
const unread = [408, 413, 415] as const

export const adminAccessRoutes = table({
  getCaller: {
    method: 'GET',
    path: '/v1/caller',
    tag: 'network',
    role: 'viewer',
    summary: 'Who the node takes the caller for',
    responses: { 200: json('Name and role.', answers.Caller) },
  },
  listActs: {
    method: 'GET',
    path: '/v1/acts',
    tag: 'admin',
    role: 'auditor',
    summary: 'What was done to this node, newest first; each act is anchored on the chain',
    query: Type.Object(page, closed),
    responses: { 200: json('A page; `Link` names the next one.', answers.AdminActPage) },
  },
  listTokens: {
    method: 'GET',
    path: '/v1/admin/tokens',
    tag: 'admin',
    role: 'admin',
    summary: 'The tokens of this node, without their secrets',
    responses: { 200: json('All of them.', answers.Tokens) },
  },
  createToken: {
    method: 'POST',
    path: '/v1/admin/tokens',
    tag: 'admin',
    role: 'admin',
    summary: 'Make a token; its secret is in this answer and nowhere else',
    accepts: body({
      name: Type.String({ minLength: 1, maxLength: 64, description: 'Whose it is, for people.' }),
      role: Type.Unsafe<CallerRole>({ type: 'string', enum: [...CALLER_ROLES] }),
      lifetimeMs: Type.Integer({ minimum: 1_000, description: 'How long it is good.' }),
    }),
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 201: json('The token.', answers.CreatedToken) },
    problems: [...unread, 409, 422],
  },
  revokeToken: {
    method: 'POST',
    path: '/v1/admin/tokens/:id/revoke',
    tag: 'admin',
    role: 'admin',
    summary: 'Take a token back, from now on',
    params: Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{12}$' }) }),
    accepts: nothing,
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: json('The token.', answers.Token) },
    problems: [...unread, 404],
  },
  reload: {
    method: 'POST',
    path: '/v1/admin/reload',
    tag: 'admin',
    role: 'operator',
    summary: 'Read certificates, tokens, the allow list and the log level again, as SIGHUP does',
    accepts: nothing,
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: json('What came of each.', answers.Reload) },
    problems: unread,
  },
})
