// One LevelDB, where no value is believed.
//
// LevelDB checks no checksum when it reads: a flipped bit in a table file comes back as a value. So
// every value is stored behind the first 16 bytes of SHA-256(key || value), and each read checks
// them; the key is part of it, so that a value never passes for that of another key. What this
// cannot see is a value that is gone, or an older value of the same key where LevelDB lost the
// newer one; the chain, the state tree and the private store each know what must be there.
//
// Only one process can have a database open: LevelDB's own file lock decides. The pid file of
// home-lock.ts only says who.

import { decode, encode, equalBytes, struct, text, uint } from '@mooring/codec'
import { sha256 } from '@mooring/crypto'
import { ClassicLevel, type Snapshot } from 'classic-level'
import { StorageError, storageErrorOf } from './errors.ts'
import { readHomeUser } from './home-lock.ts'
import { formatDatabaseKey, formatKey } from './keys.ts'
import { checkLevelFiles } from './level-files.ts'
import { type StartTurns, withoutTurns } from './steps.ts'

export type DatabaseOperation =
  | { type: 'put'; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; key: Uint8Array }

export interface DatabaseRange {
  from: Uint8Array
  /** Behind the last key. */
  to: Uint8Array
  reverse?: boolean
  limit?: number
}

export interface DatabaseEntry {
  key: Uint8Array
  value: Uint8Array
}

export interface DatabaseOptions {
  /** Which database this must be; written into a new one. */
  name: 'chain' | 'records' | 'vault'
  /** The home it belongs to, whose pid file says who has it open. */
  home?: string
  /** How much of its tables is checked before it opens, newest first. */
  checkedBytesMax?: number
}

const CHECKSUM_BYTES = 16
const scratch = new Uint8Array(8_192)
/** Of the keys and values of each database. */
const FORMAT_VERSIONS = { chain: 1, records: 3, vault: 2 }
const MIB = 1024 * 1024
/**
 * What is gathered before it is written to tables, and the size of those. Records come in bulk under names without
 * an order: gathered twice as long, a fourth less is written again when tables are merged.
 */
const GATHERED = {
  chain: { writeBufferSize: 8 * MIB, maxFileSize: 2 * MIB },
  records: { writeBufferSize: 16 * MIB, maxFileSize: 4 * MIB },
  vault: { writeBufferSize: 16 * MIB, maxFileSize: 4 * MIB },
}
const CHECKED_BYTES_MAX = 512 * 1024 * 1024
const databaseFormat = struct({ name: text(32), version: uint() })

/** Told of operations for figures of them, never of keys and values. */
export interface DatabaseObserver {
  operation(kind: 'read' | 'write' | 'sync' | 'compact', ms: number): void
  /** A value is not what was written. */
  damaged(): void
}

/** Of synchronous reads one in so many is timed: they take microseconds, and a block makes thousands. */
const READS_PER_TIMED = 64
const LEVELS = 7

/** What is needed of LevelDB; memory-level.ts has it too. */
export interface Level {
  readonly location: string
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getSync(key: Uint8Array, options?: Pinned): Uint8Array | undefined
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  batch(): LevelBatch
  iterator(range: LevelRange): AsyncIterable<[Uint8Array, Uint8Array]>
  /** Undefined where nothing is ever exported. */
  snapshot?: () => Snapshot
  getProperty?: (name: string) => string
  compactRange?: (from: Uint8Array, to: Uint8Array) => Promise<void>
  close(): Promise<void>
}

interface Pinned {
  snapshot?: Snapshot
}

export interface LevelBatch {
  put(key: Uint8Array, value: Uint8Array): unknown
  del(key: Uint8Array): unknown
  write(options: { sync: boolean }): Promise<void>
}

export interface LevelRange extends Pinned {
  gte: Uint8Array
  lt: Uint8Array
  reverse: boolean
  /** -1: no limit. */
  limit: number
}

