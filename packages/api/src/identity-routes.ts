/**
 * The part of the table that is about lasting identities: what their owners and guardians have signed is
 * relayed for anybody, and what a member itself says of a recovery is signed for its operator.
 */

import * as answers from './identity-answers.ts'
import { Enrolled, RelayedHandle } from './patient-answers.ts'
import { body, bytes, hexId, hexKey, json, signature, startOfDay, table } from './route-forms.ts'
import { Type } from './schema.ts'

const EVENT_BYTES_MAX = 16 * 1024

export const identityRoutes = table({
  relayIdentityEvent: {
    method: 'POST',
    path: '/v1/identities/events',
    tag: 'patients',
    role: 'none',
    summary: 'Relay an event of an identity that its keys or guardians have signed; for anybody',
    accepts: { 'application/cbor': bytes('application/cbor') },
    bodyBytesMax: EVENT_BYTES_MAX,
    responses: { 200: json('It is final.', answers.RelayedEvent) },
    problems: [404, 408, 409, 413, 415, 422, 429],
  },
  getIdentity: {
    method: 'GET',
    path: '/v1/identities/:id',
    tag: 'patients',
    role: 'none',
    summary: 'An identity as the chain has it, with the recovery that runs',
    params: Type.Object({ id: hexId }),
    responses: { 200: json('The identity.', answers.Identity) },
    problems: [404],
  },
  signRecovery: {
    method: 'POST',
    path: '/v1/recoveries/signatures',
    tag: 'patients',
    role: 'operator',
    summary:
      'What this member says of a recovery: that its desk has seen the person, or as guardian',
    accepts: body({
      as: Type.Unsafe<'desk' | 'approve' | 'veto'>({
        type: 'string',
        enum: ['desk', 'approve', 'veto'],
      }),
      identity: hexKey,
      sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      controlKey: hexKey,
      nextKeyDigest: hexKey,
    }),
    bodyBytesMax: EVENT_BYTES_MAX,
    responses: { 200: json('Signed with its anchor key.', answers.RecoverySignature) },
    problems: [408, 413, 415, 422],
  },
  rebindPatient: {
    method: 'POST',
    path: '/v1/patient/rebinding',
    tag: 'patients',
    role: 'patient',
    summary: 'After a recovery: the identity of the patient vouches for the key that signs this',
    accepts: body({
      former: hexKey,
      sealKey: hexKey,
      identity: hexKey,
      salt: hexKey,
      signature,
      recoveryCommit: Type.Optional(hexKey),
    }),
    bodyBytesMax: EVENT_BYTES_MAX,
    responses: { 200: json('Both are in force.', Enrolled) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
  openDelegation: {
    method: 'POST',
    path: '/v1/patient/delegations',
    tag: 'patients',
    role: 'patient',
    summary: 'Put the handle of a delegation on the chain: a device or a representative',
    accepts: body({
      publicKey: hexKey,
      expiresAt: startOfDay,
      signature,
    }),
    bodyBytesMax: EVENT_BYTES_MAX,
    responses: { 200: json('It is final.', RelayedHandle) },
    problems: [401, 403, 404, 408, 409, 413, 415, 422, 429],
  },
})
