// The check of a running node's databases, when an operator asks: one at a time, on pinned databases, with
// its finding told as an alarm until a later check finds nothing.

import type { Verifications } from '@mooring/api'
import type { BlobStore, ChainStore } from '@mooring/storage'
import type { Finding } from './alarms.ts'
import type { OpenDatabases } from './backup-create.ts'
import type { Clock } from './clock.ts'
import { checkPinnedData, type DatabaseCheck } from './database-check.ts'
import { failureOf } from './error-text.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

export interface VerificationModules {
  chain: ChainStore
  databases: OpenDatabases
  blobs: BlobStore
  clock: Clock
  logger: Logger
  metrics: Pick<Metrics, 'dbIntegrityErrors' | 'dbVerifyLastSuccess'>
}

export class Verification {
  readonly #options: NodeOptions
  readonly #modules: VerificationModules
  #since: Date | null = null
  #working: Promise<void> = Promise.resolve()
  #last: (DatabaseCheck & { seconds: number }) | null = null
  #failure: NonNullable<Verifications['failure']> | null = null

  constructor(options: NodeOptions, modules: VerificationModules) {
    this.#options = options
    this.#modules = modules
  }

  /** While one runs it is that one. */
  begin(): void {
    if (this.#since !== null) return
    this.#since = new Date(this.#modules.clock.wall())
    this.#working = this.#run()
  }

  status(): Verifications {
    return {
      runningSince: this.#since?.toISOString() ?? null,
      last: this.#last,
      failure: this.#failure,
    }
  }

  finding(): Finding | null {
    const last = this.#last
    const [first] = last?.findings ?? []
    if (last === null || first === undefined) return null
    const detail = `${last.damaged} things do not hold, the first in ${first.database}: ${first.what}.`
    return { code: 'database_damaged', severity: 'page', detail }
  }

  async close(): Promise<void> {
    await this.#working
  }

  async #run(): Promise<void> {
    const { clock, logger, metrics } = this.#modules
    const started = clock.monotonic()
    try {
      const found = await this.#check()
      const seconds = Math.round((clock.monotonic() - started) / 1_000)
      this.#last = { ...found, seconds }
      this.#failure = null
      const { height, damaged } = found
      if (damaged === 0) {
        metrics.dbVerifyLastSuccess.set(clock.wall() / 1_000)
        logger.info('the databases were verified', { height, seconds })
      } else {
        metrics.dbIntegrityErrors.inc(damaged)
        logger.error('the databases do not hold', { damaged, height })
      }
    } catch (error) {
      const { entry, what, where } = failureOf(error)
      const detail = where === '' ? what : `${what}: ${where}`
      this.#failure = { at: new Date(clock.wall()).toISOString(), code: entry.mor, detail }
      logger.error('the databases could not be verified', { error })
    } finally {
      this.#since = null
    }
  }

  async #check(): Promise<DatabaseCheck> {
    const { chain, databases, blobs } = this.#modules
    const pinned = {
      vault: databases.vault.pin(),
      records: databases.records.pin(),
      chain: databases.chain.pin(),
    }
    try {
      return await checkPinnedData(this.#options, { chain, pinned, blobs })
    } finally {
      for (const each of Object.values(pinned)) await each.close()
    }
  }
}
