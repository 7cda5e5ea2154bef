// The guard as a whole: the vote journal, its marks, and the place that binds both to where they were
// made. A guard that is a copy, or in another place than before, does not open (guard-place.ts).
//
// A guard that is made together with its key (isFirst) knows every vote of it: its memory is whole. One that
// is made because there was none does not know whether it is the first: its memory is new, until remember()
// says that nothing it may have missed can do harm any more. `rejoin` makes a new guard because
// the votes of the old one are lost, or may not be all: what is there is put aside and never deleted, and
// the memory of the new one is lost until then. The steps survive a crash between any two of them: a file guard/rejoin is there before anything moves, and until
// the new guard is whole; as long as it is there, opening does all of it again. A voteless guard may be
// put aside twice that way; a vote never.
//
// Before its first vote a guard may go anywhere: a home that was prepared on another computer, or one whose
// making was interrupted, gets a new place, and its memory is new. After that a guard without a place is one
// of which only a part was brought here.

import { basename, dirname, join } from 'node:path'
import { StorageError, storageErrorOf } from './errors.ts'
import { type FileSystem, nodeFileSystem } from './file-system.ts'
import {
  checkMachine,
  checkMarks,
  type Floor,
  type GuardMemory,
  identityAt,
  moved,
  type Place,
  placePath,
  readPlace,
  writePlace,
} from './guard-place.ts'
import { Journal, type JournalOptions, type OpenedJournal } from './journal.ts'
import { type GuardPaths, guardPaths } from './journal-recovery.ts'

export interface GuardOptions extends JournalOptions {
  /** A name of this machine that another machine does not have; empty: none is known. */
  machine: string
  /** The key was made just now, so that this is its first guard. */
  isFirst?: boolean
  /** The operator says that nothing votes with this key any more. */
  rejoin?: boolean
}

export interface OpenedGuard extends OpenedJournal {
  guard: Guard
  /** Where the old guard is, when this start put it aside. */
  keptAt: string | null
}

export class Guard {
  readonly journal: Journal
  readonly #fileSystem: FileSystem
  readonly #path: string
  #place: Place

  private constructor(journal: Journal, fileSystem: FileSystem, path: string, place: Place) {
    this.journal = journal
    this.#fileSystem = fileSystem
    this.#path = path
    this.#place = place
  }

  get memory(): GuardMemory {
    return this.#place.memory
  }

  get floor(): Floor {
    return this.#place.floor
  }

  /** @throws StorageError guard_moved, guard_behind, guard_corrupt, and what a disk refuses. */
  static async open(options: GuardOptions): Promise<OpenedGuard> {
    try {
      return await Guard.#open(options)
    } catch (error) {
      throw storageErrorOf(error, 'the guard cannot be opened', options.directory)
    }
  }

  static async #open(options: GuardOptions): Promise<OpenedGuard> {
    const { directory, machine, isFirst = false, rejoin = false } = options
    const { fileSystem = nodeFileSystem } = options
    const path = placePath(directory)
    const paths = guardPaths(options)
    await fileSystem.makeDirectory(directory)
    const isBegun = rejoin || (await exists(fileSystem, markerPath(directory)))
    const keptAt = isBegun ? await putAside(fileSystem, directory, paths) : null
    const found = isBegun ? undefined : await findPlace(fileSystem, path, { paths, machine })
    const opened = await Journal.open(options).catch((error: unknown) => {
      throw found instanceof StorageError ? found : error
    })
    try {
      if (found instanceof StorageError && !opened.isUnused) throw found
      if (found === undefined && !opened.isUnused) throw moved('place', path)
      const known = found instanceof StorageError ? undefined : found
      const made = isBegun ? 'lost' : isFirst && found === undefined ? 'whole' : 'new'
      const place: Place = {
        marks: await identityAt(fileSystem, paths.marks),
        machine,
        memory: known?.memory ?? made,
        floor: known?.floor ?? { epoch: 0, view: 0 },
      }
      await writePlace(fileSystem, path, place)
      if (isBegun) await removeMarker(fileSystem, directory)
      const guard = new Guard(opened.journal, fileSystem, path, place)
      return { ...opened, guard, keptAt }
    } catch (error) {
      await opened.journal.close()
      throw error
    }
  }

  /** Nothing that was forgotten, below the floor, can do harm any more; durable when it resolves. */
  async remember(floor: Floor): Promise<void> {
    this.#place = { ...this.#place, memory: 'whole', floor }
    await this.#writePlace()
  }

  async close(): Promise<void> {
    await this.journal.close()
    await this.#writePlace()
  }

  async #writePlace(): Promise<void> {
    try {
      await writePlace(this.#fileSystem, this.#path, this.#place)
    } catch (error) {
      throw storageErrorOf(error, 'the place of the guard cannot be written', this.#path)
    }
  }
}

