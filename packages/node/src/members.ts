// Who is who on the network: organisations, their peer ids, and their places in the authority set. All of
// it stands still within an epoch and is replaced at its end.

import { formatPeerId } from '@mooring/crypto'
import {
  type AuthoritySet,
  type Genesis,
  type Organisation,
  organisationOf,
  type State,
} from '@mooring/ledger'
import type { Member, PeerInfo } from '@mooring/network'
import type { SyncPeer } from './sync.ts'

export class Members {
  readonly #indexOfPeer = new Map<string, number>()
  readonly #peerOfIndex = new Map<number, string>()
  #list: readonly Member[] = []
  #authorities: AuthoritySet

  constructor(organisations: readonly Organisation[], authorities: AuthoritySet) {
    this.#authorities = authorities
    this.replace(organisations, authorities)
  }

  get list(): readonly Member[] {
    return this.#list
  }

  replace(organisations: readonly Organisation[], authorities: AuthoritySet): void {
    this.#authorities = authorities
    this.#list = membersOf(organisations, authorities)
    this.#indexOfPeer.clear()
    this.#peerOfIndex.clear()
    for (const { peerId, name } of this.#list) {
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

  hasPeer(peerId: string): boolean {
    return this.#list.some((member) => member.peerId === peerId)
  }

  nameOfPeer(peerId: string): string {
    return this.#list.find((member) => member.peerId === peerId)?.name ?? 'a stranger'
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

export function membersOf(
  organisations: readonly Organisation[],
  authorities: AuthoritySet,
): Member[] {
  return organisations.map(({ id, keys }) => ({
    peerId: formatPeerId(keys.transport),
    name: id,
    authority: authorities.organisations.includes(id),
  }))
}

export function organisationsOf(genesis: Genesis, state: Pick<State, 'get'>): Organisation[] {
  return genesis.organisations
    .map(({ organisation }) => organisationOf(state, organisation.id))
    .filter((organisation) => organisation !== undefined)
}
