// What a holder does when somebody wants to read: first it writes the access down, then it says so, and only
// to who shows that enough others have written it down as well it gives its shard.
//
// Both steps ask the same pure decision (decideAccess): a request that was good a minute ago and has expired
// since is refused, and so is one whose grant was revoked. Every refusal is written down too. A request that was permitted here is remembered for
// as long as it lives, so that a long record costs one check of signatures and not one for every range.

import { concatBytes, equalBytes, toHex } from '@mooring/codec'
import { type KeyPair, sha256 } from '@mooring/crypto'
import {
  type AccessEntry,
  accessEntryCommit,
  accessRequestDigest,
  type AccessRefusal,
  checkRelease,
  decideAccess,
  type ReleasedShard,
  type ReleaseItem,
  type ReleaseRefusal,
  type SignedAccessRequest,
  signWitness,
  type AccessWitness,
} from '@mooring/records'
import type { AccessNotes } from './access-notes.ts'
import type { Clock } from './clock.ts'
import type { GrantReader } from './grant-reader.ts'
import { decisionTime, grantStandings, isStale, type StandingFacts } from './grant-standings.ts'
import type { KeptShard, KeptShards } from './kept-shards.ts'

export type HolderRefusal =
  | ReleaseRefusal
  | 'set_not_requested'
  | 'entry_reused'
  /** Its custodian keeps it because it must, and lets nobody else read it. */
  | 'restricted'

export interface AccessMember {
  readonly anchorKey: Uint8Array
  readonly legalGroup: string
}

export interface HolderAccessModules {
  readonly self: string
  readonly anchorKey: KeyPair
  readonly clock: Clock
  readonly shards: KeptShards
  readonly notes: Pick<AccessNotes, 'noteWitness' | 'noteServed' | 'noteRefusal'>
  readonly memberOf: (organisation: string) => AccessMember | undefined
  /** The newest final block here. */
  readonly tip: () => number
  /** Of a final block of ours. */
  readonly blockDigestAt: (height: number) => Uint8Array | undefined
  /** Of the same tip. */
  readonly facts: StandingFacts
  readonly grants: GrantReader
}

export interface Refused {
  readonly refusal: string
}

const PERMITTED_MAX = 4_096
const RELEASE_BYTES_MAX = 4 * 1024 * 1024 + 512 * 1024
const DIGEST_BYTES = 32

export class HolderAccess {
  readonly #modules: HolderAccessModules
  /** Requests that were permitted here, by digest and signature, until they expire. */
  readonly #permitted = new Map<string, number>()

  constructor(modules: HolderAccessModules) {
    this.#modules = modules
  }

  async witness(
    sender: string,
    { signed, entry }: { signed: SignedAccessRequest; entry: AccessEntry },
  ): Promise<{ signature: Uint8Array } | Refused> {
    const kept = await this.#keptOf(signed)
    const code = this.#decide({ sender, signed, entry: accessEntryCommit(entry), kept })
    if (code !== undefined) return await this.#refuse(sender, code, signed, entry)
    const { self, anchorKey, notes } = this.#modules
    if (!(await notes.noteWitness(signed.request, entry)))
      return await this.#refuse(sender, 'entry_reused', signed, entry)
    const { signature } = signWitness(anchorKey, self, accessRequestDigest(signed.request))
    return { signature }
  }

  async release(
    sender: string,
    question: {
      signed: SignedAccessRequest
      witnesses: readonly AccessWitness[]
      items: readonly ReleaseItem[]
    },
  ): Promise<{ items: ReleasedShard[] } | Refused> {
    const { signed, witnesses, items } = question
    const kept = await this.#keptOf(signed)
    const code =
      this.#decide({ sender, signed, entry: signed.request.entry, kept }) ??
      this.#checkItems(signed, witnesses, items, kept)
    if (code !== undefined) return await this.#refuse(sender, code, signed, null)
    const given = await this.#give(items, kept)
    this.#modules.notes.noteServed(signed.request, given.length)
    return { items: given }
  }

