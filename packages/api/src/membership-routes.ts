/**
 * The part of the table that is about the network as a whole: its genesis, its members.
 */

import * as answers from './membership-answers.ts'
import { json, table } from './route-forms.ts'
import { Type } from './schema.ts'

export const membershipRoutes = table({
  getNetwork: {
    method: 'GET',
    path: '/v1/network',
    tag: 'network',
    role: 'viewer',
    summary: 'What every member agrees on: identity, parameters, authorities',
    responses: { 200: json('The network.', answers.Network) },
  },
  getGenesis: {
    method: 'GET',
    path: '/v1/genesis',
    tag: 'network',
    role: 'viewer',
    summary: 'The genesis file in its JSON form',
    responses: {
      200: {
        description: 'The file. Its digest is over the canonical form, see `/v1/network`.',
        type: 'application/json',
        schema: Type.Unsafe<object>({}),
      },
    },
  },
  listMembers: {
    method: 'GET',
    path: '/v1/members',
    tag: 'network',
    role: 'viewer',
    summary: 'The organisations of the network',
    responses: { 200: json('All of them.', answers.Members) },
  },
})
