/**
 * What one process has on disk: the vote journal with its marks, and the chain of final blocks.
 *
 * Writes are gathered and become durable group by group, as in `storage/src/journal.ts`. A power cut
 * keeps what is durable and decides what became of the group under way: nothing of it, only the
 * marks, only the records, the first few records, or everything although nobody was told.
 */
import type { Certificate, Recovered, Vote, VoteKind } from '@mooring/consensus'
import type { FinalEntry } from './actor.ts'
import { type Block, baseOf, GENESIS } from './blocks.ts'
import type { Random } from './random.ts'

export type DiskRecord =
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  | { readonly type: 'vote'; readonly vote: Vote }
  | { readonly type: 'block'; readonly block: Block }

/** The highest views signed in an epoch, by kind. */
export type Marks = Readonly<Record<VoteKind, number>> & { readonly epoch: number }

export type CutOutcome = 'nothing' | 'marks' | 'records' | 'torn' | 'everything'

/** The last group that became durable, as it would be missed. */
interface LastGroup {
  readonly records: readonly DiskRecord[]
  readonly marksBefore: Marks
}

interface Flight {
  readonly records: readonly DiskRecord[]
  readonly marks: Marks
  readonly done: readonly (() => void)[]
}

const NO_MARKS: Marks = { epoch: 0, notarize: 0, nullify: 0, finalize: 0 }
const OUTCOMES: readonly CutOutcome[] = ['nothing', 'marks', 'records', 'torn', 'everything']
/** Records of views so far below the last block may go. */
const KEPT_VIEWS = 64

export class Disk {
  /** Durable. */
  records: DiskRecord[] = []
  marks: Marks = NO_MARKS
  readonly chain: FinalEntry[] = []
  readonly voted = new Set<string>()
  /** Takes no more writes until its operator has made room. */
  isFull = false
  /** What is known of votes that were lost: that they were, or from where it is safe to vote again. */
  #lost: 'unknown' | { readonly epoch: number; readonly voteFrom: number } | null = null
  #raised: Marks = this.marks
  #pending: DiskRecord[] = []
  #flight: Flight | null = null
  #waiting: (() => void)[] = []
  #commits: FinalEntry[] = []
  #last: LastGroup | null = null

