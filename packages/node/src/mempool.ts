// Transactions that wait for a block: the door of the node for its own clients and for gossip.
//
// Who is refused here never enters the network. A sequenced transaction stands in the lane of its
// organisation: at the door it must be the next of its lane, from gossip it may come a little early
// and waits. "Accepted" is said only when the transaction is in the pending store, so a crash
// forgets none; gossip's copies are not stored, their origin has them.

import { equalBytes, toHex } from '@mooring/codec'
import {
  checkSignatures,
  checkTransaction,
  type DecodedTransaction,
  decodeTransaction,
  describeMalformed,
  type InvalidTransaction,
  payerOf,
  placeOf,
  type State,
} from '@mooring/ledger'
import type { Acceptance } from '@mooring/network'
import { InTurn } from './in-turn.ts'
import { KnownBytes } from './known-bytes.ts'
import { isAhead, lanePlaceOf, Lanes } from './lanes.ts'
import { isDead, isForGood } from './lasting-refusals.ts'
import { LooseTransactions } from './loose-transactions.ts'
import { MempoolDoor } from './mempool-door.ts'
import type { Admitted, Entry, MempoolModules, MempoolOptions } from './mempool-modules.ts'
import { isFull, refusal, type Submitted } from './submitted.ts'
import { NONE_SIGNED, type Signed, TransactionSignatures } from './transaction-signatures.ts'

/** A pending transaction is offered to the others again when it has waited this long. */
const OFFER_AGAIN_MS = 2_000

type Read = DecodedTransaction | (Submitted & { status: 'rejected' })

interface Sifted {
  readonly fresh: readonly DecodedTransaction[]
  readonly isBad: boolean
  /** At whose door they stood. */
  readonly state: State
}

export class Mempool {
  readonly #options: MempoolOptions
  readonly #modules: MempoolModules
  readonly #entries = new Map<string, Entry>()
  readonly #byBytes = new KnownBytes<Entry>()
  readonly #lanes = new Lanes<Entry>()
  readonly #loose = new LooseTransactions<Entry>()
  readonly #lists = new InTurn()
  readonly #door: MempoolDoor
  readonly #signatures: TransactionSignatures
  #bytes = 0

