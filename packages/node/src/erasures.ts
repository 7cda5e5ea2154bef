// Erasing records at their custodian: who may ask, what the law and a hold refuse, and the steps from the
// order to the last member that has deleted its part (erasure-state.ts).
//
// The tombstone is final before anything is deleted, and what is here goes before others are told: an order
// that was begun ends, whatever crashes between. Of the record its id is left, which is in a batch, and
// opens nothing. What the law keeps is restricted when its patient asks, and erased when its time is over.

import { Refusal } from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { type ErasureReason, tombstoneItem, type UnixMs } from '@mooring/ledger'
import { decideErasure, type ErasureRefusal, type Retention } from '@mooring/records'
import type { ErasedNames } from '@mooring/storage'
import type { Clock } from './clock.ts'
import type { IndexEntry } from './custodian-index.ts'
import { type RoundModules, tellMembers } from './erasure-rounds.ts'
import { type Erasure, type Hold, isOpen, type Stage } from './erasure-state.ts'
import type { FinalFacts } from './final-facts.ts'
import { NamedLocks } from './named-locks.ts'
import type { Relay } from './relay.ts'
import type { SealedEntry, SealedValues } from './sealed-values.ts'

export interface ErasuresOptions {
  readonly self: string
  readonly retention: Retention
}

export interface ErasuresModules extends RoundModules {
  readonly clock: Clock
  readonly relay: Relay
  readonly facts: Pick<FinalFacts, 'tombstone' | 'time'>
  readonly values: SealedValues<Erasure>
  readonly holds: SealedValues<Hold>
  readonly recordOf: (id: Uint8Array) => IndexEntry | undefined
  /** Root of the batch that has the record, once that is final. */
  readonly anchoredRootOf: (entry: IndexEntry) => Uint8Array | undefined
  readonly referenceOf: (patientKey: Uint8Array) => string | undefined
  /** By which the store finds what it has of a record. */
  readonly namesOf: (entry: IndexEntry) => ErasedNames
  readonly eraseHere: (entry: IndexEntry, names: ErasedNames) => Promise<void>
  /** Of the network now, this one too. */
  readonly members: () => readonly string[]
}

export interface ErasureRequest {
  readonly id: Uint8Array
  readonly reason: ErasureReason
  readonly by: Erasure['by']
}

/** Who is away is asked again, and what the law kept is looked at again. */
const ROUND_MS = 15_000

export class Erasures {
  readonly #options: ErasuresOptions
  readonly #modules: ErasuresModules
  /** Records with an erasure that is not done, by id in hex. */
  readonly #open = new Map<string, Uint8Array>()
  /** Restricted until the law's time is over. */
  readonly #dueAt = new Map<string, UnixMs>()
  readonly #locks = new NamedLocks()
  #cancel: () => void = () => undefined
  #round: Promise<void> | null = null
  #isClosed = false

  constructor(options: ErasuresOptions, modules: ErasuresModules) {
    this.#options = options
    this.#modules = modules
  }

  /** Goes on with what an earlier run left. */
  async start(): Promise<void> {
    for await (const { key, value } of this.#modules.values.all()) this.#note(key, value)
    this.#arm()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#round
    await this.#locks.idle()
  }

  get(id: Uint8Array): Erasure | undefined {
    return this.#modules.values.get(id)
  }

  isRestricted(id: Uint8Array): boolean {
    return this.get(id)?.stage.kind === 'restricted'
  }

  holdOf(id: Uint8Array): Hold | undefined {
    return this.#modules.holds.get(id)
  }

  list(after: Uint8Array | null, limit: number): Promise<SealedEntry<Erasure>[]> {
    return this.#modules.values.list(after, limit)
  }

  /** Of one account. */
  async ofReference(reference: string): Promise<SealedEntry<Erasure>[]> {
    const found: SealedEntry<Erasure>[] = []
    for await (const entry of this.#modules.values.all())
      if (entry.value.reference === reference) found.push(entry)
    return found
  }

  /**
   * Resolves when the tombstone is final, nothing is here any more, and who can be reached has been told.
   * @throws Refusal unknown_record, not_anchored_yet, retention_applies, legal_hold
   */
  request({ id, reason, by }: ErasureRequest): Promise<Erasure> {
    return this.#alone(id, async () => {
      const known = this.get(id)
      if (known?.stage.kind === 'erased') return known
      if (known?.stage.kind === 'ordered') return await this.#carryOut(id, known)
      const entry = this.#recordOf(id)
      const batchRoot = this.#modules.anchoredRootOf(entry)
      if (batchRoot === undefined) {
        const detail = 'Its batch is not final so far. Ask again in a moment.'
        throw new Refusal('not_anchored_yet', detail)
      }
      const refusal = this.#judge(entry, reason)
      const asked = this.#asked(entry, { reason, by })
      if (refusal === undefined) {
        const stage = { kind: 'ordered' as const, body: { setId: entry.setId, batchRoot } }
        return await this.#carryOut(id, await this.#keep(id, { ...asked, stage }))
      }
      const isForPatient = reason === 'patient_request'
      if (isForPatient) await this.#restrict(id, entry, { asked, refusal })
      throw new Refusal(refusal.code, describe(refusal, isForPatient))
    })
  }

