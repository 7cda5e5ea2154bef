// One holder as the custodian gives it what is its: class keys and shards, one request at a time that takes
// all that waits, up to the limits of a message. So a holder that is slow is given fewer and fuller requests,
// and one signature of it covers hundreds of shards.
//
// New class keys come a moment before the first shards under them and wait for these, so that the holder writes
// both at once. No shard goes ahead of its key. A holder with older software, which does not know such requests,
// is given the keys first.
//
// What cannot be given is tried again after a pause that grows. Who looks after the lanes is told how
// long a holder has failed, and may give its shards to another.

import { verify } from '@mooring/crypto'
import {
  DEPOSIT_ITEMS_MAX,
  type DepositItem,
  type DepositReceipt,
  depositReceiptMessage,
  KEY_DEPOSITS_MAX,
  type VaultRequest,
} from '@mooring/records'
import type { Clock } from './clock.ts'
import type { QueuedKeys } from './key-deposits.ts'
import { LongDeposit } from './long-deposit.ts'
import { shardOf } from './queued-records.ts'
import type { UploadBlobs } from './shard-spool.ts'
import { isSpoiled } from './spoiled-shards.ts'
import { type AnswerTo, REQUEST_BYTES_MAX, VaultPeerError, type VaultPeers } from './vault-peers.ts'
import type { Parcel, QueuedRecord } from './vault-queue.ts'

const ITEM_OVERHEAD_BYTES = 512
const TIMEOUT_MS = 15_000
const RETRY_MIN_MS = 200
const RETRY_MAX_MS = 5_000
/** A holder that is away is looked for this often. */
const AWAY_MS = 250
/** Keys go alone when no shards come. */
const KEYS_WAIT_MS = 250
/** What older software says of a request that it does not know. */
const UNKNOWN_REQUEST = 'request_malformed'

export interface LaneShard {
  readonly record: QueuedRecord
  readonly index: number
}

export interface RefusedShard extends LaneShard {
  readonly code: string
}

export interface LaneModules {
  readonly depositor: string
  readonly holder: string
  readonly peers: VaultPeers
  readonly clock: Clock
  /** The holder's anchor key; undefined once it is no member. */
  readonly anchorKey: () => Uint8Array | undefined
  readonly keysWaiting: (limit: number) => QueuedKeys[]
  readonly parcelOf: (record: QueuedRecord) => Promise<Parcel | undefined>
  /** Where long shards are. */
  readonly uploads: UploadBlobs
  readonly onKeys: (given: readonly QueuedKeys[]) => Promise<void>
  readonly onReceipt: (given: readonly LaneShard[]) => Promise<void>
  readonly onRefused: (refused: readonly RefusedShard[]) => void
  /** What is here of a long shard cannot be given; see SpoiledShards. */
  readonly onSpoiled: (shard: LaneShard, code: string) => Promise<void>
  /** Nothing was taken, for the reason of this code, and since then. */
  readonly onFailed: (code: string, failingMs: number) => void
  /** Not a failure of the holder: this node cannot go on. */
  readonly onFatal: (error: unknown) => void
}

interface ShardsToGive {
  readonly shards: readonly LaneShard[]
  readonly items: readonly DepositItem[]
}

class LaneFailure extends Error {
  override readonly name = 'LaneFailure'
  readonly code: string
  readonly retryAfterMs: number

