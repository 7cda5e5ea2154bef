// What all members know of accesses to the records of this custodian, brought together here.
//
// A hospital that is read elsewhere hears of it by its holders, whose logs it asks for what is about its own
// records (held-accesses.ts). It asks when somebody wants to know, from where it has got to with each of
// them: a line is final when it is anchored and its request has ended, and is asked for again until then. A
// line of a patient that is none of this hospital is left where it is.
//
// Who does not answer is named, for its lines may be missing. A place on the chain that is told counts when
// the chain says the same. A line that does not show what its leaf commits to is none; and holders that say of
// one entry that something else was asked are kept apart: who is first does not speak for the others.

import {
  concatBytes,
  equalBytes,
  type Infer,
  list,
  nullable,
  struct,
  text,
  toHex,
  uint,
  versioned,
} from '@mooring/codec'
import { accessKey } from '@mooring/ledger'
import {
  ACCESS_LIFETIME_MS_MAX,
  HELD_ACCESSES_MAX,
  type HeldAccess,
  heldAccessSchema,
  heldRequestDigest,
  isHeldAccessWhole,
  rootOfPlace,
} from '@mooring/records'
import type { PrivateOperation, PrivateValues } from '@mooring/storage'
import type { Accounts } from './accounts.ts'
import type { AtRest } from './at-rest.ts'
import type { Clock } from './clock.ts'
import { InTurn } from './in-turn.ts'
import type { Logger } from './logger.ts'
import { SealedValues } from './sealed-values.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'

const HOLDERS_MAX = 64

const collectedSchema = versioned(1, {
  /** As the first of the holders told it that say the same. */
  line: heldAccessSchema,
  at: list(
    struct({
      holder: text(64),
      time: uint(),
      served: uint(),
      /** Of the block that has the line, as this node's chain says it. */
      height: nullable(uint()),
    }),
    HOLDERS_MAX,
  ),
})

export type CollectedAccess = Infer<typeof collectedSchema>

const cursorSchema = versioned(1, { holder: text(64), after: uint() })

export interface CollectorModules {
  readonly self: string
  readonly peers: VaultPeers
  readonly organisations: () => readonly { readonly id: string }[]
  readonly accounts: Pick<Accounts, 'findByKey'>
  readonly store: PrivateValues
  readonly atRest: AtRest
  readonly chain: {
    state(): { get(key: Uint8Array): Uint8Array | undefined }
    getTransaction(id: Uint8Array): { readonly height: number } | undefined
  }
  readonly clock: Pick<Clock, 'wall' | 'monotonic'>
  readonly logger: Pick<Logger, 'warn'>
}

const TIMEOUT_MS = 5_000
/** Of one holder at once: what is more comes with the next question. */
const PAGES_MAX = 20
/** Who asks again at once gets what is here. */
const AGAIN_MS = 1_000
const SETTLED_MS = ACCESS_LIFETIME_MS_MAX + 2 * 60_000
/** A holder that never anchors its lines does not hold up the others behind them. */
const GIVEN_UP_MS = 24 * 3_600_000
const utf8 = new TextEncoder()

export class AccessCollector {
  readonly #modules: CollectorModules
  readonly #collected: SealedValues<CollectedAccess>
  readonly #cursors: SealedValues<Infer<typeof cursorSchema>>
  /** Two holders may tell of one access at the same moment. */
  readonly #writes = new InTurn()
  #running: Promise<string[]> | null = null
  #last: { at: number; silent: string[] } | null = null

  constructor(modules: CollectorModules) {
    const { store, atRest } = modules
    this.#modules = modules
    this.#collected = new SealedValues(store, atRest, 'accesses', collectedSchema)
    this.#cursors = new SealedValues(store, atRest, 'access-cursors', cursorSchema)
  }

