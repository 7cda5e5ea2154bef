// The access log of this node: every request for records that it made, witnessed, answered or refused.
//
// A witness is a promise that the trace is on the disk, so a note of one resolves only then; many that come
// together share one flush. On every tick what is new goes into a batch and its root onto the chain
// (anchoring.ts). Refusals are entries too. A peer that is refused over and over fills neither the disk nor
// the batches: beyond its budget its refusals are counted, and once a tick the count is one entry.

import { randomBytes } from 'node:crypto'
import { equalBytes } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { TokenBucket } from '@mooring/network'
import {
  type AccessEntry,
  type AccessNote,
  type AccessRequest,
  type AdminAct,
  adminParametersDigest,
  coversPurpose,
  type LeafPlace,
} from '@mooring/records'
import type { AccessStore } from '@mooring/storage'
import {
  type AccessItem,
  decodeItem,
  emergencyItem,
  encodeItem,
  itemOf,
  itemOfAct,
  leafOf,
} from './access-items.ts'
import type { AccessNotes, NotedEmergency, NotedRepair, RefusedAccess } from './access-notes.ts'
import { Anchoring, type AnchoringModules } from './anchoring.ts'
import { AtRest } from './at-rest.ts'
import { BatchAnchors, decodeBatch } from './custody.ts'
import { placesInBatches } from './leaf-places.ts'
import { GrantReader } from './grant-reader.ts'
import type { Metrics } from './metrics.ts'

export interface AccessLogOptions {
  organisation: string
  genesisDigest: Uint8Array
  anchorKey: KeyPair
  /** From loadRecordsSecret. */
  secret: Uint8Array
  /** Entries wait so long for others to share a batch with. */
  tickMs?: number
}

export interface AccessLogModules
  extends Omit<AnchoringModules, 'store' | 'anchors' | 'onBatched' | 'onAnchored'> {
  store: AccessStore
  metrics: AnchoringModules['metrics'] & Pick<Metrics, 'accessServed'>
}

export interface KeptAccess extends AccessItem {
  readonly arrival: number
  readonly leaf: Uint8Array
  readonly status: 'waiting' | 'batched' | 'anchored'
  readonly batch: { sequence: number; position: number } | null
  readonly height: number | null
}

export interface AnchoredBatch {
  readonly leaves: readonly Uint8Array[]
  readonly root: Uint8Array
  readonly position: number
  /** Id of what put it on the chain. */
  readonly transaction: Uint8Array
}

const TICK_MS = 2_000
/** Refusals of one peer that are told apart: so many at once, and then one every five seconds. */
const REFUSALS_AT_ONCE = 32
const REFUSALS_PER_SECOND = 0.2
/** A larger entry of a refused request is named by its commitment alone. */
const REFUSED_ENTRY_BYTES_MAX = 16 * 1024
/** Requests of which is remembered that they were served, to write it once. */
const SERVED_REMEMBERED = 10_000

export class AccessLog implements AccessNotes {
  readonly #options: AccessLogOptions
  readonly #modules: AccessLogModules
  readonly #atRest: AtRest
  readonly #grants = new GrantReader()
  readonly #anchors: BatchAnchors
  readonly #anchoring: Anchoring
  readonly #budgets = new Map<string, TokenBucket>()
  /** Refusals beyond the budget, by peer, since the last tick. */
  readonly #counted = new Map<string, number>()
  readonly #served = new Map<string, number>()
  #serving: Promise<void> = Promise.resolve()
  #cancelTick: () => void = () => undefined

