// The vote journal: what this authority voted and certified, on disk before anything of it leaves
// the process. It is what keeps a restarted node from voting twice, so it lives in guard/, outside
// data/, and is never rewound.
//
// Order. advance(marks) raises the high-water marks, append(records) adds what was decided, and one
// sync() makes both durable: both files are written and synced, in parallel, and only when both are
// done may the signature leave. A group whose marks did not move costs one synced write. A failed
// write or sync stops the journal for good: after an error nobody knows what the disk holds, and a
// second attempt that succeeds would prove nothing.
//
// Two files of one age. Groups that raise the marks are numbered: this batch number stands in the
// marks (M) and in the journal (J). sync() returns after both are durable and batches follow one
// another, so a crash leaves:
//
//   M = J       nothing was under way, or a group without marks, or only its records were torn;
//   M = J + 1   the marks reached the disk and the journal did not. The vote never left, but nobody
//               can know that, so the marks decide: whoever opens gets them back and treats every
//               view up to them as voted;
//   M = J - 1   the journal, which repeats the marks of each batch, reached the disk, and the marks
//               did not.
//
// In all three the returned marks cover every vote that ever left, also when records are missing
// behind them. More than one batch apart is not a crash. M > J + 1, or no journal at all: it was
// lost, wiped, or restored from an older copy; it no longer knows what was certified, and a node
// that forgot must rejoin, never just start. M < J - 1, or no marks although there were votes: the
// marks were restored or removed, and cannot vouch for the journal. Equal batches with different
// marks come from two lives of one key. All of them are guard_behind. After opening, the two are
// made equal again (journal-recovery.ts), so that the next crash is judged by the same rule.

import { StorageError, storageErrorOf } from './errors.ts'
import { type FileSystem, nodeFileSystem, writeDurably } from './file-system.ts'
import {
  encodeGroup,
  type JournalRecord,
  type JournalState,
  RECORD_BYTES_MAX,
} from './journal-format.ts'
import {
  type ActiveSegment,
  createSegment,
  endOf,
  type GuardPaths,
  guardPaths,
  type RecoveredJournal,
  recoverJournal,
  removeSegment,
  type SegmentEnd,
} from './journal-recovery.ts'
import { isAtLeast, isSame, type Marks, type MarksFile } from './marks.ts'

export interface JournalOptions {
  /** The guard folder of the home. */
  directory: string
  /** The file of the marks, best on another disk; default: signer.state in the directory. */
  marksPath?: string
  fileSystem?: FileSystem
  /** Size at which the next group starts a new segment. */
  segmentBytes?: number
}

export interface OpenedJournal {
  journal: Journal
  /** All records kept, in the order in which they were appended. */
  records: JournalRecord[]
  /** Every view up to these counts as voted, whether or not a record says so. */
  marks: Marks
  /** No vote was ever given with this journal. */
  isUnused: boolean
}

const SEGMENT_BYTES = 64 * 1024 * 1024

export class Journal {
  readonly #fileSystem: FileSystem
  readonly #paths: GuardPaths
  readonly #segmentBytes: number
  readonly #marksFile: MarksFile
  #active: ActiveSegment
  /** Oldest first, without the active one. */
  #closed: SegmentEnd[]
  /** What is durable. */
  #state: JournalState
  /** What the next sync makes durable. */
  #marks: Marks
  #pending: JournalRecord[] = []
  /** The end of the queue of disk work; never rejects: whoever asked for work gets its error. */
  #queue: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined
  #failure: StorageError | undefined

  private constructor(fileSystem: FileSystem, options: JournalOptions, found: RecoveredJournal) {
    this.#fileSystem = fileSystem
    this.#paths = guardPaths(options)
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
    this.#marksFile = found.marksFile
    this.#active = found.active
    this.#closed = found.closed
    this.#state = found.state
    this.#marks = found.state.marks
  }

  /** Reads and judges everything, cuts a torn tail, and makes marks and journal equal again. */
  static async open(options: JournalOptions): Promise<OpenedJournal> {
    const fileSystem = options.fileSystem ?? nodeFileSystem
    try {
      const found = await recoverJournal(fileSystem, guardPaths(options))
      const journal = new Journal(fileSystem, options, found)
      const { records, state } = found
      return { journal, records, marks: state.marks, isUnused: state.batch === 0 }
    } catch (error) {
      throw storageErrorOf(error, 'the vote journal cannot be opened', options.directory)
    }
  }

  get marks(): Marks {
    return this.#marks
  }

