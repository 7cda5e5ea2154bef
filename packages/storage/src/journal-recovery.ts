// Opening the vote journal: read every segment, judge whether journal and marks are of one age (the
// rule is in journal.ts), and leave both in a state from which the next group can be written.
//
// Repairs are only those a crash explains: a torn tail is cut, a segment whose creation was
// interrupted is made again, marks that missed the last batch are rewritten, and a journal that
// missed it gets an empty group with its number. Nothing is repaired before everything has been
// judged, and all that was read is synced before it is handed out: after a killed process it may
// exist in the page cache only, and votes will be sent again on the strength of it.

import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { StorageError } from './errors.ts'
import { type FileSystem, type OpenFile, writeDurably } from './file-system.ts'
import {
  decodeSegment,
  encodeGroup,
  encodeHead,
  formatSegmentName,
  type JournalRecord,
  type JournalState,
  parseSegmentName,
  SALT_BYTES,
  type Segment,
  type SegmentName,
} from './journal-format.ts'
import { isAtLeast, isSame, MarksFile, NO_MARKS, type NumberedMarks } from './marks.ts'

export interface GuardPaths {
  votes: string
  marks: string
}

/** The highest epoch, and view in it, of a segment's records: what decides when it may go. */
export interface Highest {
  epoch: number
  view: number
}

export interface SegmentEnd extends Highest {
  name: SegmentName
}

export interface ActiveSegment {
  name: SegmentName
  file: OpenFile
  salt: Uint8Array
  /** Where the next group goes. */
  end: number
  highest: Highest
}

export interface RecoveredJournal {
  marksFile: MarksFile
  active: ActiveSegment
  closed: SegmentEnd[]
  state: JournalState
  records: JournalRecord[]
}

const NOTHING: Highest = { epoch: 0, view: 0 }

export function guardPaths(options: { directory: string; marksPath?: string }): GuardPaths {
  return {
    votes: join(options.directory, 'votes'),
    marks: options.marksPath ?? join(options.directory, 'signer.state'),
  }
}

export async function recoverJournal(
  fileSystem: FileSystem,
  paths: GuardPaths,
): Promise<RecoveredJournal> {
  await fileSystem.makeDirectory(paths.votes)
  await fileSystem.makeDirectory(dirname(paths.marks))
  const marks = await MarksFile.open(fileSystem, paths.marks)
  try {
    const { segments, interrupted } = await readSegments(fileSystem, paths)
    const last = segments.at(-1)
    const agreed = judge(marks?.newest, last?.state)
    if (interrupted !== undefined) await removeSegment(fileSystem, paths, interrupted)
    const marksFile = marks?.file ?? (await MarksFile.create(fileSystem, paths.marks, agreed))
    if (marks !== undefined && marks.newest.batch < agreed.batch) await marksFile.write(agreed)
    await marksFile.datasync()
    await fileSystem.syncDirectory(dirname(paths.marks))
    const state = { group: last?.state.group ?? 0, ...agreed }
    const active = last
      ? await reopenSegment(fileSystem, paths, last)
      : await createSegment(fileSystem, paths, { epoch: 0, sequence: 1 }, state)
    if (last !== undefined && last.state.batch < agreed.batch) {
      state.group += 1
      const group = encodeGroup(active.salt, state, [])
      await writeDurably(active.file, group, active.end)
      active.end += group.length
    }
    await active.file.datasync()
    await fileSystem.syncDirectory(paths.votes)
    return {
      marksFile,
      active,
      closed: segments.slice(0, -1).map(({ name, records }) => ({ name, ...endOf(records) })),
      state,
      records: segments.flatMap((segment) => segment.records),
    }
  } catch (error) {
    await marks?.file.close()
    throw error
  }
}

