// One connection out of two, and the same one on both sides.
//
// Both members dial, because either may be the one that can be reached. The rules:
//   1. The side with the smaller peer id dials first, the other a moment later.
//   2. While our own preferred dial is young, an inbound connection of that peer is refused, and so is
//      a second one beside a living link. When an inbound one is let in, our own dial stops. This
//      happens in the gater, before streams exist: gossipsub does not recover by itself when one of
//      two connections to a peer goes away.
//   3. If two are open all the same, the newer one wins when the older one is silent or belongs to a
//      process that is gone; otherwise the one that the smaller peer id dialled.

import { equalBytes } from '@mooring/codec'
import type { Limits } from './limits.ts'
import type { MonotonicMs } from './types.ts'

type Direction = 'inbound' | 'outbound'

/** What the rules look at: a link, and a neighbour with its links. */
export interface Candidate {
  member: { peerId: string }
  connection: { direction: Direction }
  hello: { instance: Uint8Array } | null
  isOpen: boolean
  openedAt: MonotonicMs
  lastHeard: MonotonicMs
}

export interface Candidates {
  member: { peerId: string }
  links: Iterable<Candidate>
  dial: { startedAt: MonotonicMs } | null
}

export interface Preference {
  ownPeerId: string
  limits: Limits
  now: MonotonicMs
}

export function isPreferredDialler(ownPeerId: string, peerId: string): boolean {
  return ownPeerId < peerId
}

export function isAlive(link: Candidate | null, { limits, now }: Preference): boolean {
  return link !== null && link.isOpen && now - link.lastHeard < limits.aliveWithinMs
}

/** Rule 2. */
export function shouldAwaitOwnDial(neighbour: Candidates, preference: Preference): boolean {
  const { ownPeerId, limits, now } = preference
  if (!isPreferredDialler(ownPeerId, neighbour.member.peerId)) return false
  const isYoung = (since: MonotonicMs) => now - since < limits.dialPreferenceMs
  if (neighbour.dial !== null && isYoung(neighbour.dial.startedAt)) return true
  return [...neighbour.links].some(
    (link) => link.connection.direction === 'outbound' && isYoung(link.openedAt),
  )
}

/** Rule 3. */
export function isBetter(link: Candidate, other: Candidate, preference: Preference): boolean {
  if (!isAlive(other, preference) || !isSameInstance(link, other)) return true
  const { direction } = link.connection
  if (direction === other.connection.direction) return true
  const isOurs = direction === 'outbound'
  return isOurs === isPreferredDialler(preference.ownPeerId, link.member.peerId)
}

function isSameInstance(a: Candidate, b: Candidate): boolean {
  if (a.hello === null || b.hello === null) return false
  return equalBytes(a.hello.instance, b.hello.instance)
}
