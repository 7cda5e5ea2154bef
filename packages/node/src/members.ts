// Who is who on the network: organisations, their peer ids, and their places in the authority set.

import { formatPeerId } from '@mooring/crypto'
import type { AuthoritySet, Organisation } from '@mooring/ledger'
import type { Member, PeerInfo } from '@mooring/network'
import type { SyncPeer } from './sync.ts'

export class Members {
  readonly list: readonly Member[]
  readonly #indexOfPeer = new Map<string, number>()
  readonly #peerOfIndex = new Map<number, string>()
  readonly #authorities: AuthoritySet

  constructor(organisations: readonly Organisation[], authorities: AuthoritySet) {
    this.#authorities = authorities
    this.list = organisations.map(({ id, keys }) => ({
      peerId: formatPeerId(keys.transport),
      name: id,
      authority: authorities.organisations.includes(id),
    }))
    for (const { peerId, name } of this.list) {
      const index = authorities.organisations.indexOf(name)
      if (index < 0) continue
      this.#indexOfPeer.set(peerId, index)
      this.#peerOfIndex.set(index, peerId)
    }
  }

  indexOfPeer(peerId: string): number | undefined {
    return this.#indexOfPeer.get(peerId)
  }

  peerOfIndex(index: number): string | undefined {
    return this.#peerOfIndex.get(index)
  }

  nameOfPeer(peerId: string): string {
    return this.list.find((member) => member.peerId === peerId)?.name ?? 'a stranger'
  }

  nameOfIndex(index: number): string {
    return this.#authorities.organisations[index] ?? `authority ${index}`
  }

  syncPeers(peers: readonly PeerInfo[]): SyncPeer[] {
    return peers
      .filter(({ connected }) => connected)
      .map(({ peerId, name }) => ({ peerId, name, index: this.indexOfPeer(peerId) ?? null }))
  }

  /** When each authority was last heard, for agreement; null = not connected. */
  heard(peers: readonly PeerInfo[]): (number | null)[] {
    const heard: (number | null)[] = this.#authorities.organisations.map(() => null)
    for (const { peerId, connected, lastHeard } of peers) {
      const index = this.indexOfPeer(peerId)
      if (index !== undefined && connected && lastHeard > 0) heard[index] = lastHeard
    }
    return heard
  }
}