  /** The members that did not answer. */
  async collect(): Promise<string[]> {
    const { clock } = this.#modules
    if (this.#last !== null && clock.monotonic() - this.#last.at < AGAIN_MS)
      return this.#last.silent
    this.#running ??= this.#collectAll().finally(() => {
      this.#running = null
    })
    return await this.#running
  }

  /** About the patient of this key, in no order that means anything. */
  async of(patientKey: Uint8Array): Promise<CollectedAccess[]> {
    const found = await this.#collected.under(this.#nameOf(patientKey))
    return found.map(({ value }) => value)
  }

  async #collectAll(): Promise<string[]> {
    const { organisations, clock } = this.#modules
    const members = organisations().map(({ id }) => id)
    const told = await Promise.all(members.map((holder) => this.#collectFrom(holder)))
    const silent = members.filter((_, at) => told[at] === false)
    this.#last = { at: clock.monotonic(), silent }
    return silent
  }

  /** False when it does not answer. */
  async #collectFrom(holder: string): Promise<boolean> {
    const { peers, self, logger } = this.#modules
    if (holder !== self && !peers.isConnected(holder)) return false
    const cursorKey = this.#cursors.name(utf8.encode(holder))
    let settled = this.#cursors.get(cursorKey)?.after ?? 0
    let after = settled
    let isSettled = true
    try {
      for (let pages = 0; pages < PAGES_MAX; pages += 1) {
        const body = { after, limit: HELD_ACCESSES_MAX }
        const request = { kind: 'accesses' as const, body }
        const answer = await peers.request(holder, request, { timeoutMs: TIMEOUT_MS })
        const { items, next } = answer.body
        // A holder that lost its log counts from the beginning again.
        if (pages === 0 && answer.body.last < settled) {
          settled = 0
          after = 0
          continue
        }
        for (const item of items) {
          isSettled &&= this.#isSettled(item)
          if (isSettled) settled = Math.max(settled, item.arrival)
        }
        const cursor = { cursorKey, after: settled }
        await this.#writes.run(() => this.#write(holder, items, cursor))
        if (next === null || next <= after) return true
        after = next
      }
      return true
    } catch (error) {
      if (!(error instanceof VaultPeerError)) throw error
      logger.warn('a member did not tell of accesses', { member: holder, code: error.code })
      return false
    }
  }

  #isSettled({ time, place }: HeldAccess): boolean {
    const age = this.#modules.clock.wall() - time
    return (place !== null && age > SETTLED_MS) || age > GIVEN_UP_MS
  }

  async #write(
    holder: string,
    items: readonly HeldAccess[],
    { cursorKey, after }: { cursorKey: Uint8Array; after: number },
  ): Promise<void> {
    const { store } = this.#modules
    const changed = new Map<string, { key: Uint8Array; value: CollectedAccess }>()
    for (const line of items) {
      const name = this.#keyOf(line)
      if (name === undefined || !isHeldAccessWhole(line)) continue
      const find = (key: Uint8Array) => changed.get(toHex(key))?.value ?? this.#collected.get(key)
      const other = find(name)
      const isApart = other !== undefined && !isSameRequest(other.line, line)
      const key = isApart ? concatBytes(name, requestOf(line)) : name
      const known = isApart ? find(key) : other
      changed.set(toHex(key), { key, value: this.#with(holder, line, known) })
    }
    const operations: PrivateOperation[] = [...changed.values()].map(({ key, value }) =>
      this.#collected.operation(key, value),
    )
    operations.push(this.#cursors.operation(cursorKey, { holder, after }))
    await store.put(operations, { sync: false })
  }

  /** Undefined for what is about nobody who is a patient here. */
  #keyOf({ asked, leaf }: HeldAccess): Uint8Array | undefined {
    const patientKey = asked?.patientKey ?? null
    const isKnown = patientKey !== null && this.#modules.accounts.findByKey(patientKey)
    return isKnown ? concatBytes(this.#nameOf(patientKey), leaf) : undefined
  }

  #with(holder: string, line: HeldAccess, known: CollectedAccess | undefined): CollectedAccess {
    const { time, served } = line
    const told = { holder, time, served, height: this.#heightOf(holder, line) }
    const others = known?.at.filter((each) => each.holder !== holder) ?? []
    const kept = known?.line ?? line
    // The entry may not have come with a refusal, and comes with what was witnessed.
    const entry = kept.entry ?? line.entry
    return { line: { ...kept, entry }, at: [...others, told].slice(-HOLDERS_MAX) }
  }

  #heightOf(holder: string, { leaf, place }: HeldAccess): number | null {
    const { chain } = this.#modules
    const root = place === null ? undefined : rootOfPlace(leaf, place)
    if (place === null || root === undefined) return null
    if (chain.state().get(accessKey(holder, root)) === undefined) return null
    return chain.getTransaction(place.transaction)?.height ?? place.height
  }

  #nameOf(patientKey: Uint8Array): Uint8Array {
    return this.#collected.name(patientKey)
  }
}

function requestOf({ asked }: HeldAccess): Uint8Array {
  return asked === null ? new Uint8Array(0) : heldRequestDigest(asked)
}

function isSameRequest(one: HeldAccess, other: HeldAccess): boolean {
  return equalBytes(requestOf(one), requestOf(other))
}
