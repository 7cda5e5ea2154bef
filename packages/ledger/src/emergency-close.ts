// `emergency.close`: the organisation that opened an emergency set says how it ended, and commits to the
// written reason. Once, and within three days.

import { bytes, type Infer, struct } from '@mooring/codec'
import { checkAnchorSigner } from './anchor-signer.ts'
import {
  EMERGENCY_REASON_MS,
  emergencyOf,
  emergencyOutcomeSchema,
  setEmergency,
} from './emergency.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  organisation: identifierSchema,
  requestId: bytes(32),
  outcome: emergencyOutcomeSchema,
  reasonCommit: bytes(32),
})

export type EmergencyClose = Infer<typeof schema>

export const emergencyClose: TransactionKind<EmergencyClose> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'governance',
  check,
  apply,
}

function check(facts: Facts, { requestId }: EmergencyClose): InvalidTransaction | undefined {
  const { draft, time, organisation } = facts
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const found = emergencyOf(draft, requestId)
  if (found === undefined) return { code: 'unknown_emergency', requestId }
  if (found.organisation !== organisation.id) {
    return { code: 'not_the_opener', organisation: organisation.id, requestId }
  }
  if (found.closed !== null) return { code: 'emergency_closed', requestId }
  const latest = found.openedAt.time + EMERGENCY_REASON_MS
  return time > latest ? { code: 'emergency_overdue', requestId, latest } : undefined
}

function apply({ draft, time, height }: Facts, body: EmergencyClose): void {
  const { requestId, outcome, reasonCommit } = body
  const found = emergencyOf(draft, requestId)
  if (found === undefined) throw new Error('closed an emergency that the state does not have')
  setEmergency(draft, requestId, { ...found, closed: { height, time, outcome, reasonCommit } })
}