  async #keptOf({ request }: SignedAccessRequest): Promise<Map<string, KeptShard[]>> {
    const kept = new Map<string, KeptShard[]>()
    for (const { setId } of request.sets) {
      const shards = await this.#modules.shards.of(setId)
      if (shards.length > 0) kept.set(toHex(setId), shards)
    }
    return kept
  }

  #decide(asked: Asked): AccessRefusal | 'restricted' | undefined {
    const { self, clock, memberOf, tip, blockDigestAt, facts, grants } = this.#modules
    const { sender, signed, entry, kept } = asked
    const now = decisionTime(clock, facts)
    const name = nameOf(signed)
    const decision = decideAccess({
      signed,
      sender,
      self,
      entry,
      anchorKeyOf: (organisation) => memberOf(organisation)?.anchorKey,
      grantOf: (grant) => grants.find(grant),
      standings: grantStandings(facts),
      isStale: isStale(clock, facts),
      tip: tip(),
      blockDigestAt,
      now,
      heldSet: (setId) => heldSetOf(kept.get(toHex(setId))),
      isVerified: this.#permitted.has(name),
    })
    if (!decision.permit) return decision.code
    if (this.#isRestricted(signed)) return 'restricted'
    this.#remember(name, signed.request.expiresAt, now)
    return undefined
  }

  #isRestricted({ request: { reader, custodian, sets } }: SignedAccessRequest): boolean {
    const { marks } = this.#modules.shards.store
    if (reader === custodian) return false
    return sets.some(({ setId }) => marks.isRestricted(custodian, setId))
  }

  #checkItems(
    { request }: SignedAccessRequest,
    witnesses: readonly AccessWitness[],
    items: readonly ReleaseItem[],
    kept: ReadonlyMap<string, KeptShard[]>,
  ): HolderRefusal | undefined {
    const { memberOf } = this.#modules
    const requestDigest = accessRequestDigest(request)
    // Sets with the same holders have the same witnesses: signatures are checked once for them all.
    const judged = new Set<string>()
    for (const { setId } of items) {
      if (!request.sets.some((set) => equalBytes(set.setId, setId))) return 'set_not_requested'
      const first = kept.get(toHex(setId))?.[0]
      if (first === undefined) continue
      const { holders } = first.head
      const { k } = first.set
      const name = `${k} ${holders.toSorted().join(' ')}`
      if (judged.has(name)) continue
      const refusal = checkRelease({ requestDigest, witnesses, holders, k, memberOf })
      if (refusal !== undefined) return refusal
      judged.add(name)
    }
    return undefined
  }

  /** What is not here, or damaged, is left out. */
  async #give(
    items: readonly ReleaseItem[],
    kept: ReadonlyMap<string, KeptShard[]>,
  ): Promise<ReleasedShard[]> {
    const given: ReleasedShard[] = []
    let bytesLeft = RELEASE_BYTES_MAX
    for (const item of items) {
      for (const shard of kept.get(toHex(item.setId)) ?? []) {
        const released = await this.#giveOne(shard, item, bytesLeft)
        if (released === undefined) continue
        bytesLeft -= sizeOf(released)
        if (bytesLeft < 0) return given
        given.push(released)
      }
    }
    return given
  }

  async #giveOne(
    kept: KeptShard,
    { setId, from, count, digests: wanted }: ReleaseItem,
    bytesLeft: number,
  ): Promise<ReleasedShard | undefined> {
    const { shards } = this.#modules
    if (from >= kept.set.segmentCount || count === 0) return undefined
    const digests = wanted === 1 ? await shards.digests(kept) : []
    if (digests === undefined) return undefined
    const bytesMax = bytesLeft - digests.length * DIGEST_BYTES
    const fragments = await shards.fragments(kept, { from, count, bytesMax })
    if (fragments === undefined) return undefined
    return { setId, index: kept.head.index, from, digests, fragments }
  }

  async #refuse(
    peer: string,
    code: AccessRefusal | HolderRefusal,
    { request }: SignedAccessRequest,
    entry: AccessEntry | null,
  ): Promise<Refused> {
    await this.#modules.notes.noteRefusal({ peer, code, request, entry })
    return { refusal: code }
  }

  #remember(name: string, expiresAt: number, now: number): void {
    if (this.#permitted.size >= PERMITTED_MAX) {
      for (const [key, until] of this.#permitted) if (until < now) this.#permitted.delete(key)
      const [oldest] = this.#permitted.keys()
      if (this.#permitted.size >= PERMITTED_MAX && oldest !== undefined) {
        this.#permitted.delete(oldest)
      }
    }
    this.#permitted.set(name, expiresAt)
  }
}

interface Asked {
  readonly sender: string
  readonly signed: SignedAccessRequest
  readonly entry: Uint8Array
  readonly kept: ReadonlyMap<string, KeptShard[]>
}

function heldSetOf(shards: readonly KeptShard[] | undefined) {
  const first = shards?.[0]
  return first && { custodian: first.set.custodian, gate: first.set.gate }
}

function sizeOf({ fragments, digests }: ReleasedShard): number {
  return fragments.reduce((sum, { length }) => sum + length, digests.length * DIGEST_BYTES)
}

function nameOf({ request, signature }: SignedAccessRequest): string {
  return toHex(sha256(concatBytes(accessRequestDigest(request), signature)))
}
