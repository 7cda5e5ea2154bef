// Who may be connected to this node: the members on the chain, and a local list of peer ids.
//
// Identity is the peer id and nothing else; addresses are hints that may change. The list is read
// again when the membership changes, and answers from memory in between, because the gater asks for
// every connection.

import type { Member } from './types.ts'

export class AllowList {
  readonly #ownPeerId: string
  readonly #members: () => Member[]
  readonly #local: string[]
  #admitted = new Map<string, Member>()

  constructor(ownPeerId: string, members: () => Member[], local: string[]) {
    this.#ownPeerId = ownPeerId
    this.#members = members
    this.#local = local
    this.refresh()
  }

  refresh(): void {
    const admitted = new Map<string, Member>()
    for (const peerId of this.#local) {
      admitted.set(peerId, { peerId, name: peerId, authority: false })
    }
    for (const member of this.#members()) admitted.set(member.peerId, member)
    admitted.delete(this.#ownPeerId)
    this.#admitted = admitted
  }

  has(peerId: string): boolean {
    return this.#admitted.has(peerId)
  }

  isAuthority(peerId: string): boolean {
    return this.#admitted.get(peerId)?.authority ?? false
  }

  get size(): number {
    return this.#admitted.size
  }

  all(): Member[] {
    return [...this.#admitted.values()]
  }
}