  append(record: DiskRecord): void {
    if (record.type === 'vote') {
      const { kind, subject } = record.vote
      const marks = markedIn(this.#raised, subject.epoch)
      this.#raised = { ...marks, [kind]: Math.max(marks[kind], subject.view) }
    }
    this.#pending.push(record)
  }

  /** Calls back when everything appended so far is durable. */
  wait(done: () => void): void {
    this.#waiting.push(done)
  }

  /** Starts the next group unless one is under way or nobody waits. */
  startFlush(): boolean {
    if (this.#flight !== null || this.#waiting.length === 0) return false
    this.#flight = { records: this.#pending, marks: this.#raised, done: this.#waiting }
    this.#pending = []
    this.#waiting = []
    return true
  }

  /** @returns whom to tell. */
  endFlush(): readonly (() => void)[] {
    const flight = this.#flight
    if (flight === null) return []
    this.#flight = null
    this.#keep(flight.records, flight.marks)
    return flight.done
  }

  /** A batch of final blocks is handed to the database. */
  commit(entries: readonly FinalEntry[]): void {
    this.#commits.push(...entries)
  }

  /** The database has written everything handed to it so far. */
  endCommit(): void {
    this.chain.push(...this.#commits)
    this.#commits = []
    const tip = this.chain.at(-1)?.block
    if (this.records.length < 4_000 || tip === undefined) return
    this.#last = null
    this.records = this.records.filter((record) => {
      const { epoch, view } = placeOf(record)
      return epoch > tip.epoch || (epoch === tip.epoch && view >= tip.meta.view - KEPT_VIEWS)
    })
  }

  cut(random: Random): CutOutcome | null {
    const flight = this.#flight
    this.#flight = null
    this.#pending = []
    this.#waiting = []
    this.#commits = []
    const outcome = flight === null ? null : random.pick(OUTCOMES)
    if (flight !== null && outcome !== null) this.#cutFlight(flight, outcome, random)
    this.#raised = this.marks
    return outcome
  }

  /**
   * The disk had said that the last group was durable, and it was not: its votes have left, and only the
   * marks tell of them. Only groups of which the marks do tell: each vote the first beyond its mark, and
   * of finalizes one.
   */
  rot(): boolean {
    const last = this.#last
    this.#last = null
    if (last === null || last.records.length === 0) return false
    const votes = last.records.flatMap((record) => (record.type === 'vote' ? [record.vote] : []))
    const isMarked = votes.every(
      ({ kind, subject }) => subject.view > markedIn(last.marksBefore, subject.epoch)[kind],
    )
    const finalizes = votes.filter(({ kind }) => kind === 'finalize').length
    if (votes.length === 0 || !isMarked || finalizes > 1) return false
    this.records.length -= last.records.length
    return true
  }

  /** The vote journal and its marks are gone, and the key and the chain are not. */
  forgetVotes(): void {
    this.records = []
    this.voted.clear()
    this.marks = NO_MARKS
    this.#raised = NO_MARKS
    this.#last = null
    this.#lost = 'unknown'
  }

  rejoin(epoch: number, voteFrom: number | null): void {
    this.#lost = voteFrom === null ? null : { epoch, voteFrom }
  }

  /** A backup: what is durable now, on another disk. */
  copy(): Disk {
    const copy = new Disk()
    copy.records = [...this.records]
    copy.marks = this.marks
    copy.#raised = this.marks
    copy.chain.push(...this.chain)
    for (const key of this.voted) copy.voted.add(key)
    return copy
  }

  recovered(epoch: number, nonce: number): Recovered {
    const tip = this.chain.at(-1)
    const isNew = tip === undefined || tip.block.epoch !== epoch
    const committed = isNew ? baseOf(tip?.block.meta ?? GENESIS) : tip.block.meta
    const of = <T extends DiskRecord['type']>(type: T) =>
      this.records.filter(
        (record): record is Extract<DiskRecord, { type: T }> =>
          record.type === type && placeOf(record).epoch === epoch,
      )
    const { notarize, nullify, finalize } = markedIn(this.marks, epoch)
    const lost = this.#lost
    const isKnown = lost !== null && lost !== 'unknown' && lost.epoch === epoch
    return {
      committed,
      finalization: isNew ? null : tip.finalization,
      certificates: of('certificate').map(({ certificate }) => certificate),
      votes: of('vote').map(({ vote }) => vote),
      blocks: of('block').flatMap(({ block: { meta } }) =>
        meta.height > committed.height ? [meta] : [],
      ),
      marks: { notarize, nullify, finalize },
      rejoin: isKnown
        ? { kind: 'wait', voteFrom: lost.voteFrom }
        : lost === null
          ? null
          : { kind: 'gather', nonce },
    }
  }

  blocks(): Block[] {
    return this.records.flatMap((record) => (record.type === 'block' ? [record.block] : []))
  }

  #cutFlight({ records, marks }: Flight, outcome: CutOutcome, random: Random): void {
    switch (outcome) {
      case 'nothing':
        return
      case 'marks':
        this.marks = marks
        this.#last = null
        return
      case 'torn':
        this.#keep(records.slice(0, random.between(0, records.length - 1)), marks)
        this.#last = null
        return
      case 'records':
      case 'everything':
        return this.#keep(records, marks)
    }
  }

  #keep(records: readonly DiskRecord[], marks: Marks): void {
    this.#last = { records, marksBefore: this.marks }
    this.records.push(...records)
    for (const record of records) if (record.type === 'vote') this.voted.add(voteKey(record.vote))
    this.marks = marks
  }
}

export function voteKey({ kind, subject }: Pick<Vote, 'kind' | 'subject'>): string {
  const { epoch, view, parentView, height, digest } = subject
  return `${kind} ${epoch} ${view} ${parentView} ${height} ${digest}`
}

function markedIn(marks: Marks, epoch: number): Marks {
  return marks.epoch === epoch ? marks : { ...NO_MARKS, epoch }
}

function placeOf(record: DiskRecord): { readonly epoch: number; readonly view: number } {
  if (record.type === 'block') return { epoch: record.block.epoch, view: record.block.meta.view }
  return record.type === 'vote' ? record.vote.subject : record.certificate.subject
}
