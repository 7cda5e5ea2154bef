// The one loop around agreement: events in, one step each, actions out.
//
// A vote is signed, journalled with the block it is for, and leaves only when the sync that covers it
// has returned; then it comes back to the state machine as an event. The loop does not wait for the
// disk: what happens meanwhile is stepped at once and shares the next sync. A failed sync is fatal:
// nobody knows what the disk holds, so nothing may be signed any more.
//
// Where a signer holds the key, it is asked once the marks of the vote are on the disk, and the vote is
// journalled when it comes back: it leaves after both guards have said yes. While the signer is away the
// marks stand without the vote, as after a crash in between, and the view is left without us.

import {
  type Action,
  type AuthorityKeys,
  type BlockMeta,
  type Certificate,
  type ConsensusConfig,
  type ConsensusState,
  encodeMessage,
  type Event,
  type Evidence,
  type HaltReason,
  type Message,
  type Outgoing,
  type Recovered,
  recordOf,
  start,
  step,
  type Subject,
  type UnsignedVote,
  type Vote,
} from '@mooring/consensus'
import { dueChange, type State } from '@mooring/ledger'
import type { Journal, JournalRecord } from '@mooring/storage'
import { BlockWork } from './block-work.ts'
import type { Clock } from './clock.ts'
import { compactOf } from './compact-proposals.ts'
import { CompactTurns } from './compact-turns.ts'
import type { Execution, Refusal } from './execution.ts'
import { blockRecord, certificateRecord, raised, voteRecord } from './journalling.ts'
import type { LongWork } from './long-work.ts'
import type { Measures } from './measures.ts'
import type { Mempool } from './mempool.ts'
import type { Voter } from './voter.ts'

/** Larger proposals go over the bulk lane, so that votes need not wait behind them. */
const URGENT_BYTES_MAX = 64 << 10
/** A block of so many bytes goes whole to everybody: asking for one transaction of it would take longer. */
export const WHOLE_BYTES_MAX = 1 << 10

type Lane = 'urgent' | 'bulk'

export interface DriverModules {
  clock: Clock
  execution: Execution
  mempool: Mempool
  /** In which blocks are executed and built. */
  work: LongWork
  journal: Pick<Journal, 'append' | 'advance' | 'sync' | 'marks'>
  authorities: AuthorityKeys
  voter: Voter
  send: (to: number, lane: Lane, frame: Uint8Array) => void
  /** Whether that authority can put a proposal together that names its transactions. */
  readsCompact: (to: number) => boolean
  /** Default: `WHOLE_BYTES_MAX`. */
  wholeBytesMax?: number
  fetchBlock: (digest: string, holders: readonly number[]) => void
  syncTo: (finalization: Certificate) => void
  /** The executed blocks are final, in this order. */
  commit: (blocks: readonly BlockMeta[], finalization: Certificate) => void
  /** Votes of earlier views may be forgotten, or (null) none that matters; what the journal keeps of it. */
  onRejoin: (voteFrom: number | null) => JournalRecord
  onEvidence: (evidence: Evidence) => void
  onHalt: (reason: HaltReason) => void
  onInvalidBlock: (block: string, refusal: Refusal) => void
  onVoted: (vote: UnsignedVote) => void
  measures: Pick<Measures, 'step'>
  onFatal: (error: unknown) => void
}

export class Driver {
  readonly #modules: DriverModules
  readonly #heartbeatMs: number
  readonly #timers = new Map<string, () => void>()
  readonly #journalled = new Set<string>()
  readonly #blocks: BlockWork
  readonly #compact = new CompactTurns()
  #state: ConsensusState
  #queue: Event[] = []
  /** The view in which there was nothing to build; it is asked again when something has changed. */
  #emptyView = 0
  #isStepping = false
  #isStopped = false