  /** Raises the marks, before the votes they cover are appended. */
  advance(marks: Marks): void {
    this.#refuseAfterFailure()
    if (!isAtLeast(marks, this.#marks)) {
      throw new StorageError('guard_regression', 'the high-water marks never go back', {
        ...marks,
      })
    }
    this.#marks = { ...marks }
  }

  /** Keeps the records for the next sync. A vote must be covered by the marks first. */
  append(records: readonly JournalRecord[]): void {
    this.#refuseAfterFailure()
    const { epoch, notarized, nullified, finalized } = this.#marks
    const highest = Math.max(notarized, nullified, finalized)
    for (const record of records) {
      if (record.payload.length > RECORD_BYTES_MAX) {
        throw new RangeError(`a journal record of ${record.payload.length} bytes`)
      }
      if (record.type === 'vote' && (record.epoch !== epoch || record.view > highest)) {
        throw new StorageError('guard_regression', 'a vote needs marks that cover it', {
          epoch: record.epoch,
          view: record.view,
        })
      }
    }
    this.#pending.push(...records)
  }

  /** Resolves when everything appended and advanced before the call is durable. */
  sync(): Promise<void> {
    this.#waiting ??= this.#enqueue(() => {
      this.#waiting = undefined
      return this.#flush()
    })
    return this.#waiting
  }

  /**
   * Removes the oldest segments as far as all their records are of older epochs, or of this one
   * and below the view. Returns how many went.
   */
  async prune(epoch: number, belowView: number): Promise<number> {
    // With nothing to remove, which is nearly always, nobody waits for the votes that are on their way.
    if (this.#closed.length === 0) return 0
    let removed = 0
    await this.#enqueue(async () => {
      const firstKept = this.#closed.findIndex(
        (end) => end.epoch > epoch || (end.epoch === epoch && end.view >= belowView),
      )
      removed = firstKept < 0 ? this.#closed.length : firstKept
      for (const { name } of this.#closed.slice(0, removed)) {
        await removeSegment(this.#fileSystem, this.#paths, name)
        this.#closed = this.#closed.slice(1)
      }
    })
    return removed
  }

  async close(): Promise<void> {
    try {
      if (this.#failure === undefined) await this.sync()
    } finally {
      await this.#enqueue(async () => {
        await this.#active.file.close()
        await this.#marksFile.close()
      })
    }
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work).catch((error: unknown) => {
      throw storageErrorOf(error, 'the vote journal failed', this.#paths.votes)
    })
    this.#queue = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  async #flush(): Promise<void> {
    this.#refuseAfterFailure()
    const records = this.#pending
    const isRaised = !isSame(this.#marks, this.#state.marks)
    if (records.length === 0 && !isRaised) return
    this.#pending = []
    const state: JournalState = {
      group: this.#state.group + 1,
      batch: this.#state.batch + (isRaised ? 1 : 0),
      marks: this.#marks,
    }
    try {
      await this.#rotateFor(records, state)
      const [marks, group] = await Promise.allSettled([
        isRaised ? this.#marksFile.write(state) : undefined,
        this.#writeGroup(records, state),
      ])
      if (marks.status === 'rejected') throw marks.reason
      if (group.status === 'rejected') throw group.reason
      this.#state = state
    } catch (error) {
      this.#failure = storageErrorOf(error, 'the vote journal failed', this.#paths.votes)
      throw this.#failure
    }
  }

  async #writeGroup(records: readonly JournalRecord[], state: JournalState): Promise<void> {
    const bytes = encodeGroup(this.#active.salt, state, records)
    await writeDurably(this.#active.file, bytes, this.#active.end)
    this.#active.end += bytes.length
    this.#active.highest = endOf(records, this.#active.highest)
  }

  async #rotateFor(records: readonly JournalRecord[], state: JournalState): Promise<void> {
    const { name, end, highest, file } = this.#active
    const epoch = Math.max(state.marks.epoch, ...records.map((record) => record.epoch))
    const isFull = end >= this.#segmentBytes
    if (!isFull && epoch <= name.epoch) return
    const next = { epoch: Math.max(epoch, name.epoch), sequence: name.sequence + 1 }
    const active = await createSegment(this.#fileSystem, this.#paths, next, this.#state)
    this.#closed.push({ name, ...highest })
    this.#active = active
    await file.close()
  }

  #refuseAfterFailure(): void {
    if (this.#failure === undefined) return
    throw new StorageError(
      'guard_stopped',
      'the vote journal has stopped after a failed write',
      {},
      { cause: this.#failure },
    )
  }
}