/** The newer of the two if only a crash lies between them; two times nothing is a fresh home. */
export function judge(
  marks: NumberedMarks | undefined,
  journal: NumberedMarks | undefined,
): NumberedMarks {
  if (marks === undefined) {
    if (journal === undefined || journal.batch === 0) return { batch: 0, marks: NO_MARKS }
    throw behind(
      'the high-water marks are missing although the journal has votes',
      0,
      journal.batch,
    )
  }
  if (journal === undefined) {
    if (marks.batch === 0) return marks
    throw behind('the vote journal is missing although there are high-water marks', marks.batch, 0)
  }
  if (marks.batch > journal.batch + 1) {
    throw behind('the vote journal is older than the high-water marks', marks.batch, journal.batch)
  }
  if (marks.batch < journal.batch - 1) {
    throw behind('the high-water marks are older than the vote journal', marks.batch, journal.batch)
  }
  const [newer, older] = marks.batch > journal.batch ? [marks, journal] : [journal, marks]
  const isOneLife =
    newer.batch === older.batch
      ? isSame(newer.marks, older.marks)
      : isAtLeast(newer.marks, older.marks)
  if (!isOneLife) {
    throw behind('journal and marks come from two lives of one key', marks.batch, journal.batch)
  }
  return { batch: newer.batch, marks: newer.marks }
}

export async function createSegment(
  fileSystem: FileSystem,
  paths: GuardPaths,
  name: SegmentName,
  state: JournalState,
): Promise<ActiveSegment> {
  const salt = new Uint8Array(randomBytes(SALT_BYTES))
  const head = encodeHead(name, salt, state)
  const file = await fileSystem.create(join(paths.votes, formatSegmentName(name)), 'synced')
  await writeDurably(file, head, 0)
  await fileSystem.syncDirectory(paths.votes)
  return { name, file, salt, end: head.length, highest: NOTHING }
}

export async function removeSegment(
  fileSystem: FileSystem,
  paths: GuardPaths,
  name: SegmentName,
): Promise<void> {
  await fileSystem.remove(join(paths.votes, formatSegmentName(name)))
  await fileSystem.syncDirectory(paths.votes)
}

export function endOf(records: readonly JournalRecord[], before: Highest = NOTHING): Highest {
  let highest = before
  for (const { epoch, view } of records) {
    if (epoch > highest.epoch || (epoch === highest.epoch && view > highest.view)) {
      highest = { epoch, view }
    }
  }
  return highest
}

async function readSegments(
  fileSystem: FileSystem,
  paths: GuardPaths,
): Promise<{ segments: Segment[]; interrupted: SegmentName | undefined }> {
  const names: SegmentName[] = []
  for (const text of await fileSystem.readDirectory(paths.votes)) {
    const name = parseSegmentName(text)
    if (name !== undefined) names.push(name)
  }
  names.sort((a, b) => a.sequence - b.sequence)
  const segments: Segment[] = []
  for (const [index, name] of names.entries()) {
    const bytes = await readSegment(fileSystem, join(paths.votes, formatSegmentName(name)))
    const segment = decodeSegment(bytes, name, index === names.length - 1)
    if (segment === undefined) return { segments, interrupted: name }
    const before = segments.at(-1)
    if (before !== undefined && !follows(segment, before)) {
      throw new StorageError('guard_corrupt', 'a segment of the vote journal is missing', {
        segment: formatSegmentName(name),
      })
    }
    segments.push(segment)
  }
  return { segments, interrupted: undefined }
}

function follows(segment: Segment, before: Segment): boolean {
  return (
    segment.name.sequence === before.name.sequence + 1 &&
    segment.name.epoch >= before.name.epoch &&
    segment.before.group === before.state.group
  )
}

async function reopenSegment(
  fileSystem: FileSystem,
  paths: GuardPaths,
  { name, salt, end, isTorn, records }: Segment,
): Promise<ActiveSegment> {
  const path = join(paths.votes, formatSegmentName(name))
  const file = await fileSystem.openExisting(path, 'synced')
  if (file === undefined) throw vanished(path)
  if (isTorn) await file.truncate(end)
  return { name, file, salt, end, highest: endOf(records) }
}

function vanished(path: string): StorageError {
  return new StorageError('guard_corrupt', 'a segment of the vote journal vanished', { path })
}

function behind(message: string, marksBatch: number, journalBatch: number): StorageError {
  return new StorageError('guard_behind', message, { marksBatch, journalBatch })
}

async function readSegment(fileSystem: FileSystem, path: string): Promise<Uint8Array> {
  const file = await fileSystem.openExisting(path)
  if (file === undefined) throw vanished(path)
  try {
    return await file.read()
  } finally {
    await file.close()
  }
}