  constructor(config: ConsensusConfig, recovered: Recovered, modules: DriverModules) {
    this.#modules = modules
    this.#heartbeatMs = modules.execution.parameters.heartbeatMs
    const first = start(config, recovered, this.#clock())
    this.#state = first.state
    this.#blocks = new BlockWork(modules, (error) => this.#fail(error))
    for (const block of recovered.blocks) this.#journalled.add(block.digest)
    this.#isStepping = true
    this.#perform(first.actions)
    this.#isStepping = false
    this.#drain()
    this.#beat()
  }

  get state(): ConsensusState {
    return this.#state
  }

  feed(event: Event): void {
    if (this.#isStopped) return
    this.#queue.push(event)
    this.#drain()
  }

  /** The mempool or the clock changed what there is to do. */
  reconsiderWork(): void {
    this.#emptyView = 0
    const waiting = this.#hasWork()
    if (waiting !== this.#state.isWaiting) this.feed({ type: 'work', waiting })
  }

  /** Nothing is signed or sent after this; resolves when what was journalled is on the disk. */
  async close(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    await this.#modules.journal.sync()
  }

  #clock(): { monotonic: number; wall: number } {
    const { clock } = this.#modules
    return { monotonic: clock.monotonic(), wall: clock.wall() }
  }

  #drain(): void {
    if (this.#isStepping) return
    this.#isStepping = true
    try {
      for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
        const { state, actions } = step(this.#state, event, this.#clock())
        this.#state = state
        this.#compact.follow(state)
        this.#perform(actions)
        if (this.#queue.length === 0) this.#enqueueWork()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isStepping = false
    }
  }

  #enqueueWork(): void {
    if (this.#emptyView === this.#state.view) return
    const waiting = this.#hasWork()
    if (waiting !== this.#state.isWaiting) this.#queue.push({ type: 'work', waiting })
  }

  /**
   * Whether a block on top of what is proposed already would carry something or pass a change, or the
   * heartbeat is due.
   */
  #hasWork(): boolean {
    const { execution, mempool, clock } = this.#modules
    const tip = this.#openTip()
    const state = execution.stateAfter(tip.digest)
    if (state !== undefined && (mempool.hasReady(state) || isChangeDue(state, tip, clock.wall())))
      return true
    return this.#heartbeatMs > 0 && clock.wall() - tip.time >= this.#heartbeatMs
  }

  /** The block that the next one would stand on: proposed in this view, notarized, or final. */
  #openTip(): BlockMeta {
    const { execution } = this.#modules
    const { view, final } = this.#state
    const current = recordOf(this.#state, view)
    const proposed = current.proposal?.block.digest ?? current.ownNotarize?.digest
    const known = proposed === undefined ? undefined : execution.executedOf(proposed)
    if (known !== undefined) return known.meta
    for (let open = view - 1; open >= final.view; open -= 1) {
      const digest = recordOf(this.#state, open).notarization?.subject.digest
      const executed = digest === undefined ? undefined : execution.executedOf(digest)
      if (executed !== undefined) return executed.meta
    }
    return execution.tip.meta
  }

  #beat(): void {
    if (this.#isStopped) return
    const everyMs = Math.max(50, Math.min(1_000, this.#heartbeatMs / 4 || 1_000))
    const beat = (): void => {
      this.#beat()
      this.reconsiderWork()
    }
    this.#timers.set('beat', this.#modules.clock.after(everyMs, beat))
  }

  #perform(actions: readonly Action[]): void {
    const votes = this.#journalVotes(actions.filter((action) => !isFinalize(action)))
    for (const action of actions) this.#performOne(action)
    if (votes.length > 0) this.#whenDurable(() => this.#give(votes))
    const finalizes = actions.filter(isFinalize)
    if (finalizes.length > 0) this.#whenDurable(() => this.#finalize(finalizes))
  }

  /**
   * The notarization is on disk before the mark of the finalize that rests on it. A mark without its record
   * forbids us to leave the view by a nullify; with the certificate we leave it all the same.
   */
  #finalize(actions: readonly Action[]): void {
    if (this.#isStopped) return
    const votes = this.#journalVotes(actions)
    this.#whenDurable(() => this.#give(votes))
  }

  #whenDurable(run: () => void): void {
    this.#modules.journal
      .sync()
      .then(run)
      .catch((error: unknown) => this.#fail(error))
  }

  #journalVotes(actions: readonly Action[]): Given[] {
    const { clock, journal, voter, onVoted } = this.#modules
    const given: Given[] = []
    for (const action of actions) {
      if (action.type === 'journal') journal.append([certificateRecord(action.certificate)])
      if (action.type === 'rejoin') journal.append([this.#modules.onRejoin(action.voteFrom)])
      if (action.type !== 'vote' && action.type !== 'propose') continue
      const { vote } = action
      onVoted(vote)
      const signedAt = clock.monotonic()
      const signature = 'sign' in voter ? voter.sign(vote) : null
      journal.advance(raised(journal.marks, vote))
      if (vote.kind === 'notarize') this.#journalBlock(vote.subject)
      if (signature !== null) journal.append([voteRecord({ ...vote, signature })])
      given.push({ signature, signedAt, action })
    }
    return given
  }

  #journalBlock({ epoch, digest }: Subject): void {
    const { journal, execution } = this.#modules
    const encoded = execution.encodedOf(digest)
    const executed = execution.executedOf(digest)
    if (encoded === undefined || executed === undefined || this.#journalled.has(digest)) return
    this.#journalled.add(digest)
    journal.append([blockRecord(epoch, executed.meta, encoded)])
  }

  /** Their marks are durable, and so are those that are signed. */
  #give(given: readonly Given[]): void {
    if (this.#isStopped) return
    const signed: Signed[] = []
    for (const { signature, signedAt, action } of given) {
      if (signature === null) this.#ask(action, signedAt)
      else signed.push({ vote: { ...action.vote, signature }, signedAt, action })
    }
    if (signed.length > 0) this.#release(signed)
  }

  #ask(action: Voting, signedAt: number): void {
    const { voter, journal } = this.#modules
    if (!('ask' in voter)) return
    const { vote } = action
    const isWanted = () => !this.#isStopped && vote.subject.view > this.#state.final.view
    voter
      .ask(vote, isWanted)
      .then((signature) => {
        if (signature === null || this.#isStopped) return
        const signed = { ...vote, signature }
        journal.append([voteRecord(signed)])
        this.#whenDurable(() => this.#release([{ vote: signed, signedAt, action }]))
      })
      .catch((error: unknown) => this.#fail(error))
  }

  #release(votes: readonly Signed[]): void {
    if (this.#isStopped) return
    const { clock, measures } = this.#modules
    for (const { vote, action, signedAt } of votes) {
      measures.step(vote.kind, clock.monotonic() - signedAt)
      if (action.type === 'propose') this.#sendProposal(vote, action.justification)
      else this.#broadcast({ kind: 'votes', votes: [vote] })
    }
    this.feed({ type: 'votes', votes: votes.map(({ vote }) => vote) })
  }

  /** Transactions are named to whoever reads that. */
  #sendProposal(vote: Vote, justification: readonly Certificate[]): void {
    const { execution, readsCompact, send, wholeBytesMax = WHOLE_BYTES_MAX } = this.#modules
    const { digest, view } = vote.subject
    const block = execution.encodedOf(digest)
    const executed = execution.executedOf(digest)
    if (block === undefined) return
    const isLarge = executed !== undefined && block.length > wholeBytesMax
    const mayName = isLarge && this.#compact.mayName(this.#state)
    const signed = { vote, justification }
    const readers = this.#others().filter((to) => mayName && readsCompact(to))
    const others = this.#others().filter((to) => !readers.includes(to))
    if (readers.length > 0 && executed !== undefined) {
      const frame = encodeMessage({ kind: 'compact', proposal: compactOf(signed, executed.block) })
      for (const to of readers) send(to, laneOf(frame), frame)
    }
    if (readers.length > 0) this.#compact.named(view)
    if (others.length === 0) return
    const frame = encodeMessage({ kind: 'proposal', proposal: { ...signed, block } })
    for (const to of others) send(to, laneOf(frame), frame)
  }

  #broadcast(message: Message | Outgoing): void {
    const frame = encodeMessage(message)
    for (const to of this.#others()) this.#modules.send(to, 'urgent', frame)
  }

  #others(): number[] {
    const { authorities, me } = this.#state.config
    return Array.from({ length: authorities }, (_, index) => index).filter((to) => to !== me)
  }

  #performOne(action: Action): void {
    const modules = this.#modules
    switch (action.type) {
      case 'journal':
      case 'rejoin':
      case 'vote':
      case 'propose':
        return
      case 'send':
        return modules.send(action.to, 'urgent', encodeMessage(action.message))
      case 'broadcast':
        return this.#broadcast(action.message)
      case 'build':
        return this.#build(action)
      case 'execute':
        return this.#execute(action.digest)
      case 'fetch-block':
        return modules.fetchBlock(action.digest, action.holders)
      case 'set-timer':
        return this.#setTimer(action)
      case 'commit':
        for (const { digest } of action.blocks) this.#journalled.delete(digest)
        return modules.commit(action.blocks, action.finalization)
      case 'sync':
        return modules.syncTo(action.finalization)
      case 'evidence':
        return modules.onEvidence(action.evidence)
      case 'halt':
        return modules.onHalt(action.reason)
    }
  }

  #build(action: Extract<Action, { type: 'build' }>): void {
    const { mempool } = this.#modules
    const { view } = action
    const place = { deltaMs: this.#state.config.deltaMs, heartbeatMs: this.#heartbeatMs }
    this.#blocks.build(action, place, (built) => {
      if (this.#isStopped) return
      if (built === 'overtaken')
        return this.feed({ type: 'built', view, block: null, failed: true })
      const { meta, rejected } = built
      if (rejected.length > 0)
        mempool.rejected(rejected).catch((error: unknown) => this.#fail(error))
      if (meta === null) this.#emptyView = view
      this.feed({ type: 'built', view, block: meta, failed: false })
    })
  }

  #execute(digest: string): void {
    this.#blocks.execute(digest, (refusal) => {
      // Nobody waits for a block that was overtaken.
      if (this.#isStopped || refusal === 'overtaken') return
      if (refusal !== null) this.#modules.onInvalidBlock(digest, refusal)
      this.feed({ type: 'executed', digest, outcome: refusal === null ? 'valid' : 'invalid' })
    })
  }

  #setTimer({ name, view, afterMs }: Extract<Action, { type: 'set-timer' }>): void {
    this.#timers.get(name)?.()
    const fire = (): void => this.feed({ type: 'timer', name, view })
    this.#timers.set(name, this.#modules.clock.after(afterMs, fire))
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#modules.onFatal(error)
  }
}

/** A change that needs no transaction any more, only a block. */
function isChangeDue(state: State, { height, time }: BlockMeta, now: number): boolean {
  const place = { height: height + 1, time: Math.max(now, time + 1) }
  return dueChange(state, place) !== undefined
}

type Voting = Extract<Action, { type: 'vote' | 'propose' }>

/** Without a signature where a signer is to be asked for it. */
interface Given {
  readonly signature: Uint8Array | null
  readonly signedAt: number
  readonly action: Voting
}

interface Signed {
  readonly vote: Vote
  readonly signedAt: number
  readonly action: Voting
}

function laneOf(frame: Uint8Array): Lane {
  return frame.length > URGENT_BYTES_MAX ? 'bulk' : 'urgent'
}

function isFinalize(action: Action): boolean {
  return action.type === 'vote' && action.vote.kind === 'finalize'
}