  constructor(code: string, retryAfterMs = 0, options?: ErrorOptions) {
    super(code, options)
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

export class DepositLane {
  readonly #modules: LaneModules
  readonly #waiting = new Map<QueuedRecord, number>()
  /** Long shards, of which one at a time is on its way. */
  readonly #long = new Map<QueuedRecord, number>()
  #deposit: LongDeposit | null = null
  #running: Promise<void> | null = null
  #isStopped = false
  #stopAsking: () => void = () => undefined
  #isWoken = false
  #failingSince: number | null = null
  #pauseMs = 0
  #keysWait = false
  #cancelKeysWait: () => void = () => undefined
  #takesKeysWithShards = true
  #retryAt = 0
  #cancelRetry: () => void = () => undefined

  constructor(modules: LaneModules) {
    this.#modules = modules
  }

  get size(): number {
    return this.#waiting.size + this.#long.size
  }

  /** How long nothing was taken; 0 while it works. */
  get failingMs(): number {
    return this.#failingSince === null ? 0 : this.#modules.clock.monotonic() - this.#failingSince
  }

  add(record: QueuedRecord, index: number): void {
    if (record.isSpooled) this.#long.set(record, index)
    else this.#waiting.set(record, index)
  }

  remove(record: QueuedRecord): void {
    this.#waiting.delete(record)
    this.#long.delete(record)
  }

  *waiting(): Generator<[QueuedRecord, number]> {
    yield* this.#waiting
    yield* this.#long
  }

  wake(): void {
    this.#isWoken = true
    if (!this.#isStopped) this.#running ??= this.#run()
  }

  /** There are keys for it. Shards under them are likely to come. */
  wakeForKeys(): void {
    if (this.#isStopped || this.#keysWait) return
    this.#keysWait = true
    this.#cancelKeysWait = this.#modules.clock.after(KEYS_WAIT_MS, () => {
      this.#keysWait = false
      this.wake()
    })
  }

  /** Does not wait for the end of a pause. */
  retryNow(): void {
    this.#retryAt = 0
    this.#takesKeysWithShards = true
    this.wake()
  }

  async close(): Promise<void> {
    this.#isStopped = true
    this.#stopAsking()
    this.#cancelRetry()
    this.#cancelKeysWait()
    await this.#running
  }

  async #run(): Promise<void> {
    // All that is added in this turn goes together.
    await Promise.resolve()
    try {
      while (this.#isWoken && !this.#isStopped) {
        this.#isWoken = false
        if (this.#modules.clock.monotonic() < this.#retryAt) return
        if (await this.#round()) this.#isWoken = true
      }
    } catch (error) {
      this.#isStopped = true
      this.#modules.onFatal(error)
    } finally {
      this.#running = null
    }
  }

  /** True when more may be done at once. */
  async #round(): Promise<boolean> {
    const keys = this.#keysToGive(KEY_DEPOSITS_MAX)
    if (keys.length === 0 && this.size === 0) return false
    this.#cancelKeysWait()
    this.#keysWait = false
    try {
      const shards = await this.#nextShards(keys)
      if (keys.length > 0 && !(await this.#giveTogether(keys, shards))) {
        await this.#giveKeys(keys)
        await this.#giveShards(shards)
      } else if (keys.length === 0) await this.#giveShards(shards)
      // A piece of what is long between two requests of what is short.
      if (this.#long.size > 0) await this.#giveLong()
    } catch (error) {
      if (!(error instanceof LaneFailure)) throw error
      this.#failed(error)
      return false
    }
    this.#failingSince = null
    this.#pauseMs = 0
    return this.size > 0 || this.#keysToGive(1).length > 0
  }

  #keysToGive(limit: number): QueuedKeys[] {
    return this.#keysWait && this.size === 0 ? [] : this.#modules.keysWaiting(limit)
  }

  /** False when they have to go one after the other. */
  async #giveTogether(
    keys: readonly QueuedKeys[],
    { shards, items }: ShardsToGive,
  ): Promise<boolean> {
    if (!this.#takesKeysWithShards || shards.length === 0) return false
    const body = { keys: keys.map(({ deposit }) => deposit), items: [...items] }
    let receipt: DepositReceipt
    try {
      receipt = (await this.#ask({ kind: 'deposit-with-keys', body })).body
    } catch (error) {
      if (!(error instanceof LaneFailure) || error.code !== UNKNOWN_REQUEST) throw error
      this.#takesKeysWithShards = false
      return false
    }
    await this.#modules.onKeys(keys)
    await this.#take(shards, receipt)
    return true
  }

  async #giveKeys(keys: readonly QueuedKeys[]): Promise<void> {
    const items = keys.map(({ deposit }) => deposit)
    await this.#ask({ kind: 'deposit-keys', body: { items } })
    await this.#modules.onKeys(keys)
  }

  /** Those that fit into a request beside these keys. */
  async #nextShards(keys: readonly QueuedKeys[]): Promise<ShardsToGive> {
    const shards: LaneShard[] = []
    const items: DepositItem[] = []
    let bytes = keys.reduce((sum, { deposit }) => sum + deposit.length, 0)
    for (const [record, index] of this.#waiting) {
      const parcel = record.parcel ?? (await this.#modules.parcelOf(record))
      if (parcel === undefined) {
        this.#waiting.delete(record)
        continue
      }
      const { set, manifest, queued } = parcel
      const shard = shardOf(queued, index)
      const size = set.length + manifest.length + shard.length + ITEM_OVERHEAD_BYTES
      if (items.length === DEPOSIT_ITEMS_MAX || (bytes > 0 && bytes + size > REQUEST_BYTES_MAX))
        break
      bytes += size
      shards.push({ record, index })
      items.push({ set, manifest, holders: [...record.holders], index, shard })
    }
    return { shards, items }
  }

  async #giveShards({ shards, items }: ShardsToGive): Promise<void> {
    if (items.length === 0) return
    const { body } = await this.#ask({ kind: 'deposit', body: { items: [...items] } })
    await this.#take(shards, body)
  }

  async #giveLong(): Promise<void> {
    const deposit = await this.#nextLong()
    if (deposit === undefined) return
    const { record, index } = deposit
    let receipt: DepositReceipt | null
    try {
      receipt = await deposit.step((request) => this.#ask(request), this.#modules.uploads)
    } catch (error) {
      deposit.restart()
      if (!isSpoiled(error)) throw error
      this.#deposit = null
      this.#long.delete(record)
      await this.#modules.onSpoiled({ record, index }, error.code)
      return
    }
    if (receipt === null) return
    this.#deposit = null
    await this.#take([{ record, index }], receipt)
  }

  async #nextLong(): Promise<LongDeposit | undefined> {
    if (this.#deposit !== null && this.#long.has(this.#deposit.record)) return this.#deposit
    this.#deposit = null
    for (const [record, index] of this.#long) {
      const parcel = await this.#modules.parcelOf(record)
      if (parcel === undefined) this.#long.delete(record)
      else {
        this.#deposit = new LongDeposit(record, index, parcel)
        return this.#deposit
      }
    }
    return undefined
  }

  async #take(shards: readonly LaneShard[], receipt: DepositReceipt): Promise<void> {
    const refusedAt = new Map(receipt.refused.map(({ position, code }) => [position, code]))
    const given = shards.filter((_, position) => !refusedAt.has(position))
    this.#checkReceipt(given, receipt)
    for (const { record } of given) this.remove(record)
    const refused = shards.flatMap((shard, position) => {
      const code = refusedAt.get(position)
      return code === undefined ? [] : [{ ...shard, code }]
    })
    if (given.length > 0) await this.#modules.onReceipt(given)
    if (refused.length === 0) return
    for (const { record, index } of refused) {
      this.remove(record)
      this.add(record, index)
    }
    this.#modules.onRefused(refused)
    if (given.length === 0) throw new LaneFailure(refused[0]?.code ?? 'refused')
  }

  #checkReceipt(given: readonly LaneShard[], { holder, signature }: DepositReceipt): void {
    const { depositor } = this.#modules
    const shards = given.map(({ record, index }) => ({ setId: record.setId, index }))
    const key = this.#modules.anchorKey()
    const message = depositReceiptMessage({ depositor, holder, shards })
    const isSigned = key !== undefined && verify(key, message, signature)
    if (holder !== this.#modules.holder || !isSigned) throw new LaneFailure('bad_receipt')
  }

  async #ask<R extends VaultRequest>(request: R): Promise<AnswerTo<R>> {
    const { peers, holder } = this.#modules
    if (this.#isStopped) throw new LaneFailure('closing')
    if (!peers.isConnected(holder)) throw new LaneFailure('away', AWAY_MS)
    try {
      const answer = await this.#untilStopped(
        peers.request(holder, request, { timeoutMs: TIMEOUT_MS }),
      )
      if (answer !== undefined) return answer
    } catch (cause) {
      if (!(cause instanceof VaultPeerError)) throw new LaneFailure('failed', 0, { cause })
      throw new LaneFailure(cause.refusal ?? cause.code, cause.retryAfterMs, { cause })
    }
    throw new LaneFailure('closing')
  }

  /**
   * A node that ends does not wait for a holder: it asks again when it is back. Raced against a promise that
   * lives as long as the lane, every answer would be held as long as that.
   */
  #untilStopped<T>(asking: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopAsking = () => resolve(undefined)
      asking.then(resolve, reject)
    })
  }

  #failed({ code, retryAfterMs }: LaneFailure): void {
    if (this.#isStopped) return
    const { clock, onFailed } = this.#modules
    const now = clock.monotonic()
    this.#failingSince ??= now
    this.#pauseMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, 2 * this.#pauseMs))
    const pauseMs = retryAfterMs > 0 ? Math.min(retryAfterMs, RETRY_MAX_MS) : this.#pauseMs
    this.#retryAt = now + pauseMs
    this.#cancelRetry()
    this.#cancelRetry = clock.after(pauseMs, () => this.wake())
    onFailed(code, now - this.#failingSince)
  }
}
