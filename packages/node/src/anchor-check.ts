// Whether a record is on the chain, as a reader sees it for itself.
//
// Who opens a record has its commitment. It is anchored when it is a leaf of a batch whose root is final on
// this node's chain for the custodian. Where in which batch is told by the custodian's catalogue, or else by
// whoever keeps leaves of that custodian: they are asked for all that begin like the one that is looked for,
// so that they do not learn which it is (vault-messages.ts). A record whose batch is not final yet is
// pending, which is how every record begins. What the custodian says and the chain does not is an error;
// what a holder says and the chain does not is no answer.

import { equalBytes, toHex } from '@mooring/codec'
import { LEAF_PREFIX_BYTES_MAX, type LeafPlace, rootOfPlace } from '@mooring/records'
import { BLOCK_TRIES, blockWait, type LocatedRecord } from './access-session.ts'
import type { Clock } from './clock.ts'
import type { FinalRoots } from './final-roots.ts'
import { NodeError } from './node-error.ts'
import { orSilence, type VaultPeers } from './vault-peers.ts'

export interface Anchored {
  /** Not pending: its batch is final here. */
  readonly isAnchored: boolean
  /** Of its block; null while it is pending, or when this node has dropped the block. */
  readonly height: number | null
}

interface Found extends Anchored {
  readonly place: LeafPlace
}

export interface AnchorCheckModules {
  readonly peers: VaultPeers
  readonly organisations: () => readonly { readonly id: string }[]
  readonly roots: FinalRoots
  readonly clock: Pick<Clock, 'after'>
}

const PENDING: Anchored = { isAnchored: false, height: null }
const TIMEOUT_MS = 5_000
const REMEMBERED = 20_000

export class AnchorCheck {
  readonly #modules: AnchorCheckModules
  /** By custodian and commitment. */
  readonly #known = new Map<string, Found>()

  constructor(modules: AnchorCheckModules) {
    this.#modules = modules
  }

  /** @throws NodeError anchor_missing */
  async of(record: LocatedRecord): Promise<Anchored> {
    const found = await this.#find(record)
    return found === undefined ? PENDING : { isAnchored: true, height: found.height }
  }

  /** Where it is on the chain; null while nobody knows. @throws NodeError anchor_missing */
  async placeOf(record: LocatedRecord): Promise<LeafPlace | null> {
    return (await this.#find(record))?.place ?? null
  }

  async #find(record: LocatedRecord): Promise<Found | undefined> {
    const name = `${record.set.custodian} ${toHex(record.manifest.recordCommit)}`
    const known = this.#known.get(name)
    // A claim is looked at even when the record is known to be anchored.
    if (known !== undefined && !record.place) return known
    const found = record.place
      ? await this.#claimed(record, record.place)
      : await this.#asked(record)
    if (found === undefined) return undefined
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(name, found)
    return found
  }

  async #claimed(record: LocatedRecord, place: LeafPlace): Promise<Found> {
    const { set, manifest } = record
    const root = rootOfPlace(manifest.recordCommit, place)
    // The custodian may be a block ahead.
    for (let left = root === undefined ? 0 : BLOCK_TRIES; left > 0; left -= 1) {
      const found = root && this.#final(set.custodian, root, place)
      if (found !== undefined) return found
      await blockWait(this.#modules.clock)
    }
    const reason = root === undefined ? 'no batch has such a place' : 'the chain has no such batch'
    throw new NodeError('anchor_missing', { record: toHex(manifest.recordCommit), reason })
  }

  /** The first that knows decides; undefined when nobody does. */
  #asked({ set, manifest }: LocatedRecord): Promise<Found | undefined> {
    const { peers, organisations } = this.#modules
    const { promise, resolve, reject } = Promise.withResolvers<Found | undefined>()
    const asked = organisations().flatMap(({ id }) =>
      id === peers.self || peers.isConnected(id) ? [id] : [],
    )
    const all = asked.map(async (holder) => {
      const found = await this.#askedOf(holder, set.custodian, manifest.recordCommit)
      if (found !== undefined) resolve(found)
    })
    Promise.all(all).then(() => resolve(undefined), reject)
    return promise
  }

  async #askedOf(holder: string, custodian: string, leaf: Uint8Array): Promise<Found | undefined> {
    const { peers } = this.#modules
    for (let length = 1; length <= LEAF_PREFIX_BYTES_MAX; length += 1) {
      const body = { custodian, prefix: leaf.slice(0, length) }
      const request = { kind: 'leaves' as const, body }
      const answer = await orSilence(peers.request(holder, request, { timeoutMs: TIMEOUT_MS }))
      if (answer === undefined) return undefined
      for (const item of answer.body.items) {
        if (!equalBytes(item.leaf, leaf)) continue
        const root = rootOfPlace(leaf, item.place)
        const found = root && this.#final(custodian, root, item.place)
        if (found !== undefined) return found
      }
      if (answer.body.more === 0) return undefined
    }
    return undefined
  }

  #final(custodian: string, root: Uint8Array, place: LeafPlace): Found | undefined {
    const { roots } = this.#modules
    if (!roots.has(custodian, root)) return undefined
    return { isAnchored: true, height: roots.heightOf(custodian, root, place.transaction), place }
  }
}

/** Of work that goes on beside other work: a failure is told only when the result is asked for. */
export async function settled<T>(work: Promise<T>): Promise<() => T> {
  try {
    const result = await work
    return () => result
  } catch (error) {
    return () => {
      throw error
    }
  }
}
