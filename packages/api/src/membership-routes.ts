/**
 * The part of the table that is about the network as a whole: its genesis, its members, and
 * how both the members and what they agree on are changed.
 */

import * as answers from './membership-answers.ts'
import { bytes, closed, hexId, json, table } from './route-forms.ts'
import { Type } from './schema.ts'

const TRANSACTION_BODY_MAX = 1024 * 1024

export const membershipRoutes = table({
  getNetwork: {
    method: 'GET',
    path: '/v1/network',
    tag: 'network',
    role: 'viewer',
    listeners: ['api', 'patients'],
    summary: 'What every member agrees on: identity, parameters, authorities',
    responses: { 200: json('The network.', answers.Network) },
  },
  getGenesis: {
    method: 'GET',
    path: '/v1/genesis',
    tag: 'network',
    role: 'viewer',
    isForStrangers: true,
    listeners: ['api', 'patients'],
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
    listeners: ['api', 'patients'],
    summary: 'The organisations of the network',
    responses: { 200: json('All of them.', answers.Members) },
  },
  listEpochs: {
    method: 'GET',
    path: '/v1/epochs',
    tag: 'network',
    role: 'viewer',
    summary: 'Epochs of the network, newest first, and the change that ended each',
    responses: { 200: json('The newest 500.', answers.Epochs) },
  },
  listChanges: {
    method: 'GET',
    path: '/v1/changes',
    tag: 'network',
    role: 'viewer',
    summary: 'Changes of the network: those that wait for approvals, then those that passed',
    query: Type.Object(
      {
        status: Type.Optional(
          Type.Unsafe<'open' | 'passed'>({
            type: 'string',
            enum: ['open', 'passed'],
            description: 'Only these; both when absent.',
          }),
        ),
      },
      closed,
    ),
    responses: { 200: json('All open ones, and the newest 500 that passed.', answers.Changes) },
  },
  getChange: {
    method: 'GET',
    path: '/v1/changes/:id',
    tag: 'network',
    role: 'viewer',
    summary: 'One change: who approved it, whose node is ready, what became of it',
    params: Type.Object({ id: hexId }),
    responses: { 200: json('The change.', answers.Change) },
    problems: [404],
  },
  previewChange: {
    method: 'POST',
    path: '/v1/changes/preview',
    tag: 'network',
    role: 'viewer',
    summary: 'What a signed proposal would do, without submitting it',
    accepts: { 'application/cbor': bytes('application/cbor') },
    bodyBytesMax: TRANSACTION_BODY_MAX,
    responses: { 200: json('Its effect, and why it would be refused.', answers.ChangePreview) },
    problems: [408, 413, 415, 422],
  },
})
