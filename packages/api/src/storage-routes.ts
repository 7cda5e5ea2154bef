/**
 * The part of the table that is about what a node keeps. What changes something takes a JSON body, which
 * no page of another site can send unasked.
 */

import { binary, body, json, table } from './route-forms.ts'
import { Type } from './schema.ts'
import * as answers from './storage-answers.ts'

const COMMAND_BODY_MAX = 1024
const height = Type.String({ pattern: '^[0-9]{1,15}$', description: 'Height of a snapshot.' })
const nothing = body({})
const octets = (description: string) => ({
  description,
  type: 'application/octet-stream',
  schema: binary('application/octet-stream'),
})

export const storageRoutes = table({
  listSnapshots: {
    method: 'GET',
    path: '/v1/snapshots',
    tag: 'storage',
    role: 'viewer',
    summary: 'The snapshots that this node keeps',
    responses: { 200: json('All of them.', answers.Snapshots) },
  },
  createSnapshot: {
    method: 'POST',
    path: '/v1/snapshots',
    tag: 'storage',
    role: 'operator',
    summary: 'Take a snapshot of the newest block, now',
    accepts: nothing,
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: json('The snapshot.', answers.Snapshot) },
    problems: [408, 413, 415],
  },
  getSnapshotManifest: {
    method: 'GET',
    path: '/v1/snapshots/:height/manifest',
    tag: 'storage',
    role: 'viewer',
    summary: 'What a snapshot consists of, and what shows that it is final',
    params: Type.Object({ height }),
    responses: { 200: octets('The encoded manifest.') },
    problems: [404],
  },
  getSnapshotChunk: {
    method: 'GET',
    path: '/v1/snapshots/:height/chunks/:index',
    tag: 'storage',
    role: 'viewer',
    summary: 'One chunk of a snapshot',
    params: Type.Object({ height, index: Type.String({ pattern: '^[0-9]{1,9}$' }) }),
    responses: { 200: octets('The chunk; its digest is in the manifest.') },
    problems: [404],
  },
  getPruning: {
    method: 'GET',
    path: '/v1/pruning',
    tag: 'storage',
    role: 'viewer',
    summary: 'How far old blocks have been dropped, and what holds back more',
    responses: { 200: json('The plan of this moment.', answers.PrunePlan) },
  },
  prune: {
    method: 'POST',
    path: '/v1/pruning',
    tag: 'storage',
    role: 'operator',
    summary: 'Drop now what the plan lets go',
    accepts: nothing,
    bodyBytesMax: COMMAND_BODY_MAX,
    responses: { 200: json('What was dropped.', answers.Pruned) },
    problems: [408, 413, 415],
  },
})
