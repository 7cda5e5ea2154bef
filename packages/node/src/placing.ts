// Placing: every record that is durable here gets to its holders.
//
//   received --k others have receipted it--> accepted --all have--> out of the queue
//
// The queue is in the store and in memory; a lane for each holder empties it (deposit-lane.ts). A receipt
// that is not in the store yet is asked for once more after a crash, which changes nothing at the
// holder. A holder that takes nothing for a while is replaced by the next in the order of the set.
// Where there is no other, a record that k others have leaves the queue with a shard missing, and
// is for the repair to complete: one dead hospital must not fill the disks of all others.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import type { Organisation } from '@mooring/ledger'
import { placementOrder, type PossibleHolder, type Split } from '@mooring/records'
import type { HolderUpdate, PrivateStore } from '@mooring/storage'
import type { Finding } from './alarms.ts'
import type { Clock } from './clock.ts'
import { DepositLane, type LaneShard, type RefusedShard } from './deposit-lane.ts'
import { possibleHolders, splitFor } from './holder-choice.ts'
import type { KeyDeposits } from './key-deposits.ts'
import type { Logger } from './logger.ts'
import { leavesOf, readParcel, readQueued } from './queued-records.ts'
import type { AtRest } from './at-rest.ts'
import { tidySpool, type UploadBlobs } from './shard-spool.ts'
import { SpoiledShards } from './spoiled-shards.ts'
import type { VaultPeers } from './vault-peers.ts'
import { encodePlacement } from './vault-placement.ts'
import {
  missingOf,
  nameOfRecord,
  type QueuedRecord,
  type QueueLimits,
  VaultQueue,
} from './vault-queue.ts'

export interface PlacingModules {
  /** What may wait; more is refused. */
  readonly limits: QueueLimits
  readonly organisations: () => readonly Organisation[]
  readonly peers: VaultPeers
  readonly store: Pick<PrivateStore, 'queued' | 'getQueued' | 'getRecord' | 'updateHolders'>
  readonly keys: KeyDeposits
  readonly uploads: UploadBlobs
  readonly atRest: AtRest
  readonly clock: Clock
  readonly logger: Logger
  readonly onAccepted: (records: readonly string[]) => void
  /** The store failed: nothing is placed any more. */
  readonly onFatal: (error: unknown) => void
}

/** A holder that takes nothing for so long is replaced where another one is left. */
const REPLACE_AFTER_MS = 15_000
/** A record that k others have waits so long for the rest before the repair is to see to it. */
const HAND_OVER_AFTER_MS = 60_000
/** Moved at a time, so that a long queue does not hold the event loop. */
const MOVES_MAX = 256
const MOVE_PAUSE_MS = 1_000
const SILENT_MS = 30_000

export class Placing {
  readonly #modules: PlacingModules
  readonly #queue: VaultQueue
  readonly #lanes = new Map<string, DepositLane>()
  /** Records that would be accepted, were their class key safe. */
  readonly #keyless = new Map<string, Set<QueuedRecord>>()
  readonly #spoiled: SpoiledShards
  readonly #silentUntil = new Map<string, number>()
  readonly #moveAgainAt = new Map<string, number>()
  /** Records that have left the queue, of which the disk does not know it yet. */
  #leaving = 0
  #isStopped = false

  constructor(modules: PlacingModules) {
    this.#modules = modules
    this.#queue = new VaultQueue(modules.limits)
    this.#spoiled = new SpoiledShards(modules.peers.self)
    modules.keys.onAdded = (holders) => {
      for (const holder of holders) this.#lane(holder).wakeForKeys()
    }
    modules.keys.onSafe = (keyName) => this.#onSafe(keyName)
  }