export class Database {
  readonly path: string
  readonly #level: Level
  #observer: DatabaseObserver | null = null
  #reads = 0

  constructor(level: Level) {
    this.path = level.location
    this.#level = level
  }

  observe(observer: DatabaseObserver): void {
    this.#observer = observer
  }

  /** Table files, level by level; none where the level is not kept in files. */
  levelFiles(): number[] {
    const read = this.#level.getProperty?.bind(this.#level)
    if (read === undefined) return []
    const levels = Array.from({ length: LEVELS }, (_, level) => level)
    return levels.map((level) => Number(read(`leveldb.num-files-at-level${level}`)))
  }

  /** Blocks until the disk answers, which is microseconds when the page is cached. */
  getSync(key: Uint8Array): Uint8Array | undefined {
    this.#reads += 1
    const isTimed = this.#observer !== null && this.#reads % READS_PER_TIMED === 0
    const began = isTimed ? performance.now() : 0
    try {
      const value = checked(key, this.#level.getSync(key))
      if (isTimed) this.#observer?.operation('read', performance.now() - began)
      return value
    } catch (error) {
      throw this.#readError(error, key)
    }
  }

  /** Without a look at checksums, for values that prove themselves: pages of the state tree. */
  async getProven(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    try {
      const found = await this.#level.getMany(keys)
      return found.map((stored) => stored?.subarray(CHECKSUM_BYTES))
    } catch (error) {
      throw storageErrorOf(error, 'the database cannot be read', this.path)
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return checked(key, await this.#level.get(key))
    } catch (error) {
      throw this.#readError(error, key)
    }
  }

  /**
   * Which of these keys have a value, in their order; a damaged one counts. Many cost one way to the disk and back.
   * LevelDB's own question for this passes its filters by, and looks into a table of each level for what is nowhere.
   */
  async have(keys: Uint8Array[]): Promise<boolean[]> {
    try {
      const values = await this.#level.getMany(keys)
      return values.map((value) => value !== undefined)
    } catch (error) {
      throw storageErrorOf(error, 'the database cannot be read', this.path)
    }
  }

  /**
   * All of the operations or none. With sync they are on the disk when this resolves. Many of them are put together
   * in turns.
   */
  async batch(
    operations: Iterable<DatabaseOperation>,
    { sync, turns = withoutTurns }: { sync: boolean; turns?: StartTurns },
  ): Promise<void> {
    const began = performance.now()
    const pause = turns()
    try {
      // A chained batch: measured half as long on the event loop as an array of operations.
      const batch = this.#level.batch()
      for (const operation of operations) {
        const { key } = operation
        if (operation.type === 'del') batch.del(key)
        else batch.put(key, withChecksum(key, operation.value))
        const paused = pause()
        if (paused !== null) await paused
      }
      await batch.write({ sync })
      this.#observer?.operation(sync ? 'sync' : 'write', performance.now() - began)
    } catch (error) {
      throw storageErrorOf(error, 'the database cannot be written', this.path)
    }
  }

  async *iterate(range: DatabaseRange): AsyncGenerator<DatabaseEntry> {
    try {
      yield* entriesOf(this.#level, range)
    } catch (error) {
      if (error instanceof StorageError && error.code === 'corrupt') this.#observer?.damaged()
      throw error
    }
  }

  /** The keys alone: what they name may be damaged. */
  keys(range: DatabaseRange): AsyncGenerator<Uint8Array> {
    return keysOf(this.#level, range)
  }

  /** An iterator that is not read to its end keeps what is deleted meanwhile on the disk: this one is closed. */
  async firstKey(range: Pick<DatabaseRange, 'from' | 'to'>): Promise<Uint8Array | undefined> {
    for await (const key of keysOf(this.#level, { ...range, limit: 1 })) return key
    return undefined
  }

  /** The database as it is now, whatever is written later; the caller closes it. */
  pin(): PinnedDatabase {
    return new PinnedDatabase(this.#level)
  }

  /** Gives the room of what was deleted in a range back to the disk. */
  async compact(from: Uint8Array, to: Uint8Array): Promise<void> {
    const began = performance.now()
    await this.#level.compactRange?.(from, to)
    this.#observer?.operation('compact', performance.now() - began)
  }

  /** Durable, and no file has what was deleted. */
  async purge(operations: readonly DatabaseOperation[]): Promise<void> {
    const gone = operations.flatMap(({ type, key }) => (type === 'del' ? [key] : []))
    await this.writeOver(gone, () => this.batch(operations, { sync: true }))
  }

  /**
   * After this write no file has what these keys had before: LevelDB keeps an old value until it rewrites the table
   * it is in. It rewrites a table only when a newer one lies above it, so what is to go is in a table before.
   */
  async writeOver(keys: readonly Uint8Array[], write: () => Promise<void>): Promise<void> {
    for (const key of keys) await this.compact(key, behind(key))
    await write()
    for (const key of keys) await this.compact(key, behind(key))
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  #readError(error: unknown, key: Uint8Array): StorageError {
    const reason = readError(error, key, this.path)
    if (reason.code === 'corrupt') this.#observer?.damaged()
    return reason
  }
}

/** A database at one moment. What it shows stays on the disk until it is closed. */
export class PinnedDatabase {
  readonly #level: Level
  readonly #snapshot: Snapshot

  constructor(level: Level) {
    if (level.snapshot === undefined) throw new Error('this database cannot be pinned')
    this.#level = level
    this.#snapshot = level.snapshot()
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    try {
      return checked(key, this.#level.getSync(key, { snapshot: this.#snapshot }))
    } catch (error) {
      throw readError(error, key, this.#level.location)
    }
  }

  iterate(range: DatabaseRange): AsyncGenerator<DatabaseEntry> {
    return entriesOf(this.#level, range, { snapshot: this.#snapshot })
  }

  keys(range: DatabaseRange): AsyncGenerator<Uint8Array> {
    return keysOf(this.#level, range, { snapshot: this.#snapshot })
  }

  async close(): Promise<void> {
    await this.#snapshot.close()
  }
}

async function* entriesOf(
  level: Level,
  { from, to, reverse, limit }: DatabaseRange,
  pinned: Pinned = {},
): AsyncGenerator<DatabaseEntry> {
  const range = { gte: from, lt: to, reverse: reverse ?? false, limit: limit ?? -1, ...pinned }
  try {
    for await (const [key, stored] of level.iterator(range)) {
      yield { key: plain(key), value: withoutChecksum(key, stored) }
    }
  } catch (error) {
    throw readError(error, from, level.location)
  }
}

async function* keysOf(
  level: Level,
  { from, to, reverse, limit }: DatabaseRange,
  pinned: Pinned = {},
): AsyncGenerator<Uint8Array> {
  const range = { gte: from, lt: to, reverse: reverse ?? false, limit: limit ?? -1, ...pinned }
  try {
    for await (const [key] of level.iterator(range)) yield plain(key)
  } catch (error) {
    throw readError(error, from, level.location)
  }
}

function readError(error: unknown, key: Uint8Array, path: string): StorageError {
  const message = `the database cannot be read at ${formatDatabaseKey(key)}`
  return storageErrorOf(error, message, path)
}

export async function openDatabase(path: string, options: DatabaseOptions): Promise<Database> {
  return openDatabaseOn(await openLevel(path, options), options.name)
}

/** A database on what is open already. */
export async function openDatabaseOn(
  level: Level,
  name: DatabaseOptions['name'],
): Promise<Database> {
  const database = new Database(level)
  try {
    await checkFormat(database, name)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

async function openLevel(path: string, options: DatabaseOptions): Promise<Level> {
  try {
    await refuseIfLocked(path)
    await checkLevelFiles(path, options.checkedBytesMax ?? CHECKED_BYTES_MAX)
    // It begins to open as soon as it exists.
    const level = new ClassicLevel<Uint8Array, Uint8Array>(path, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      ...GATHERED[options.name],
      // Most values are digests and signatures; and level-files.ts reads the indexes as they are.
      compression: false,
    })
    await level.open()
    return level
  } catch (error) {
    const reason = storageErrorOf(error, 'the database cannot be opened', path)
    throw reason.code === 'locked' ? await lockedBy(options.home, path, error) : reason
  }
}

/** Opening to create what exists takes LevelDB's lock, then fails without touching files. */
async function refuseIfLocked(path: string): Promise<void> {
  const probe = new ClassicLevel(path, { createIfMissing: false, errorIfExists: true })
  try {
    await probe.open()
    await probe.close()
  } catch (error) {
    const reason = storageErrorOf(error, 'the database is in use', path)
    if (reason.code === 'locked') throw reason
  }
}

async function checkFormat(database: Database, name: DatabaseOptions['name']): Promise<void> {
  const version = FORMAT_VERSIONS[name]
  const stored = database.getSync(formatKey())
  if (stored === undefined) {
    const all = { from: new Uint8Array(0), to: Uint8Array.of(0xff), limit: 1 }
    for await (const { key } of database.iterate(all)) {
      throw new StorageError('missing', 'a database without its format', {
        path: database.path,
        key: formatDatabaseKey(key),
      })
    }
    const value = encode(databaseFormat, { name, version })
    await database.batch([{ type: 'put', key: formatKey(), value }], { sync: true })
    return
  }
  const found = decode(databaseFormat, stored)
  if (found.name === name && found.version === version) return
  const code = found.name === name && found.version > version ? 'format_newer' : 'format'
  throw new StorageError(code, 'the database is of another kind or version', {
    path: database.path,
    ...found,
    known: version,
  })
}

/** The version of the keys and values of an open database. */
export function formatOf(database: Pick<Database, 'getSync'>): number {
  const stored = database.getSync(formatKey())
  return stored === undefined ? 0 : decode(databaseFormat, stored).version
}

async function lockedBy(
  home: string | undefined,
  path: string,
  cause: unknown,
): Promise<StorageError> {
  const user = home === undefined ? undefined : await readHomeUser(home)
  const details = { path, ...(home !== undefined && { home }), ...user }
  return new StorageError('locked', 'another process has the database open', details, { cause })
}

/** What is stored for a value; short ones share a buffer, for LevelDB copies what it is given at once. */
function withChecksum(key: Uint8Array, value: Uint8Array): Uint8Array {
  const length = CHECKSUM_BYTES + value.length
  const buffer = length <= scratch.length ? scratch : new Uint8Array(length)
  const digest = sha256(key, value)
  for (let at = 0; at < CHECKSUM_BYTES; at += 1) buffer[at] = digest[at] ?? 0
  buffer.set(value, CHECKSUM_BYTES)
  return buffer.subarray(0, length)
}

function checked(key: Uint8Array, stored: Uint8Array | undefined): Uint8Array | undefined {
  return stored === undefined ? undefined : withoutChecksum(key, stored)
}

function withoutChecksum(key: Uint8Array, stored: Uint8Array): Uint8Array {
  const value = plain(stored.subarray(CHECKSUM_BYTES))
  if (!equalBytes(stored.subarray(0, CHECKSUM_BYTES), checksumOf(key, value))) {
    throw new StorageError('corrupt', 'a stored value is not what was written', {
      key: formatDatabaseKey(key),
    })
  }
  return value
}

export function put(key: Uint8Array, value: Uint8Array): DatabaseOperation {
  return { type: 'put', key, value }
}

export function del(key: Uint8Array): DatabaseOperation {
  return { type: 'del', key }
}

/** The first key behind this one. */
export function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/** LevelDB answers with Buffers, whose slice() does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function checksumOf(key: Uint8Array, value: Uint8Array): Uint8Array {
  return sha256(key, value).subarray(0, CHECKSUM_BYTES)
}
