// Who may be connected to this node: the members on the chain and a local list of peer ids, without those
// that this node has banned.
//
// Identity is the peer id; addresses are hints that may change. Only a ban may name the address of a
// computer as well, for strangers that knock too often. All of it is read again when the membership or
// the local list changes, and answers from memory in between, because the gater asks for every connection.

import type { LocalList, Member } from './types.ts'

const NOTHING: LocalList = { allowed: [], banned: [], bannedHosts: [] }

export class AllowList {
  readonly #ownPeerId: string
  readonly #members: () => Member[]
  readonly #local: () => LocalList
  #admitted = new Map<string, Member>()
  #bannedHosts: ReadonlySet<string> = new Set()

  constructor(ownPeerId: string, members: () => Member[], local: () => LocalList = () => NOTHING) {
    this.#ownPeerId = ownPeerId
    this.#members = members
    this.#local = local
    this.refresh()
  }

  refresh(): void {
    const { allowed, banned, bannedHosts } = this.#local()
    const admitted = new Map<string, Member>()
    for (const peerId of allowed) {
      admitted.set(peerId, { peerId, name: peerId, authority: false })
    }
    for (const member of this.#members()) admitted.set(member.peerId, member)
    for (const peerId of banned) admitted.delete(peerId)
    admitted.delete(this.#ownPeerId)
    this.#admitted = admitted
    this.#bannedHosts = new Set(bannedHosts)
  }

  has(peerId: string): boolean {
    return this.#admitted.has(peerId)
  }

  hasBanned(host: string): boolean {
    return this.#bannedHosts.has(host)
  }

  isAuthority(peerId: string): boolean {
    return this.#admitted.get(peerId)?.authority ?? false
  }

  isCandidate(peerId: string): boolean {
    return this.#admitted.get(peerId)?.isCandidate ?? false
  }

  /** Whom the chain names beside this node, also whom it has banned. */
  members(): string[] {
    const members = this.#members().filter(({ isCandidate = false }) => !isCandidate)
    return members.map(({ peerId }) => peerId).filter((peerId) => peerId !== this.#ownPeerId)
  }

  get size(): number {
    return this.#admitted.size
  }

  all(): Member[] {
    return [...this.#admitted.values()]
  }
}
