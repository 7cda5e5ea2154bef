// What this node should have and has not, after its disk was lost: asked of the others until each of them
// has answered.
//
// The first to be connected may be the one that has nothing either, or cut its answer short. So a member
// that has not told all is asked again: when another one answers than did before, and after a while. One that
// is given up is not waited for.

import type { LostMark } from './lost-mark.ts'
import type { HolderView } from './set-health.ts'
import type { VaultPeers } from './vault-peers.ts'

export interface LostHereModules {
  readonly peers: VaultPeers
  readonly view: HolderView
  /** Class keys that this node should have and has not; the answer is who told all that it has. */
  readonly fetchKeys: (signal: AbortSignal) => Promise<readonly string[]>
  /** Shards that others believe to be here and are not; how many were made again. */
  readonly fetchShards: (signal: AbortSignal) => Promise<number>
  /** Whether nothing at all is kept here: the disk is new, or another one. */
  readonly isEmpty: () => boolean
  /** That a repair gave up a part of what was here; told when all of it has been looked for. */
  readonly repaired: LostMark
}

const AGAIN_MS = 60_000

export class LostHere {
  readonly #modules: LostHereModules
  readonly #now: () => number
  /** Null before the first look. */
  #hasLost: boolean | null = null
  /** Who has told all since the loss. */
  readonly #told = new Set<string>()
  /** Who answered when they were asked last. */
  #asked = ''
  #askedAt: number | null = null

  constructor(modules: LostHereModules, now: () => number) {
    this.#modules = modules
    this.#now = now
  }

  note(): void {
    this.#hasLost = true
    this.#told.clear()
    this.#askedAt = null
  }

  /** Not before there is somebody to ask. */
  async fetch(graceMs: number, signal: AbortSignal): Promise<void> {
    const { peers, view, fetchKeys, fetchShards, isEmpty, repaired } = this.#modules
    const others = view.organisations().flatMap(({ id }) => (id === peers.self ? [] : [id]))
    const there = others.filter((id) => view.awayMs(id) === 0)
    if (this.#hasLost === false || there.length === 0) return
    this.#hasLost ??= isEmpty() || repaired.isSet
    if (!this.#hasLost || !this.#isDue(there)) return
    this.#asked = there.join(' ')
    this.#askedAt = this.#now()
    // Keys first: they are few, and without them what is made again opens for nobody.
    for (const id of await fetchKeys(signal)) this.#told.add(id)
    if (isEmpty() || repaired.isSet) await fetchShards(signal)
    const isOver = others.every((id) => this.#told.has(id) || view.awayMs(id) >= graceMs)
    // Who made a shard again for this node meanwhile has said that there is more to look for.
    if (!isOver || this.#askedAt === null) return
    this.#hasLost = false
    await repaired.clear()
  }

  #isDue(there: readonly string[]): boolean {
    if (this.#askedAt === null) return true
    if (there.every((id) => this.#told.has(id))) return false
    const isLongAgo = this.#now() - this.#askedAt >= AGAIN_MS
    return isLongAgo || there.join(' ') !== this.#asked
  }
}
