/**
 * The disk of one machine: the guard folder on a file system that can lose power, the chain on a
 * database that can. Each effect is a boundary at which the process may die; syncs take time, a full disk
 * refuses, and what was handed to the disk before is kept apart from what it has made durable.
 */
import {
  type FileSystem,
  Guard,
  MemoryFileSystem,
  MemoryLevel,
  type OpenFile,
} from '@mooring/storage'
import type { Random } from '../random.ts'
import { type Life, never } from './life.ts'

export interface DiskWorld {
  readonly random: Random
  /** True when the process dies here. */
  diesAt(boundary: string): boolean
  syncMs(): number
  count(what: string): void
}

/** Chunks written to the guard of late: a vote leaves within a moment of its sync. */
const KEPT_CHUNKS = 400

export class NodeDisk {
  isFull = false
  #files = new MemoryFileSystem()
  #level = new MemoryLevel('chain')
  readonly #unsynced = new Map<string, Buffer[]>()
  #durable: Buffer[] = []

  get databaseEntries(): number {
    return this.#level.size
  }

  /** The guard is made together with the key, before the node ever runs, as `mooring init` does. */
  async init(place: { directory: string; machine: string }): Promise<void> {
    const { guard } = await Guard.open({ ...place, isFirst: true, fileSystem: this.#files })
    await guard.close()
  }

  /** For one life of the process. */
  open(life: Life, world: DiskWorld): { fileSystem: FileSystem; level: MemoryLevel } {
    const level = this.#level
    this.#level = level.afterKill(world.random.next, (bytes, sync) =>
      this.#writeBatch(life, world, { bytes, sync }),
    )
    return { fileSystem: this.#fileSystem(life, world), level: this.#level }
  }

  /** The process has died and the machine goes on. */
  kill(random: Random): void {
    this.#level = this.#level.afterKill(random.next)
  }

  losePower(random: Random, cutBatches: number): void {
    this.#files = this.#files.afterPowerLoss(random.next)
    this.#level = this.#level.afterPowerLoss(random.next, undefined, cutBatches)
    this.#unsynced.clear()
  }

  /** Whether these bytes are in the guard for good. */
  isDurable(bytes: Uint8Array): boolean {
    const sought = Buffer.from(bytes)
    return this.#durable.some((chunk) => chunk.includes(sought))
  }

  async #writeBatch(
    life: Life,
    world: DiskWorld,
    { bytes, sync }: { bytes: number; sync: boolean },
  ): Promise<void> {
    if (life.isOver || world.diesAt('before a batch')) return never()
    if (this.isFull && bytes > 0) throw full()
    await life.wait(sync ? world.syncMs() : 0)
    if (life.isOver || world.diesAt('after a batch')) return never()
  }

  #fileSystem(life: Life, world: DiskWorld): FileSystem {
    const files = this.#files
    const alive = <T>(run: () => Promise<T>): Promise<T> => (life.isOver ? never() : run())
    const wrap = (path: string, file: OpenFile): OpenFile => this.#wrap(path, file, life, world)
    return {
      openExisting: (path) =>
        alive(async () => {
          const file = await files.openExisting(path)
          return file && wrap(path, file)
        }),
      create: (path) =>
        alive(async () => {
          if (this.isFull) throw full()
          return wrap(path, await files.create(path))
        }),
      readDirectory: (path) => alive(() => files.readDirectory(path)),
      makeDirectory: () => alive(() => files.makeDirectory()),
      rename: (from, to) => alive(() => files.rename(from, to)),
      remove: (path) => alive(() => files.remove(path)),
      syncDirectory: (path) =>
        alive(async () => {
          if (world.diesAt('before a directory sync')) return never()
          await files.syncDirectory(path)
        }),
    }
  }

  // oxlint-disable-next-line max-params
  #wrap(path: string, file: OpenFile, life: Life, world: DiskWorld): OpenFile {
    const alive = <T>(run: () => Promise<T>): Promise<T> => (life.isOver ? never() : run())
    return {
      read: () => alive(() => file.read()),
      readAt: (position, length) => alive(() => file.readAt(position, length)),
      size: () => alive(() => file.size()),
      identity: () => alive(() => file.identity()),
      truncate: (size) => alive(() => file.truncate(size)),
      close: () => alive(() => file.close()),
      write: (bytes, position) =>
        alive(async () => {
          if (world.diesAt('before a write')) return never()
          if (this.isFull) throw full()
          const isShort = bytes.length > 1 && world.random.chance(0.02)
          const taken = isShort ? bytes.subarray(0, bytes.length >> 1) : bytes
          if (isShort) world.count('short write')
          const written = await file.write(taken, position)
          this.#unsynced.set(path, [...(this.#unsynced.get(path) ?? []), Buffer.from(taken)])
          return written
        }),
      datasync: () =>
        alive(async () => {
          if (world.diesAt('before a sync')) return never()
          await life.wait(world.syncMs())
          if (life.isOver) return never()
          await file.datasync()
          this.#durable.push(Buffer.concat(this.#unsynced.get(path) ?? []))
          this.#durable = this.#durable.slice(-KEPT_CHUNKS)
          this.#unsynced.delete(path)
          if (world.diesAt('after a sync')) return never()
        }),
    }
  }
}

function full(): Error {
  return Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
}