  /** The patient wants it kept, and readable, after all. @throws Refusal not_restricted */
  lift(id: Uint8Array): Promise<Erasure> {
    return this.#alone(id, async () => {
      const known = this.get(id)
      if (known?.stage.kind !== 'restricted')
        throw new Refusal('not_restricted', 'Nobody has asked that this record be erased.')
      const { setId } = known.stage.body
      const stage = { kind: 'lifted' as const, body: { setId } }
      return await this.#tell(id, { ...known, stage, waiting: [...this.#modules.members()] })
    })
  }

  /** @throws Refusal unknown_record */
  hold(id: Uint8Array, reason: string): Promise<Hold> {
    return this.#alone(id, async () => {
      this.#recordOf(id)
      const { holds, clock } = this.#modules
      const hold = holds.get(id) ?? { reason, since: clock.wall() }
      await holds.put(id, { ...hold, reason })
      return { ...hold, reason }
    })
  }

  /** What its patient asked for meanwhile is judged anew. @throws Refusal not_held */
  async release(id: Uint8Array): Promise<Erasure | null> {
    await this.#alone(id, async () => {
      const { holds } = this.#modules
      if (holds.get(id) === undefined)
        throw new Refusal('not_held', 'There is no legal hold on this record.')
      await holds.delete(id)
    })
    return await this.#reconsider(id)
  }

  /** Somebody is back who may have to be told. */
  wake(organisation: string): void {
    for (const id of this.#open.values())
      if (this.get(id)?.waiting.includes(organisation) === true) return this.#runRound()
  }

  #recordOf(id: Uint8Array): IndexEntry {
    const entry = this.#modules.recordOf(id)
    if (entry === undefined)
      throw new Refusal('unknown_record', 'This custodian has no record with this id.')
    return entry
  }

  #judge(entry: IndexEntry, reason: ErasureReason): ErasureRefusal | undefined {
    const { receivedAt, facts } = entry.metadata
    const isHeld = this.holdOf(entry.id) !== undefined
    const now = this.#modules.clock.wall()
    const question = { reason, class: facts.class, receivedAt, now, isHeld }
    return decideErasure(question, this.#options.retention)
  }

  #asked(
    entry: IndexEntry,
    { reason, by }: Pick<ErasureRequest, 'reason' | 'by'>,
  ): Omit<Erasure, 'stage'> {
    const { clock, referenceOf } = this.#modules
    const reference = referenceOf(entry.account) ?? ''
    const about = { reference, class: entry.metadata.facts.class, reason, by }
    return { ...about, requestedAt: clock.wall(), waiting: [], receipts: [] }
  }

  async #restrict(
    id: Uint8Array,
    { setId }: IndexEntry,
    { asked, refusal }: { asked: Omit<Erasure, 'stage'>; refusal: ErasureRefusal },
  ): Promise<void> {
    const { code, until } = refusal
    const known = this.get(id)
    const isKnown = known?.stage.kind === 'restricted'
    const stage = { kind: 'restricted' as const, body: { setId, code, until } }
    const waiting = isKnown ? known.waiting : [...this.#modules.members()]
    const requestedAt = isKnown ? known.requestedAt : asked.requestedAt
    await this.#tell(id, { ...asked, requestedAt, stage, waiting })
  }

  /** From the order to the end, as far as it goes now. */
  async #carryOut(id: Uint8Array, ordered: Erasure): Promise<Erasure> {
    if (ordered.stage.kind !== 'ordered') return ordered
    const { facts, relay, saltOf, members, clock } = this.#modules
    const { self } = this.#options
    const { setId, batchRoot } = ordered.stage.body
    // A hold that came meanwhile stops what was ordered, for as long as nothing of it is done.
    if (this.holdOf(id) !== undefined) {
      throw new Refusal('legal_hold', 'A legal hold keeps this record; its erasure waits for it.')
    }
    const salt = saltOf(setId)
    const item = tombstoneItem(setId, salt)
    let transaction: Uint8Array | null = null
    if (facts.tombstone(self, setId, salt) === undefined) {
      const body = { organisation: self, batchRoot, item, reason: ordered.reason }
      transaction = await relay.submit({ kind: 'record.tombstone', body }).then(
        (final) => final.id,
        (error: unknown) => {
          if (error instanceof Refusal && error.code === 'item_erased') return null
          throw error
        },
      )
    }
    const height = facts.tombstone(self, setId, salt)?.height
    if (height === undefined) throw new Error('a final tombstone is not in the final state')
    const body = { setId, batchRoot, item, height, transaction, erasedAt: clock.wall() }
    const stage = { kind: 'erased' as const, body }
    const erased = await this.#keep(id, { ...ordered, stage, waiting: [...members()] })
    await this.#eraseHere(id)
    return await this.#tell(id, erased)
  }

  async #eraseHere(id: Uint8Array): Promise<void> {
    const { recordOf, namesOf, eraseHere, logger } = this.#modules
    const entry = recordOf(id)
    if (entry === undefined) return
    await eraseHere(entry, namesOf(entry))
    logger.info('a record was erased', { record: toHex(id) })
  }

  /** Tells who can be reached, and keeps what came of it. */
  async #tell(id: Uint8Array, erasure: Erasure): Promise<Erasure> {
    await this.#keep(id, erasure)
    const told = await tellMembers(this.#modules, erasure)
    if (told.waiting.length > 0) return await this.#keep(id, told)
    if (told.stage.kind === 'lifted') {
      await this.#modules.values.delete(id)
      this.#forget(id)
      return told
    }
    return await this.#keep(id, told.stage.kind === 'erased' ? nameless(told, told.stage) : told)
  }

  async #keep(id: Uint8Array, erasure: Erasure): Promise<Erasure> {
    await this.#modules.values.put(id, erasure)
    this.#note(id, erasure)
    return erasure
  }

  #note(id: Uint8Array, erasure: Erasure): void {
    this.#forget(id)
    const name = toHex(id)
    if (isOpen(erasure)) this.#open.set(name, id)
    const { stage } = erasure
    if (stage.kind === 'restricted' && stage.body.until !== null)
      this.#dueAt.set(name, stage.body.until)
  }

  #forget(id: Uint8Array): void {
    const name = toHex(id)
    this.#open.delete(name)
    this.#dueAt.delete(name)
  }

  /** What was refused once may be granted now. */
  async #reconsider(id: Uint8Array): Promise<Erasure | null> {
    const known = this.get(id)
    if (known?.stage.kind !== 'restricted' && known?.stage.kind !== 'ordered') return null
    const { reason, by } = known
    try {
      return await this.request({ id, reason, by })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return this.get(id) ?? null
    }
  }

  #arm(): void {
    if (this.#isClosed) return
    this.#cancel = this.#modules.clock.after(ROUND_MS, () => {
      this.#runRound()
      this.#arm()
    })
  }

  #runRound(): void {
    if (this.#isClosed) return
    const { logger } = this.#modules
    this.#round ??= this.#goOn()
      .catch((error: unknown) => logger.error('erasures could not go on', { error }))
      .finally(() => {
        this.#round = null
      })
  }

  async #goOn(): Promise<void> {
    const now = this.#modules.clock.wall()
    for (const [name, until] of this.#dueAt) {
      if (until <= now && !this.#isClosed) await this.#reconsider(fromHex(name))
    }
    for (const id of Array.from(this.#open.values())) {
      if (this.#isClosed) return
      await this.#alone(id, () => this.#goOnWith(id)).catch((error: unknown) => {
        // The chain does not take it now, or this node is cut off: the next round asks again.
        if (!(error instanceof Refusal)) throw error
        this.#modules.logger.debug('a tombstone is not final', { code: error.code })
      })
    }
  }

  async #goOnWith(id: Uint8Array): Promise<void> {
    const erasure = this.get(id)
    if (erasure === undefined || !isOpen(erasure)) return
    if (erasure.stage.kind === 'ordered') {
      await this.#carryOut(id, erasure)
      return
    }
    if (erasure.stage.kind === 'erased') await this.#eraseHere(id)
    await this.#tell(id, erasure)
  }

  /** One thing at a time for each record. */
  #alone<T>(id: Uint8Array, work: () => Promise<T>): Promise<T> {
    return this.#locks.hold([toHex(id)], work)
  }
}

/** Everybody has deleted it: from here on nobody here can say which set it was. */
function nameless(erasure: Erasure, { body }: Stage<'erased'>): Erasure {
  return { ...erasure, stage: { kind: 'erased', body: { ...body, setId: null } } }
}

function describe({ code, until }: ErasureRefusal, isRestricted: boolean): string {
  const instead = isRestricted ? ' It is restricted instead: nobody reads it under a grant.' : ''
  return code === 'legal_hold'
    ? `A legal hold keeps this record.${instead}`
    : `The law keeps this record until ${new Date(until).toISOString()}.${instead}`
}
