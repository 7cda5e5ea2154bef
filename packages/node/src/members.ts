// Who is who on the network: organisations, their peer ids, and their places in the authority set. All of
// it stands still within an epoch and is replaced at its end.

import { equalBytes } from '@mooring/codec'
import { formatPeerId } from '@mooring/crypto'
import { type AuthoritySet, DUTIES, type Organisation } from '@mooring/ledger'
import type { Member, PeerInfo } from '@mooring/network'
import type { SyncPeer } from './sync-peers.ts'

export class Members {
  readonly #indexOfPeer = new Map<string, number>()
  readonly #peerOfIndex = new Map<number, string>()
  #list: readonly Member[] = []
  #organisations: readonly Organisation[] = []
  #authorities: AuthoritySet

  constructor(organisations: readonly Organisation[], authorities: AuthoritySet) {
    this.#authorities = authorities
    this.replace(organisations, authorities)
  }

  get list(): readonly Member[] {
    return this.#list
  }

  get organisations(): readonly Organisation[] {
    return this.#organisations
  }

  replace(organisations: readonly Organisation[], authorities: AuthoritySet): void {
    this.#authorities = authorities
    this.#organisations = organisations
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

  syncPeers(peers: readonly PeerInfo[], heightOf: (peerId: string) => number | null): SyncPeer[] {
    return peers
      .filter(({ connected }) => connected)
      .map(({ peerId, name }) => {
        const index = this.indexOfPeer(peerId) ?? null
        return { peerId, name, index, height: heightOf(peerId) }
      })
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

/** What an end of epoch did to one organisation. */
export interface MemberChange {
  readonly organisation: string
  readonly change: 'admitted' | 'removed' | 'promoted' | 'demoted' | 'rekeyed'
}

export function membershipChanges(
  before: readonly Organisation[],
  after: readonly Organisation[],
): MemberChange[] {
  const old = new Map(before.map((organisation) => [organisation.id, organisation]))
  const left = before.filter(({ id }) => after.every((organisation) => organisation.id !== id))
  return [
    ...left.map(({ id }): MemberChange => ({ organisation: id, change: 'removed' })),
    ...after.flatMap((organisation): MemberChange[] => {
      const change = changeOf(old.get(organisation.id), organisation)
      return change === null ? [] : [{ organisation: organisation.id, change }]
    }),
  ]
}

function changeOf(
  before: Organisation | undefined,
  after: Organisation,
): MemberChange['change'] | null {
  if (before === undefined) return 'admitted'
  const wasAuthority = before.roles.includes('authority')
  const isAuthority = after.roles.includes('authority')
  if (wasAuthority !== isAuthority) return isAuthority ? 'promoted' : 'demoted'
  const isRekeyed = DUTIES.some((duty) => !isSameKey(before.keys[duty], after.keys[duty]))
  return isRekeyed ? 'rekeyed' : null
}

function isSameKey(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b)
}