  constructor(options: MempoolOptions, modules: MempoolModules) {
    this.#options = options
    this.#modules = modules
    this.#door = new MempoolDoor(options, modules, {
      lanes: this.#lanes,
      loose: this.#loose,
      count: () => this.#entries.size,
      bytes: () => this.#bytes,
    })
    this.#signatures = new TransactionSignatures(options.genesisDigest, modules)
  }

  /** So many transactions may wait. */
  get maxCount(): number {
    return this.#options.maxCount
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Milliseconds that the oldest one has waited; 0 when there is none. */
  oldestMs(): number {
    const [first] = this.#entries.values()
    return first === undefined ? 0 : this.#modules.clock.monotonic() - first.receivedAt
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  get(name: string): DecodedTransaction | undefined {
    return this.#entries.get(name)?.transaction
  }

  receivedAt(name: string): { at: number; isLocal: boolean } | undefined {
    const entry = this.#entries.get(name)
    return entry === undefined ? undefined : { at: entry.receivedAt, isLocal: entry.isLocal }
  }

  async submit(bytes: Uint8Array): Promise<Submitted> {
    const [submitted] = await this.submitAll([bytes])
    if (submitted === undefined) throw new Error('a transaction was submitted without an outcome')
    return submitted
  }

  /**
   * From a client of this node, judged in this order; what comes behind one for which there is no room is not
   * looked at. Resolves when the answers may be given.
   */
  async submitAll(list: readonly Uint8Array[]): Promise<Submitted[]> {
    const admitted = await this.#admitAll(list)
    const fresh = admitted.flatMap(({ entry, isNew }) => (entry !== null && isNew ? [entry] : []))
    // The others and the disk at once: the client alone was promised something, and hears of it after both.
    const keeping = this.#keepAll(admitted)
    if (fresh.length > 0) this.#welcome(fresh.map(({ transaction }) => transaction))
    try {
      await keeping
    } catch (error) {
      for (const { entry } of admitted) if (entry !== null) entry.kept = null
      for (const entry of fresh) this.#remove(entry)
      throw error
    }
    return admitted.map(({ answer }) => answer)
  }

  /** One list after the other: the next of a lane must not overtake those before it. */
  #admitAll(list: readonly Uint8Array[]): Promise<Admitted[]> {
    return this.#lists.run(async () => {
      // Where there is no room nothing is read that is not looked at.
      const hasRoom = this.#door.hasRoom(0, true)
      const reading = hasRoom ? (this.#modules.readAhead?.(list) ?? null) : null
      if (reading !== null) await reading
      const read = hasRoom ? list.map((bytes) => this.#read(bytes)) : []
      const signed = await this.#signatures.ask(read.filter((each) => this.#isUnknown(each)))
      let full: Admitted | null = null
      return list.map((bytes, at) => {
        const admitted = full ?? this.#admit(read[at] ?? this.#read(bytes), signed)
        const { answer } = admitted
        if (isFull(answer)) full = { ...admitted, answer: { ...answer, id: null } }
        return admitted
      })
    })
  }

  #admit(read: Read, signed: Signed): Admitted {
    const rest = { entry: null, isNew: false }
    if ('status' in read) return { answer: read, ...rest }
    const id = toHex(read.id)
    const known = this.#entries.get(id)
    if (known !== undefined) return { answer: { status: 'known', id }, entry: known, isNew: false }
    const { heightOf, finalState } = this.#modules
    const height = isAhead(finalState(), lanePlaceOf(read)) ? undefined : heightOf(read.id)
    if (height !== undefined) return { answer: { status: 'final', id, height }, ...rest }
    const invalid = this.#door.check(read, true) ?? this.#signatures.check(read, signed)
    if (invalid !== undefined) return { answer: refusal(invalid, read), ...rest }
    return { answer: { status: 'accepted', id }, entry: this.#add(read, true), isNew: true }
  }

  #welcome(transactions: readonly DecodedTransaction[]): void {
    const { waiting, publish, onReady } = this.#modules
    if (waiting !== undefined)
      for (const { id, payload } of transactions) waiting({ id, kind: payload.kind })
    publish(transactions.map(({ bytes }) => bytes))
    onReady()
  }

  /** Most share one promise: that of the batch that they are written in. */
  async #keepAll(admitted: readonly { entry: Entry | null }[]): Promise<void> {
    const keeping = admitted.flatMap(({ entry }) => (entry === null ? [] : [this.#keep(entry)]))
    await Promise.all(new Set(keeping))
  }

  /** From here on it is ours to remember, whoever sent it first. */
  #keep(entry: Entry): Promise<void> {
    const { id, bytes } = entry.transaction
    entry.isLocal = true
    entry.kept ??= this.#modules.store.keep(id, bytes)
    return entry.kept
  }

  /**
   * From a peer, as views of its message: what is new and good is kept. Reject means that the sender vouched for
   * nonsense.
   */
  receive(batch: readonly Uint8Array[]): Acceptance {
    return this.#takeIn(batch, this.#sift(batch), NONE_SIGNED)
  }

  /** The same, with the signatures on another core where that is worth it. */
  async receiveLater(batch: readonly Uint8Array[]): Promise<Acceptance> {
    const reading = this.#modules.readAhead?.(batch) ?? null
    if (reading !== null) await reading
    const sifted = this.#sift(batch)
    return this.#takeIn(batch, sifted, await this.#signatures.ask(sifted.fresh))
  }

  /** What could be new and good, but for signatures. */
  #sift(batch: readonly Uint8Array[]): Sifted {
    const fresh: DecodedTransaction[] = []
    const state = this.#modules.finalState()
    for (const bytes of batch) {
      const read = this.#read(bytes)
      if ('status' in read) return { fresh, state, isBad: true }
      if (this.#isUnknown(read) && this.#door.check(read, false) === undefined) fresh.push(read)
    }
    return { fresh, state, isBad: false }
  }

  #takeIn(batch: readonly Uint8Array[], sifted: Sifted, signed: Signed): Acceptance {
    const taken: Entry[] = []
    let { isBad } = sifted
    const isLater = this.#modules.finalState() !== sifted.state
    for (const transaction of sifted.fresh) {
      // It may have come in the meantime, also in the same batch, or be final.
      if (!this.#isUnknown(transaction) || !this.#door.isStillOpen(transaction)) continue
      if (isLater && this.#door.check(transaction, false) !== undefined) continue
      if (this.#signatures.check(transaction, signed) !== undefined) {
        isBad = true
        break
      }
      taken.push(this.#add(transaction, false))
    }
    this.#letGoOf(batch, taken)
    if (taken.length > 0) this.#modules.onReady()
    if (isBad) return 'reject'
    return taken.length > 0 ? 'accept' : 'ignore'
  }

  #isUnknown(read: Read): read is DecodedTransaction {
    return !('status' in read) && !this.#entries.has(toHex(read.id))
  }

  /** A message stays in memory as long as one of its transactions: not for a few of a large one. */
  #letGoOf(batch: readonly Uint8Array[], kept: readonly Entry[]): void {
    const room = bytesOf(batch)
    if (2 * bytesOf(kept.map(({ transaction }) => transaction.bytes)) >= room) return
    const { genesisDigest } = this.#options
    for (const entry of kept)
      entry.transaction = decodeTransaction(entry.transaction.bytes.slice(), genesisDigest)
  }

  /**
   * From the pending store, after a restart. All of it was accepted once and needs no room and no turn:
   * what came before it in its lane may wait at another door. Only what can never be final is dropped.
   */
  async restore(stored: readonly { id: Uint8Array; bytes: Uint8Array }[]): Promise<void> {
    const sorted = stored
      .map(({ id, bytes }) => ({ id, read: this.#read(bytes) }))
      .toSorted((a, b) => orderOf(a.read) - orderOf(b.read))
    const dead = sorted.filter(({ read }) => 'status' in read || !this.#readmit(read))
    if (dead.length > 0) await this.#modules.store.forget(dead.map(({ id }) => id))
  }

  /** The very transaction, signature included, was verified at the door. */
  readonly isVerified = (transaction: DecodedTransaction): boolean => {
    const entry = this.#entries.get(toHex(transaction.id))
    if (entry?.transaction === transaction) return true
    return entry !== undefined && equalBytes(entry.transaction.signature, transaction.signature)
  }

  /** What waits with exactly these bytes: decoded and verified at the door. */
  readonly findVerified = (encoded: Uint8Array): DecodedTransaction | undefined =>
    this.#byBytes.find(encoded)?.transaction

  /** The bytes of what waits under this name of a compact proposal; they may not be the ones that are meant. */
  readonly named = (name: Uint8Array): Uint8Array | undefined =>
    this.#byBytes.named(name)?.transaction.bytes

  /** Whether a block on top of this state could carry something now: also quota must be left. */
  hasReady(state: State): boolean {
    const time = this.#modules.clock.wall()
    const limit = this.#modules.parameters().quotaPerMinute
    return (
      this.#lanes.hasReady(state, { time, limit }) ||
      this.#loose.hasReady(state, this.#door.context())
    )
  }

  /**
   * What may go on top of a state, at most `count` and about `bytes`: first what has no sequence, then
   * the lanes taking turns.
   */
  take(state: State, limits: { count: number; bytes: number }): DecodedTransaction[] {
    const taken: DecodedTransaction[] = []
    let room = limits.bytes
    const offers = [this.#loose.ready(state, this.#door.context()), this.#lanes.turns(state)]
    for (const entries of offers) {
      for (const { transaction } of entries) {
        if (room <= 0 || taken.length >= limits.count) return taken
        taken.push(transaction)
        room -= transaction.bytes.length
      }
    }
    return taken
  }

  /** These are final now, and so is everything at or below their sequences. */
  async committed(ids: readonly Uint8Array[]): Promise<void> {
    this.#door.noteFinal(ids.length)
    const own: Uint8Array[] = []
    for (const id of ids) {
      const entry = this.#entries.get(toHex(id))
      if (entry === undefined) continue
      if (entry.isLocal) own.push(id)
      this.#remove(entry)
    }
    if (own.length > 0) await this.#modules.store.forget(own)
  }

  /** A proposer found these invalid on top of the chain; who can still become valid stays. */
  async rejected(
    refused: readonly { transaction: DecodedTransaction; reason: InvalidTransaction }[],
  ): Promise<void> {
    const state = this.#modules.finalState()
    const dead = refused.filter((each) => isDead(each, state))
    await this.#drop(dead.map(({ transaction }) => toHex(transaction.id)))
  }

  /** The rules or the keys are other ones: what they no longer let into a block goes. */
  async review(): Promise<void> {
    const state = this.#modules.finalState()
    const context = this.#door.context()
    const rules = { acceptsGap: true, verifySignature: false }
    const dead = [...this.#entries.values()].filter(({ transaction, place }) => {
      if (place === null) return false
      const invalid = checkTransaction(state, context, transaction, rules)
      return invalid !== undefined && invalid.code !== 'quota_exceeded'
    })
    const loose = this.#loose.dead(state, context)
    await this.#drop([...dead, ...loose].map(({ name }) => name))
  }

  /** Once a second or so: expired ones go, old ones are offered again. */
  async tick(): Promise<void> {
    const { clock, publish } = this.#modules
    const now = clock.monotonic()
    const wall = clock.wall()
    const expired = [...this.#entries.values()].filter(
      ({ transaction }) => transaction.payload.expiresAt <= wall,
    )
    const finalState = this.#modules.finalState()
    const dead = this.#loose.dead(finalState, this.#door.context())
    const due = [...this.#loose.values(), ...this.#lanes.heads(finalState)].filter(
      ({ isLocal, offeredAt }) => isLocal && now - offeredAt >= OFFER_AGAIN_MS,
    )
    for (const entry of due) entry.offeredAt = now
    if (due.length > 0) publish(due.map(({ transaction }) => transaction.bytes))
    await this.#drop([...expired, ...dead].map(({ name }) => name))
  }

  #read(bytes: Uint8Array): Read {
    try {
      return decodeTransaction(bytes, this.#options.genesisDigest)
    } catch (error) {
      return refusal(describeMalformed(error), null)
    }
  }

  #readmit(transaction: DecodedTransaction): boolean {
    const place = lanePlaceOf(transaction)
    const isTaken = place !== null && this.#lanes.has(place)
    const rules = { acceptsGap: true, verifySignature: false }
    const invalid = checkTransaction(
      this.#modules.finalState(),
      this.#door.context(),
      transaction,
      rules,
    )
    const forged = checkSignatures(transaction, this.#options.genesisDigest)
    if (isTaken || forged !== undefined) return false
    if (invalid !== undefined && isForGood(invalid)) return false
    this.#add(transaction, true).kept = Promise.resolve()
    return true
  }

  #add(transaction: DecodedTransaction, isLocal: boolean): Entry {
    const now = this.#modules.clock.monotonic()
    const organisation = payerOf(transaction)
    const place = lanePlaceOf(transaction)
    const name = toHex(transaction.id)
    const fresh = { receivedAt: now, offeredAt: now, kept: null }
    const entry: Entry = { transaction, name, organisation, place, isLocal, ...fresh }
    this.#entries.set(name, entry)
    this.#byBytes.add(entry)
    this.#bytes += transaction.bytes.length
    if (place === null) this.#loose.add(entry)
    else this.#lanes.add(place, entry)
    return entry
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry.name)) return
    this.#byBytes.delete(entry)
    this.#bytes -= entry.transaction.bytes.length
    if (entry.place === null) this.#loose.delete(entry.name)
    else this.#lanes.delete(entry.place)
  }

  async #drop(names: readonly string[]): Promise<void> {
    const own: Uint8Array[] = []
    for (const name of names) {
      const entry = this.#entries.get(name)
      if (entry === undefined) continue
      if (entry.isLocal) own.push(entry.transaction.id)
      this.#remove(entry)
      if (entry.place !== null) this.#lanes.reopen(entry.place)
    }
    if (own.length > 0) await this.#modules.store.forget(own)
  }
}

function bytesOf(list: readonly Uint8Array[]): number {
  return list.reduce((sum, { length }) => sum + length, 0)
}

function orderOf(read: DecodedTransaction | { status: 'rejected' }): number {
  return 'status' in read ? 0 : (placeOf(read)?.sequence ?? 0)
}