  /** Goes on with what an earlier run left. */
  async start(): Promise<void> {
    const { keys } = this.#modules
    await keys.start()
    for await (const record of readQueued(this.#modules)) {
      this.#queue.add(record)
      for (const index of missingOf(record))
        this.#lane(record.holders[index] ?? '').add(record, index)
      if (this.#queue.size % MOVES_MAX === 0) await nextTurn()
    }
    await this.#tidyUploads()
    for (const holder of keys.holders()) this.#lane(holder)
    for (const lane of this.#lanes.values()) lane.wake()
  }

  /** Files of uploads that came to nothing. */
  async #tidyUploads(): Promise<void> {
    const named = new Set<string>()
    for (const record of this.#queue.values()) {
      if (!record.isSpooled) continue
      const leaves = leavesOf(this.#modules, record)
      for (const index of missingOf(record)) named.add(toHex(leaves[index] ?? record.id))
    }
    await tidySpool(this.#modules.uploads, (leaf) => named.has(leaf))
  }

  async close(): Promise<void> {
    this.#isStopped = true
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()))
  }

  status(): { waiting: number; oldestMs: number; bytes: number } {
    const { oldest, size, bytes } = this.#queue
    const oldestMs = oldest === undefined ? 0 : this.#modules.clock.monotonic() - oldest.since
    return { waiting: size + this.#leaving, oldestMs, bytes }
  }

  /** What waits here and cannot be handed on. */
  finding(): Finding | null {
    return this.#spoiled.finding()
  }

  /** Whether shards of this record still wait here for a holder. */
  isQueued(arrival: number): boolean {
    return this.#queue.hasArrival(arrival)
  }

  /** @throws Refusal vault_busy */
  checkRoom(): void {
    if (!this.#queue.isFull) return
    const detail = `${this.#queue.size} records wait for their holders. Try again when fewer do.`
    throw new Refusal('vault_busy', detail)
  }

  /**
   * How a record is split now, and who may keep a shard of it: those that take nothing are left out
   * where enough others are left.
   * @throws Refusal too_few_holders
   */
  placementFor(): { split: Split; holders: readonly PossibleHolder[] } {
    const possible = possibleHolders(this.#modules.organisations())
    const split = splitFor(possible)
    if (split === undefined) {
      const groups = new Set(possible.map(({ legalGroup }) => legalGroup)).size
      const detail = `The authorities belong to ${groups} legal groups. Three are needed, so that no single one has what opens a record.`
      throw new Refusal('too_few_holders', detail)
    }
    const working = possible.filter(({ id }) => this.#isUsable(id))
    const groups = new Set(working.map(({ legalGroup }) => legalGroup)).size
    return { split, holders: groups >= split.n ? working : possible }
  }

  /** Durable records begin their way. */
  add(records: readonly QueuedRecord[]): void {
    const woken = new Set<DepositLane>()
    for (const record of records) {
      this.#queue.add(record)
      for (const [index, holder] of record.holders.entries()) {
        const lane = this.#lane(holder)
        lane.add(record, index)
        woken.add(lane)
      }
    }
    for (const lane of woken) lane.wake()
  }

  /** Nobody is to have this record any more: what waits of it goes. */
  async drop(arrival: number): Promise<void> {
    const record = this.#queue.find(arrival)
    if (record === undefined) return
    const missing = missingOf(record).map((index) => ({ record, index }))
    for (const { index } of missing) this.#lanes.get(record.holders[index] ?? '')?.remove(record)
    this.#queue.remove(record)
    this.#spoiled.forget(record)
    if (record.isSpooled) await this.#dropSpooled(missing)
  }

  /** Someone is connected again: what waits for it need not wait longer. */
  wake(holder: string): void {
    this.#lanes.get(holder)?.retryNow()
  }

  #lane(holder: string): DepositLane {
    const known = this.#lanes.get(holder)
    if (known !== undefined) return known
    const { organisations, peers, clock, keys, uploads, onFatal } = this.#modules
    const lane: DepositLane = new DepositLane({
      depositor: peers.self,
      holder,
      peers,
      clock,
      anchorKey: () => organisations().find(({ id }) => id === holder)?.keys.anchor,
      keysWaiting: (limit) => keys.waitingFor(holder, limit),
      parcelOf: (record) => readParcel(this.#modules, record),
      uploads,
      onKeys: (given) => keys.receipted(holder, given),
      onReceipt: (given) => this.#onReceipt(holder, given),
      onRefused: (refused) => this.#onRefused(holder, refused),
      onSpoiled: (shard, code) => this.#onSpoiled(shard, code),
      onFailed: (code, failingMs) => this.#onFailed(lane, { holder, code, failingMs }),
      onFatal: (error) => {
        if (!this.#isStopped) onFatal(error)
      },
    })
    this.#lanes.set(holder, lane)
    return lane
  }

  #isUsable(holder: string): boolean {
    return (this.#lanes.get(holder)?.failingMs ?? 0) < REPLACE_AFTER_MS
  }

  async #onReceipt(holder: string, given: readonly LaneShard[]): Promise<void> {
    const changed: QueuedRecord[] = []
    for (const { record, index } of given) {
      if (!this.#queue.has(record) || record.isReceipted[index] !== false) continue
      const meant = record.holders[index] ?? ''
      // It was given to another one meanwhile, and the receipt came after all.
      if (meant !== holder) this.#lanes.get(meant)?.remove(record)
      record.holders[index] = holder
      record.isReceipted[index] = true
      changed.push(record)
    }
    const spooled = given.filter(({ record }) => record.isSpooled)
    await this.#advance(changed, spooled)
  }

  /** Files that nobody needs any more; that is in the store already. */
  async #dropSpooled(shards: readonly LaneShard[]): Promise<void> {
    for (const { record, index } of shards) {
      const leaf = leavesOf(this.#modules, record)[index]
      if (leaf !== undefined) await this.#modules.uploads.remove(leaf)
    }
  }

  /** Steps that these records have reached. */
  async #advance(
    records: readonly QueuedRecord[],
    spooled: readonly LaneShard[] = [],
  ): Promise<void> {
    const updates: HolderUpdate[] = []
    const accepted: string[] = []
    for (const record of records) {
      if (!this.#queue.has(record)) continue
      const step = this.#stepOf(record)
      // That a long shard is with its holder is kept at once: its file goes.
      if (step === 'none' && !record.isSpooled) continue
      if (step !== 'none' && !record.isAccepted) {
        record.isAccepted = true
        accepted.push(nameOfRecord(record))
      }
      // Here and now: while the store writes it, others find out the same, and it leaves once.
      if (step === 'whole') this.#queue.remove(record)
      updates.push(updateOf(record, step))
    }
    await this.#store(updates, spooled)
    if (accepted.length > 0) this.#modules.onAccepted(accepted)
    await this.#handOver(records.filter((record) => this.#spoiled.isLeftToRepair(record)))
  }

  async #onSpoiled({ record, index }: LaneShard, code: string): Promise<void> {
    if (!this.#queue.has(record) || record.isReceipted[index] !== false) return
    const holder = record.holders[index] ?? ''
    const shard = { record: nameOfRecord(record), shard: index, holder, code }
    this.#modules.logger.error('a shard that waited here for its holder is lost', shard)
    this.#spoiled.add(record, index)
    if (this.#spoiled.isLeftToRepair(record)) await this.#handOver([record])
  }

  async #store(updates: readonly HolderUpdate[], spooled: readonly LaneShard[]): Promise<void> {
    // A step is found out again from the bytes that are here: where they go, it goes to the disk before.
    const sync = spooled.length > 0
    const leaving = updates.filter(({ step }) => step === 'whole' || step === 'short').length
    this.#leaving += leaving
    try {
      if (updates.length > 0) await this.#modules.store.updateHolders(updates, { sync })
      await this.#dropSpooled(spooled)
    } finally {
      this.#leaving -= leaving
    }
  }

  #stepOf(record: QueuedRecord): 'none' | 'accepted' | 'whole' {
    const { k, keyName, holders, isReceipted, isAccepted } = record
    const { self } = this.#modules.peers
    const others = holders.filter((name, index) => name !== self && isReceipted[index] === true)
    if (others.length < k) return 'none'
    if (!isAccepted && !this.#modules.keys.isSafe(keyName)) {
      const waiting = this.#keyless.get(keyName) ?? new Set()
      this.#keyless.set(keyName, waiting.add(record))
      return 'none'
    }
    if (isReceipted.every((is) => is)) return 'whole'
    return isAccepted ? 'none' : 'accepted'
  }

  #onSafe(keyName: string): void {
    const waiting = this.#keyless.get(keyName)
    this.#keyless.delete(keyName)
    if (waiting === undefined) return
    this.#advance([...waiting]).catch(this.#modules.onFatal)
  }

  #onRefused(holder: string, refused: readonly RefusedShard[]): void {
    this.#tell(holder, refused[0]?.code ?? 'refused', refused.length)
    this.#move(holder, refused)
  }

  #onFailed(
    lane: DepositLane,
    { holder, code, failingMs }: { holder: string; code: string; failingMs: number },
  ): void {
    this.#tell(holder, code, lane.size)
    if (failingMs < REPLACE_AFTER_MS && this.#isMember(holder)) return
    const now = this.#modules.clock.monotonic()
    if (now < (this.#moveAgainAt.get(holder) ?? 0)) return
    this.#moveAgainAt.set(holder, now + MOVE_PAUSE_MS)
    for (const next of this.#modules.keys.replace(holder, (name) => this.#isUsable(name)))
      this.#lane(next).wake()
    const shards: LaneShard[] = []
    for (const [record, index] of lane.waiting()) {
      if (shards.length === MOVES_MAX) break
      shards.push({ record, index })
    }
    this.#move(holder, shards)
  }

  /** To other holders, or out of the queue where there is none and k others have the record. */
  #move(holder: string, shards: readonly LaneShard[]): void {
    const now = this.#modules.clock.monotonic()
    const left = shards.filter(({ record, index }) => !this.#replace(record, index, holder))
    const records = left
      .map(({ record }) => record)
      .filter(({ isAccepted, since }) => isAccepted && now - since >= HAND_OVER_AFTER_MS)
    this.#handOver(records).catch(this.#modules.onFatal)
  }

  /** Gives a shard to the next holder of its order; false when there is none. */
  #replace(record: QueuedRecord, index: number, holder: string): boolean {
    if (record.holders[index] !== holder || record.isReceipted[index] !== false) return true
    const possible = possibleHolders(this.#modules.organisations())
    const groupOf = new Map(possible.map(({ id, legalGroup }) => [id, legalGroup]))
    const others = record.holders.filter((_, at) => at !== index)
    const groups = new Set(others.map((name) => groupOf.get(name)))
    const candidates = possible.filter(
      ({ id, legalGroup }) => id !== holder && !groups.has(legalGroup) && this.#isUsable(id),
    )
    const [next] = placementOrder(record.setId, candidates)
    if (next === undefined) return false
    this.#lanes.get(holder)?.remove(record)
    record.holders[index] = next
    const lane = this.#lane(next)
    lane.add(record, index)
    lane.wake()
    return true
  }

  async #handOver(wanted: readonly QueuedRecord[]): Promise<void> {
    const records = wanted.filter((record) => this.#queue.has(record))
    if (records.length === 0) return
    for (const record of records) {
      for (const index of missingOf(record))
        this.#lanes.get(record.holders[index] ?? '')?.remove(record)
      this.#queue.remove(record)
      this.#spoiled.forget(record)
    }
    const updates = records.map((record) => updateOf(record, 'short'))
    const spooled = records
      .filter(({ isSpooled }) => isSpooled)
      .flatMap((record) => missingOf(record).map((index) => ({ record, index })))
    await this.#store(updates, spooled)
    this.#modules.logger.warn('records are left with a shard missing', { records: records.length })
  }

  #isMember(holder: string): boolean {
    return this.#modules.organisations().some(({ id }) => id === holder)
  }

  #tell(holder: string, code: string, waiting: number): void {
    const { clock, logger } = this.#modules
    const now = clock.monotonic()
    if (now < (this.#silentUntil.get(holder) ?? 0)) return
    this.#silentUntil.set(holder, now + SILENT_MS)
    logger.warn('a holder takes no shards', { holder, code, waiting })
  }
}

function updateOf(record: QueuedRecord, step: HolderUpdate['step']): HolderUpdate {
  const { id, arrival, holders } = record
  return {
    id,
    arrival,
    step,
    holders: encodePlacement({ holders: [...holders], missing: missingOf(record) }),
  }
}
