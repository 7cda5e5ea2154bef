// The backups of a running node: made when its schedule says, or when an operator asks, one at a time.
//
// A backup that fails is told as an alarm until one succeeds, and so is a schedule of which two turns
// passed without one: a node that was down at night has no failure to tell of. Keys are never in a backup
// on schedule: their passphrase would have to lie beside it.

import type { Backups } from '@mooring/api'
import type { Finding } from './alarms.ts'
import { createBackup, type MadeBackup, type OpenDatabases } from './backup-create.ts'
import { dropOldBackups, type ListedBackup, listBackups } from './backup-folder.ts'
import { nextRuns } from './backup-schedule.ts'
import type { Compression } from './backup-format.ts'
import type { Clock } from './clock.ts'
import { failureOf } from './error-text.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { NodeError } from './node-error.ts'

const LOOK_MAX_MS = 3_600_000
const MISSED_RUNS = 2

export interface BackupKeeperModules {
  databases: OpenDatabases
  clock: Clock
  logger: Logger
  metrics: Pick<
    Metrics,
    'backupScheduled' | 'backupLastSuccess' | 'backupLastSize' | 'backupFailures'
  >
}

interface Run {
  since: Date
  bytes: number
}

export class BackupKeeper {
  readonly #options: NodeOptions
  readonly #modules: BackupKeeperModules
  #run: Run | null = null
  #working: Promise<void> = Promise.resolve()
  #last: ListedBackup | null = null
  #lastFailure: { at: Date; code: string; detail: string } | null = null
  #due: Date | null = null
  #cancel: () => void = () => undefined
  #isClosed = false

  private constructor(options: NodeOptions, modules: BackupKeeperModules) {
    this.#options = options
    this.#modules = modules
  }

  static async start(options: NodeOptions, modules: BackupKeeperModules): Promise<BackupKeeper> {
    const keeper = new BackupKeeper(options, modules)
    await keeper.#look()
    keeper.#arm()
    return keeper
  }

  /** Resolves when it runs. @throws NodeError backup_busy */
  begin(wish: { compression: Compression; keys: Uint8Array | null }): Promise<void> {
    if (this.#run !== null) {
      const since = this.#run.since.toISOString()
      return Promise.reject(new NodeError('backup_busy', { since }))
    }
    this.#working = this.#make({ ...wish, isScheduled: false })
    return Promise.resolve()
  }

  async status(): Promise<Backups> {
    const { schedule, dir, keep } = this.#options.backup
    const { items } = await listBackups(dir)
    const failure = this.#lastFailure
    return {
      schedule,
      dir,
      keep,
      next: this.#due?.toISOString() ?? null,
      running: this.#run && { since: this.#run.since.toISOString(), bytes: this.#run.bytes },
      last: this.#last && shown(this.#last),
      lastFailure: failure && { ...failure, at: failure.at.toISOString() },
      items: items.map(shown),
    }
  }

  finding(): Finding | null {
    const failure = this.#lastFailure
    if (failure !== null) {
      const detail = `The backup of ${failure.at.toISOString()} failed: ${failure.detail}`
      return { code: 'backup_failed', severity: 'ticket', detail }
    }
    const { schedule } = this.#options.backup
    if (schedule === null || this.#last === null || this.#run !== null) return null
    const { createdAt } = this.#last.head
    const missed = nextRuns(schedule, new Date(createdAt), MISSED_RUNS).at(-1)
    if (missed === undefined || missed.getTime() > this.#modules.clock.wall()) return null
    const detail = `The last backup is of ${createdAt}, and ${MISSED_RUNS} were due since.`
    return { code: 'backup_old', severity: 'ticket', detail }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#working
  }

  /** What earlier starts have made. */
  async #look(): Promise<void> {
    const { schedule, dir } = this.#options.backup
    const { metrics, logger } = this.#modules
    metrics.backupScheduled.set(schedule === null ? 0 : 1)
    try {
      const { items } = await listBackups(dir)
      const { name, networkId } = this.#options
      const isOwn = ({ head }: ListedBackup): boolean =>
        head.node === name && head.networkId === networkId
      this.#note(items.find(isOwn) ?? null)
    } catch (error) {
      logger.warn('the folder of backups cannot be read', { error })
    }
  }

  #note(last: ListedBackup | null): void {
    const { metrics } = this.#modules
    this.#last = last
    metrics.backupLastSuccess.set(last === null ? 0 : Date.parse(last.head.createdAt) / 1_000)
    metrics.backupLastSize.set(last?.bytes ?? 0)
  }

  /** Looks again now and then, for the clock of the computer may be set. */
  #arm(): void {
    const { schedule } = this.#options.backup
    if (schedule === null || this.#isClosed) return
    const { clock } = this.#modules
    const now = new Date(clock.wall())
    const [next] = nextRuns(schedule, now, 1)
    this.#due = next ?? null
    if (next === undefined) return
    const waitMs = Math.max(1, next.getTime() - now.getTime())
    this.#cancel = clock.after(Math.min(waitMs, LOOK_MAX_MS), () => {
      if (clock.wall() >= next.getTime()) this.#scheduled()
      this.#arm()
    })
  }

  #scheduled(): void {
    if (this.#run !== null) {
      this.#modules.logger.warn('a backup is due while another one is made', {})
      return
    }
    this.#working = this.#make({ compression: 'zstd', keys: null, isScheduled: true })
  }

  async #make(wish: {
    compression: Compression
    keys: Uint8Array | null
    isScheduled: boolean
  }): Promise<void> {
    const { clock, logger, databases, metrics } = this.#modules
    const run: Run = { since: new Date(clock.wall()), bytes: 0 }
    this.#run = run
    const started = clock.monotonic()
    try {
      const onBytes = (bytes: number): void => {
        run.bytes += bytes
        if (this.#isClosed) throw new NodeError('backup_failed', { detail: 'the node is stopping' })
      }
      const made = await createBackup(
        { ...this.#options, key: this.#options.keys.transport },
        databases,
        {
          ...wish,
          path: null,
          now: run.since,
          onBytes,
        },
      )
      this.#note(listedOf(made, wish.isScheduled))
      this.#lastFailure = null
      const { height } = made.manifest
      const ms = Math.round(clock.monotonic() - started)
      logger.info('a backup was made', { height, bytes: made.bytes, ms, path: made.path })
      await this.#dropOld(wish.isScheduled)
    } catch (error) {
      metrics.backupFailures.inc()
      const { entry, what, where } = failureOf(error)
      const detail = where === '' ? what : `${what}: ${where}`
      this.#lastFailure = { at: new Date(clock.wall()), code: entry.mor, detail }
      logger.error('a backup failed', { error })
    } finally {
      this.#run = null
    }
  }

  async #dropOld(isScheduled: boolean): Promise<void> {
    if (!isScheduled) return
    const { backup, name: node, networkId } = this.#options
    const dropped = await dropOldBackups(backup.dir, { node, networkId }, backup.keep)
    if (dropped.length > 0) {
      this.#modules.logger.info('old backups were dropped', { backups: dropped.length })
    }
  }
}

function listedOf({ path, bytes, manifest }: MadeBackup, isScheduled: boolean): ListedBackup {
  return { path, bytes, head: manifest, isScheduled }
}

function shown({ path, bytes, head, isScheduled }: ListedBackup): Backups['items'][number] {
  const { node, networkId, height, digest, createdAt, hasKeys } = head
  return { path, bytes, node, networkId, height, digest, createdAt, hasKeys, isScheduled }
}
