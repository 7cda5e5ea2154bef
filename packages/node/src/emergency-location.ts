// Who keeps the emergency set of a card, and which of its versions is in force.
//
// Every member is asked, and none is believed alone: a version is in force when k of its own trustees say so.

import { equalBytes, toHex } from '@mooring/codec'
import {
  type EmergencyHeader,
  emergencyHeaderDigest,
  type EmergencyMessage,
} from '@mooring/records'
import { orSilence, type VaultPeers } from './vault-peers.ts'

interface LocationModules {
  readonly peers: VaultPeers
  readonly organisations: () => readonly { id: string }[]
}

const LOCATE_MS = 2_000

/** The first version on which so many agree, or the code of why there is none. */
export async function locateEmergency(
  locatorId: Uint8Array,
  { organisations, peers }: LocationModules,
): Promise<EmergencyHeader | string> {
  const body: EmergencyMessage = { kind: 'locate', body: { locatorId } }
  const found = new Map<string, { header: EmergencyHeader; from: Set<string> }>()
  const agreed = Promise.withResolvers<EmergencyHeader | undefined>()
  let isKnown = false
  let isOptedOut = false
  const ask = async (organisation: string): Promise<void> => {
    const asked = peers.request(organisation, { kind: 'emergency', body }, { timeoutMs: LOCATE_MS })
    const answer = await orSilence(asked)
    if (answer?.body.kind !== 'located') return
    const { header, isOptedOut: out } = answer.body.body
    isKnown = true
    isOptedOut ||= out === 1
    if (header === null || !equalBytes(header.locatorId, locatorId)) return
    if (!header.trustees.some((each) => each.organisation === organisation)) return
    const name = toHex(emergencyHeaderDigest(header))
    const { from } = found.get(name) ?? { from: new Set<string>() }
    found.set(name, { header, from: from.add(organisation) })
    if (from.size >= header.k) agreed.resolve(header)
  }
  const all = Promise.all(organisations().map(({ id }) => ask(id)))
  all.then(() => agreed.resolve(undefined), agreed.reject)
  const header = await agreed.promise
  if (header !== undefined) return header
  if (isOptedOut) return 'emergency_opted_out'
  if (found.size > 0) return 'trustees_unreachable'
  return isKnown ? 'emergency_ended' : 'emergency_set_unknown'
}
