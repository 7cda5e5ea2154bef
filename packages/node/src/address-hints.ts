// Where a member may be reached, from the addresses in the configuration.
//
// An address ends with the peer id of who listens there. A member that renews its transport key gets
// another peer id and stays where it is, so an address counts for whatever id its organisation has now:
// otherwise two members that have both renewed theirs would never find each other again.

import { formatPeerId, parsePeerId } from '@mooring/crypto'
import { organisationOf, ownerOfKey, type State } from '@mooring/ledger'

const PEER_ID = /\/p2p\/([^/]+)$/

export function addressesOf(
  peerId: string,
  configured: readonly string[],
  state: Pick<State, 'get'>,
): string[] {
  return configured.flatMap((address) => {
    const named = PEER_ID.exec(address)?.[1]
    if (named === undefined) return []
    if (named === peerId) return [address]
    const present = presentPeerId(named, state)
    return present === peerId ? [address.replace(PEER_ID, `/p2p/${present}`)] : []
  })
}

/** Of the organisation that has or once had the key of this peer id. */
function presentPeerId(peerId: string, state: Pick<State, 'get'>): string | undefined {
  const key = parsePeerId(peerId)
  const owner = key === undefined ? undefined : ownerOfKey(state, key)
  const organisation = owner === undefined ? undefined : organisationOf(state, owner)
  return organisation === undefined ? undefined : formatPeerId(organisation.keys.transport)
}
