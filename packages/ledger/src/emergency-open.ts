// `emergency.open`: an organisation says, before any key leaves a trustee, that it opens an emergency set.
//
// It pays from the purse of governance: an organisation whose traffic has used up its minute must still
// be able to open a set. What it may open in an hour is bounded here, for all trustees alike.

import { bytes, type Infer, struct } from '@mooring/codec'
import { checkAnchorSigner } from './anchor-signer.ts'
import {
  countOpening,
  EMERGENCIES_PER_HOUR,
  EMERGENCY_RATE_MS,
  emergencyOf,
  emergencyReasonSchema,
  firstOpeningOf,
  openingsWithin,
  setEmergency,
  setFirstOpening,
} from './emergency.ts'
import { identifierSchema } from './organisation.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

const schema = struct({
  organisation: identifierSchema,
  /** Random. */
  requestId: bytes(32),
  /** Commitment to what the clinician has shown. */
  credentialCommit: bytes(32),
  reason: emergencyReasonSchema,
  /** Names a version of a set. */
  setHandle: bytes(32),
})

export type EmergencyOpen = Infer<typeof schema>

export const emergencyOpen: TransactionKind<EmergencyOpen> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'governance',
  check,
  apply,
}

/**
 * A version may be opened more than once while it lasts: the patient is moved to another hospital, a second
 * clinician comes, a screen is lost. Each opening has its own trace and its own reason, and the time of the
 * version runs from the first. So nobody who sees an opening on its way takes it from its owner either.
 */
function check(facts: Facts, body: EmergencyOpen): InvalidTransaction | undefined {
  const { draft, time, organisation } = facts
  const { requestId } = body
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  if (emergencyOf(draft, requestId) !== undefined) return { code: 'emergency_seen', requestId }
  const openings = openingsWithin(draft, organisation.id, time)
  const [oldest] = openings
  if (oldest === undefined || openings.length < EMERGENCIES_PER_HOUR) return undefined
  return {
    code: 'emergency_rate',
    organisation: organisation.id,
    limit: EMERGENCIES_PER_HOUR,
    resetsAt: oldest + EMERGENCY_RATE_MS,
  }
}

function apply({ draft, organisation, time, height }: Facts, body: EmergencyOpen): void {
  const { requestId, credentialCommit, reason, setHandle } = body
  const { id } = organisation
  const openedAt = { height, time }
  const opened = { organisation: id, credentialCommit, reason, setHandle, openedAt, closed: null }
  setEmergency(draft, requestId, opened)
  if (firstOpeningOf(draft, setHandle) === undefined) {
    setFirstOpening(draft, setHandle, { requestId, time })
  }
  countOpening(draft, id, time)
}
