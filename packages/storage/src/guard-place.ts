// Where a guard lives: the file guard/place, by which a guard knows that it is no copy.
//
// A copy of a guard is the commonest way to a second vote: a home restored from a backup beside the one
// that runs, a disk cloned for a new machine, a folder synchronised by a well-meaning script. A copy is
// the same bytes in other files, and what the system knows of a file besides its bytes cannot be copied:
// the moment of its birth on Linux, its number elsewhere and where the file system keeps no birth. So the
// place holds that identity of itself and of the marks, and a hash of the machine's id.
//
// It is written anew at every start and at every orderly stop, as a new file. A backup that is copied
// over the guard in place keeps the files and changes their bytes; it brings the place of another file,
// unless it was made since the last start, and the node was killed.
//
// What stays the same, and goes on: restarts, volumes mounted again, a home moved within its file system.
// What is refused: cp, rsync, tar, a backup, a move to another disk, a disk in another machine. After
// that nobody but the operator knows whether the original still votes, so the operator must say so.
//
// What cannot be seen here: a block device or a virtual machine set back to a snapshot is the same file
// on the same machine, with its birth. Then these remain, and none of them is certain:
//   - the marks on a second path, best on another disk: journal and marks are of different ages;
//   - the chain: a final block with a signature of ours above the marks, looked for at every start;
//   - the others: a certificate with our signature in it, or a vote of ours that they send back to us
//     when we connect, for a view of which the journal knows nothing. It ends this node at once.
// They miss a vote that nobody received, or that was in no certificate and is forgotten by all. Whoever
// sets a machine back starts it with --rejoin.

import {
  bytes,
  CodecError,
  decode,
  encode,
  equalBytes,
  type Infer,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StorageError } from './errors.ts'
import {
  type FileIdentity,
  type FileSystem,
  isSameFile,
  type OpenFile,
  writeFully,
} from './file-system.ts'

/**
 * Whether the guard knows every vote of its key: it does; or it is new, and an earlier one may have been
 * lost; or an earlier one is known to be lost.
 */
export type GuardMemory = 'whole' | 'new' | 'lost'

/** A view in an epoch. */
export interface Floor {
  epoch: number
  view: number
}

/** What the guard says of itself. */
export interface Place {
  marks: FileIdentity
  /** Names the machine; empty when it has no name. */
  machine: string
  memory: GuardMemory
  /** Votes below it may be unknown for ever, and do no harm any more. */
  floor: Floor
}

const identitySchema = struct({ inode: text(32), birth: text(32) })
const MEMORIES: readonly GuardMemory[] = ['whole', 'new', 'lost']
const placeSchema = struct({
  self: identitySchema,
  marks: identitySchema,
  machine: text(64),
  memory: uint(MEMORIES.length - 1),
  floor: struct({ epoch: uint(), view: uint() }),
})
const fileSchema = versioned(1, { place: placeSchema, checksum: bytes(32) })

// The moment of a change is known to a few milliseconds.
const TICK_MS = 5
const TICKS_MAX = 5

export function placePath(directory: string): string {
  return join(directory, 'place')
}

/**
 * Undefined when there is none.
 * @throws StorageError guard_moved when it is the place of another file; guard_corrupt
 */
export async function readPlace(fileSystem: FileSystem, path: string): Promise<Place | undefined> {
  const file = await fileSystem.openExisting(path)
  if (file === undefined) return undefined
  try {
    const { self, ...place } = decodePlace(await file.read(), path)
    if (!isSameFile(self, await file.identity())) throw moved('place', path)
    return place
  } finally {
    await file.close()
  }
}

/** As a new file, durable when it returns; a crash leaves the old one or this one. */
export async function writePlace(
  fileSystem: FileSystem,
  path: string,
  place: Place,
): Promise<void> {
  const temporary = `${path}.new`
  const file = await fileSystem.create(temporary)
  try {
    const self = await identify(file)
    await writeFully(file, encodePlace({ self, ...place }), 0)
    await file.datasync()
  } finally {
    await file.close()
  }
  await fileSystem.rename(temporary, path)
  await fileSystem.syncDirectory(dirname(path))
}

/** @throws StorageError guard_moved */
export async function checkMarks(
  fileSystem: FileSystem,
  path: string,
  { marks }: Place,
): Promise<void> {
  const file = await fileSystem.openExisting(path)
  if (file === undefined) return
  try {
    if (!isSameFile(marks, await file.identity())) throw moved('signer.state', path)
  } finally {
    await file.close()
  }
}

/** @throws StorageError guard_moved */
export function checkMachine(place: Place, machine: string, path: string): void {
  if (place.machine === '' || machine === '' || place.machine === machine) return
  throw moved('the machine', path)
}

/** Of the marks, at their path. */
export async function identityAt(fileSystem: FileSystem, path: string): Promise<FileIdentity> {
  const file = await fileSystem.openExisting(path)
  if (file === undefined)
    throw new StorageError('missing', 'a file of the guard vanished', { path })
  try {
    return await file.identity()
  } finally {
    await file.close()
  }
}

export function moved(what: string, path: string): StorageError {
  const message = `the guard is not where it was made: ${what} is another one`
  return new StorageError('guard_moved', message, { what, path })
}

/** A birth is believed once it differs from the last change: some systems give the one for the other. */
async function identify(file: OpenFile): Promise<FileIdentity> {
  for (let tick = 0; ; tick += 1) {
    await writeFully(file, Uint8Array.of(tick), 0)
    const identity = await file.identity()
    if (identity.birth !== '' || tick === TICKS_MAX) return identity
    await pause(TICK_MS)
  }
}

type PlaceFile = Place & { self: FileIdentity }

function encodePlace(file: PlaceFile): Uint8Array {
  const place = { ...file, memory: MEMORIES.indexOf(file.memory) }
  return encode(fileSchema, { place, checksum: checksumOf(place) })
}

function decodePlace(encoded: Uint8Array, path: string): PlaceFile {
  try {
    const { place, checksum } = decode(fileSchema, encoded)
    const memory = MEMORIES[place.memory]
    if (memory !== undefined && equalBytes(checksum, checksumOf(place))) return { ...place, memory }
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause
  }
  throw new StorageError('guard_corrupt', 'the place of the guard is damaged', { path })
}

function checksumOf(place: Infer<typeof placeSchema>): Uint8Array {
  return domainHash('guard-place', encode(placeSchema, place))
}