/** Undefined when there is none; an error, not thrown, when it is that of another guard. */
async function findPlace(
  fileSystem: FileSystem,
  path: string,
  { paths, machine }: { paths: GuardPaths; machine: string },
): Promise<Place | StorageError | undefined> {
  try {
    const found = await readPlace(fileSystem, path)
    if (found === undefined) return undefined
    checkMachine(found, machine, path)
    await checkMarks(fileSystem, paths.marks, found)
    return found
  } catch (error) {
    if (error instanceof StorageError && error.code === 'guard_moved') return error
    throw error
  }
}

/**
 * The next opening of this guard begins a new one that has lost its memory, as `rejoin` does; what is there
 * is put aside then. Durable when it resolves.
 */
export async function markForRejoin(
  directory: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  await fileSystem.makeDirectory(directory)
  await writeMarker(directory, fileSystem)
}

async function writeMarker(directory: string, fileSystem: FileSystem): Promise<void> {
  const marker = await fileSystem.create(markerPath(directory))
  await marker.datasync()
  await marker.close()
  await fileSystem.syncDirectory(directory)
}

function markerPath(directory: string): string {
  return join(directory, 'rejoin')
}

async function exists(fileSystem: FileSystem, path: string): Promise<boolean> {
  const file = await fileSystem.openExisting(path)
  await file?.close()
  return file !== undefined
}

/** Files are moved one by one, for the guard and the marks may be mounted volumes. */
async function putAside(
  fileSystem: FileSystem,
  directory: string,
  { votes, marks }: GuardPaths,
): Promise<string | null> {
  await writeMarker(directory, fileSystem)
  await fileSystem.makeDirectory(votes)
  const kept = await freeFolder(fileSystem, directory)
  const moves: [from: string, to: string][] = []
  for (const name of await fileSystem.readDirectory(votes)) {
    moves.push([join(votes, name), join(kept, 'votes', name)])
  }
  const place = placePath(directory)
  if (await exists(fileSystem, place)) moves.push([place, join(kept, 'place')])
  const marksAside =
    marks === join(directory, basename(marks))
      ? join(kept, basename(marks))
      : `${marks}.${basename(kept)}`
  if (await exists(fileSystem, marks)) moves.push([marks, marksAside])
  if (moves.length === 0) return null
  await fileSystem.makeDirectory(join(kept, 'votes'))
  for (const [from, to] of moves) await fileSystem.rename(from, to)
  for (const [from, to] of moves) {
    await fileSystem.syncDirectory(dirname(to))
    await fileSystem.syncDirectory(dirname(from))
  }
  return kept
}

const KEPT_MAX = 10_000

async function freeFolder(fileSystem: FileSystem, directory: string): Promise<string> {
  const names = await fileSystem.readDirectory(directory)
  for (let number = 1; number <= KEPT_MAX; number += 1) {
    const name = `kept-${number}`
    if (!names.includes(name)) return join(directory, name)
  }
  throw new StorageError('duplicate', 'too many guards were put aside', { path: directory })
}

async function removeMarker(fileSystem: FileSystem, directory: string): Promise<void> {
  await fileSystem.remove(markerPath(directory))
  await fileSystem.syncDirectory(directory)
}
