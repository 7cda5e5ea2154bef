// How much the data takes and how much room is left, measured when somebody asks and not more often
// than twice a minute: walking a folder is slow, and nobody waits for it.

import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

const FRESH_MS = 30_000

export interface DiskSpace {
  /** Null before the first measurement. */
  bytes: number | null
  freeBytes: number | null
}

export class DiskUsage {
  readonly #directory: string
  readonly #clock: Clock
  readonly #logger: Pick<Logger, 'warn'>
  #space: DiskSpace = { bytes: null, freeBytes: null }
  #measuredAt = -Infinity
  #running: Promise<void> | null = null

  constructor(directory: string, clock: Clock, logger: Pick<Logger, 'warn'>) {
    this.#directory = directory
    this.#clock = clock
    this.#logger = logger
  }

  /** What is known; starts a measurement when that is old. */
  current(): DiskSpace {
    if (this.#clock.monotonic() - this.#measuredAt >= FRESH_MS) this.#running ??= this.#measure()
    return this.#space
  }

  /** Resolves when no measurement is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #measure(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#directory)
      this.#space = { bytes: await sizeOf(this.#directory), freeBytes: bavail * bsize }
    } catch (error) {
      this.#space = { bytes: null, freeBytes: null }
      this.#logger.warn('the size of the data could not be measured', { error })
    } finally {
      this.#measuredAt = this.#clock.monotonic()
      this.#running = null
    }
  }
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += await fileSize(join(entry.parentPath, entry.name))
  }
  return bytes
}

/** The database deletes files while it runs. */
async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}
