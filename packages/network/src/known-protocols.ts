// For every stream libp2p writes into its store that the peer speaks the protocol, on both sides: the peer is
// read, decoded, compared, encoded and written again, behind a lock. Said again within a minute it is not
// written again. Now and then it has to be, for the store forgets whom it has not heard of for hours.

import type { Peer, PeerData, PeerId, PeerStore } from '@libp2p/interface'

const AGAIN_MS = 60_000
const KNOWN_MAX = 4_096

interface Known {
  readonly peer: Peer
  readonly until: number
}

export function rememberProtocols(
  store: Pick<PeerStore, 'merge' | 'delete'>,
  now: () => number,
): void {
  const merge = store.merge.bind(store)
  const forget = store.delete.bind(store)
  const known = new Map<string, Known>()
  store.merge = async (id, data, options) => {
    const protocol = onlyProtocolOf(data)
    if (protocol === undefined) return merge(id, data, options)
    const key = nameOf(id, protocol)
    const earlier = known.get(key)
    if (earlier !== undefined && now() < earlier.until) return earlier.peer
    const peer = await merge(id, data, options)
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(key, { peer, until: now() + AGAIN_MS })
    return peer
  }
  store.delete = async (id, options) => {
    for (const key of known.keys()) if (key.startsWith(nameOf(id, ''))) known.delete(key)
    await forget(id, options)
  }
}

function onlyProtocolOf(data: PeerData): string | undefined {
  const [name, another] = Object.keys(data)
  if (name !== 'protocols' || another !== undefined) return undefined
  const [protocol, ...others] = data.protocols ?? []
  return others.length === 0 ? protocol : undefined
}

function nameOf(id: PeerId, protocol: string): string {
  return `${id.toString()} ${protocol}`
}