  constructor(options: AccessLogOptions, modules: AccessLogModules) {
    this.#options = options
    this.#modules = modules
    this.#atRest = new AtRest(options.secret)
    this.#anchors = new BatchAnchors(modules.store)
    this.#anchoring = new Anchoring(
      { ...options, kind: 'access.log', tickMs: this.#tickMs },
      { ...modules, anchors: this.#anchors, onBatched: nothing, onAnchored: nothing },
    )
  }

  async start(): Promise<void> {
    await this.#anchoring.start()
    this.#arm()
  }

  async close(): Promise<void> {
    this.#cancelTick()
    await this.#serving
    await this.#tellCounted()
    await this.#anchoring.close()
  }

  needsBlocks(): boolean {
    return this.#anchoring.needsBlocks()
  }

  counts(): { entries: number; pending: number } {
    const { size, waiting } = this.#modules.store
    return { entries: size, pending: waiting + this.#anchoring.inOpenBatches }
  }

  noteWitness(request: AccessRequest, entry: AccessEntry): Promise<boolean> {
    return this.#keep('holder', 'witnessed', { request, entry, note: null })
  }

  async noteRead(request: AccessRequest, entry: AccessEntry): Promise<void> {
    await this.#keep('reader', 'read', { request, entry, note: null })
  }

  noteQuery(request: AccessRequest, entry: AccessEntry): Promise<boolean> {
    const isOwn = request.reader === this.#options.organisation
    return this.#keep(isOwn ? 'reader' : 'custodian', 'query', { request, entry, note: null })
  }

  noteServed({ entry }: AccessRequest, sets: number): void {
    const name = entry.join()
    if ((this.#served.get(name) ?? 0) >= sets) return
    if (this.#served.size >= SERVED_REMEMBERED) this.#served.clear()
    this.#served.set(name, sets)
    this.#serving = this.#serving
      .then(() => this.#markServed(entry, sets))
      .catch((error: unknown) => this.#modules.onFatal(error))
  }

  async noteRefusal({ peer, code, request, entry }: RefusedAccess): Promise<void> {
    if (!this.#hasBudget(peer)) return
    const custodian = request?.custodian ?? null
    const told = { kind: 'refusal' as const, organisation: peer, custodian, code, count: 1 }
    const note = this.#note({ ...told, entry: entry && leafOf({ entry, note: null }) })
    const isSmall = entry !== null && entry.sealed.length <= REFUSED_ENTRY_BYTES_MAX
    await this.#keep('holder', 'refused', { request, entry: isSmall ? entry : null, note })
  }

  async noteEmergency(asked: NotedEmergency): Promise<void> {
    const { reader, home, entry, code } = asked
    const { clock, store, metrics } = this.#modules
    if (code !== null && !this.#hasBudget(reader)) return
    const told = { kind: 'refusal' as const, organisation: reader, custodian: home, count: 1 }
    const leafOfEntry = leafOf({ entry, note: null })
    const note = code === null ? null : this.#note({ ...told, code, entry: leafOfEntry })
    const item = emergencyItem(asked, { time: clock.wall(), note })
    const isNew = await store.add(leafOf(item), this.#sealed(item), this.#aboutOf(item))
    if (!isNew) return
    metrics.accessServed.inc({ class: 'emergency', result: code === null ? 'served' : 'refused' })
    this.#anchoring.added()
  }

  async noteRepair({ custodian, holder, sets }: NotedRepair): Promise<void> {
    const told = { kind: 'repair' as const, organisation: holder, custodian, code: null }
    const note = this.#note({ ...told, count: sets, entry: null })
    await this.#keep('none', 'repaired', { request: null, entry: null, note })
  }

  /** Resolves when it is on the disk. */
  async noteAct(
    told: Omit<AdminAct, 'nonce' | 'time' | 'organisation' | 'parameters'>,
    parameters: string,
  ) {
    const nonce = new Uint8Array(randomBytes(16))
    const { organisation } = this.#options
    const item = itemOfAct({
      ...told,
      nonce,
      time: this.#modules.clock.wall(),
      organisation,
      parameters: adminParametersDigest(nonce, parameters),
    })
    await this.#modules.store.add(leafOf(item), this.#sealed(item), null)
    this.#anchoring.added()
  }

  find(leaf: Uint8Array): KeptAccess | undefined {
    const stored = this.#modules.store.find(leaf)
    return stored && this.#opened(stored)
  }

  /** Null while nothing final has the batch. */
  batchOf(place: { sequence: number; position: number }): AnchoredBatch | null {
    const anchor = this.#anchors.of(place)
    const stored = this.#modules.store.getBatch(place.sequence)
    if (anchor === null || stored === undefined) return null
    const { leaves, root } = decodeBatch(stored.batch)
    return { leaves, root, position: place.position, transaction: anchor.transaction }
  }

  /** Newest first, below an arrival (exclusive) or from the newest. */
  async *list(before: number | null): AsyncGenerator<KeptAccess> {
    for await (const stored of this.#modules.store.list(before)) yield this.#opened(stored)
  }

  /** About records of this custodian, oldest first, above an arrival (exclusive). */
  async *listAbout(custodian: string, after: number): AsyncGenerator<KeptAccess> {
    const name = this.#nameOf(custodian)
    for await (const stored of this.#modules.store.listAbout(name, after))
      yield this.#opened(stored)
  }

  /** Where they are on the chain, in their order; null for what is not there yet. */
  placesOf(kept: readonly Pick<KeptAccess, 'batch'>[]): Promise<(LeafPlace | null)[]> {
    const { store } = this.#modules
    const batched = kept.map(({ batch }) => batch)
    return placesInBatches({ store, anchors: this.#anchors }, batched)
  }

  get #tickMs(): number {
    return this.#options.tickMs ?? TICK_MS
  }

  /** Else it is counted. */
  #hasBudget(peer: string): boolean {
    const { clock, metrics } = this.#modules
    const now = clock.monotonic()
    let budget = this.#budgets.get(peer)
    if (budget === undefined) {
      budget = new TokenBucket(REFUSALS_AT_ONCE, REFUSALS_PER_SECOND, now)
      this.#budgets.set(peer, budget)
    }
    if (budget.take(1, now)) return true
    metrics.accessServed.inc({ class: 'other', result: 'refused' })
    this.#counted.set(peer, (this.#counted.get(peer) ?? 0) + 1)
    return false
  }

  /** False when what is here under this leaf was asked by another request. */
  async #keep(
    role: AccessItem['role'],
    result: string,
    parts: Omit<Parameters<typeof itemOf>[2], 'grant'>,
  ): Promise<boolean> {
    const { clock, store, metrics } = this.#modules
    const signed = parts.request?.grant ?? null
    const grant = signed === null ? undefined : this.#grants.find(signed)
    const item = itemOf(role, clock.wall(), { ...parts, grant })
    const leaf = leafOf(item)
    const isNew = await store.add(leaf, this.#sealed(item), this.#aboutOf(item))
    if (!isNew) return isSameRequest(this.find(leaf), item)
    metrics.accessServed.inc({ class: accessClass(item), result })
    this.#anchoring.added()
    return true
  }

  async #markServed(leaf: Uint8Array, sets: number): Promise<void> {
    const { store, metrics } = this.#modules
    const stored = store.find(leaf)
    if (stored === undefined) return
    const item = decodeItem(this.#atRest.open('access', stored.value))
    if (item.served >= sets) return
    if (item.served === 0) metrics.accessServed.inc({ class: accessClass(item), result: 'served' })
    await store.replace(stored, this.#sealed({ ...item, served: sets }))
  }

  /** A repair is about no patient. */
  #aboutOf({ asked, note }: AccessItem): Uint8Array | null {
    const custodian = note?.custodian ?? asked?.custodian ?? null
    return custodian === null || note?.kind === 'repair' ? null : this.#nameOf(custodian)
  }

  #nameOf(custodian: string): Uint8Array {
    return this.#atRest.name('access-about', new TextEncoder().encode(custodian))
  }

  #note(told: Omit<AccessNote, 'nonce' | 'time'>): AccessNote {
    const nonce = new Uint8Array(randomBytes(16))
    return { nonce, time: this.#modules.clock.wall(), ...told }
  }

  #sealed(item: AccessItem): Uint8Array {
    return this.#atRest.seal('access', encodeItem(item))
  }

  #opened({
    arrival,
    leaf,
    value,
    place,
  }: NonNullable<ReturnType<AccessStore['find']>>): KeptAccess {
    const anchor = this.#anchors.of(place)
    const status = anchor !== null ? 'anchored' : place === null ? 'waiting' : 'batched'
    const item = decodeItem(this.#atRest.open('access', value))
    return { ...item, arrival, leaf, status, batch: place, height: anchor?.height ?? null }
  }

  #arm(): void {
    this.#cancelTick = this.#modules.clock.after(this.#tickMs, () => {
      this.#tellCounted().catch((error: unknown) => this.#modules.onFatal(error))
      this.#arm()
    })
  }

  async #tellCounted(): Promise<void> {
    const counted = [...this.#counted]
    this.#counted.clear()
    for (const [organisation, count] of counted) {
      const told = { kind: 'refusal' as const, organisation, custodian: null, entry: null }
      const note = this.#note({ ...told, code: 'too_many_refusals', count })
      const item = itemOf('holder', note.time, {
        request: null,
        grant: undefined,
        entry: null,
        note,
      })
      await this.#modules.store.add(leafOf(item), this.#sealed(item))
    }
    if (counted.length > 0) this.#anchoring.added()
  }
}

/** Few words for why, whatever purposes there are: no line of a metric may lead to a person. */
function accessClass({ asked, note }: AccessItem): 'care' | 'machine' | 'emergency' | 'other' {
  if (note?.kind === 'repair') return 'machine'
  if (asked === null) return 'other'
  if (asked.purpose === 'BTG') return 'emergency'
  return coversPurpose(['TREAT'], asked.purpose) ? 'care' : 'other'
}

function isSameRequest(known: AccessItem | undefined, { asked }: AccessItem): boolean {
  const before = known?.asked?.digest
  return before !== undefined && asked !== null && equalBytes(before, asked.digest)
}

function nothing(): void {
  return undefined
}
