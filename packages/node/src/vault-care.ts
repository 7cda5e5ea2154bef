// Keeps the vault whole without being told: on a clock, and when something happens.
//
//   tick          shards that are known to be missing or wrong are made again, where this node drives the
//                 set; after a member left, or has been away for longer than the grace, all sets are looked at
//   audit         some sets, at random, whose holders prove that they have their shards
//   return        a member that was away is asked whether it still has what it had
//   count         how whole the sets are, for who looks
//
// One of these at a time, and those that are asked for (verify, repair) wait their turn among them: two
// at once would do the same work twice.

import type { PossibleHolder } from '@mooring/records'
import type { Clock } from './clock.ts'
import { inGroups, type KnownSet } from './known-sets.ts'
import type { Logger } from './logger.ts'
import { LostHere, type LostHereModules } from './lost-here.ts'
import {
  type RepairHow,
  repairSets,
  type RepairedShard,
  type RepairResult,
} from './repair-driver.ts'
import { type AuditResult, auditSets } from './vault-audit.ts'
import { countStrengths, type Survey, surveyPresence, type SurveyModules } from './vault-survey.ts'

export interface CareOptions {
  /** A member that does not answer is waited for so long before its shards are made again elsewhere. */
  readonly graceMs: number
  readonly auditMs: number
  /** In one audit. */
  readonly auditSets: number
}

export interface CareModules extends SurveyModules, LostHereModules {
  readonly candidates: () => readonly PossibleHolder[]
  readonly clock: Clock
  readonly logger: Logger
  readonly random: (length: number) => Uint8Array
  /** Of this custodian: what no holder has taken so far, and nobody is waiting for any more. */
  readonly shortSets: () => Promise<readonly ShortSet[]>
  readonly observe: (what: CareEvent) => void
}

export interface ShortSet {
  readonly set: KnownSet
  readonly missing: readonly number[]
}

export type CareEvent =
  | { readonly kind: 'audited'; readonly result: AuditResult }
  | { readonly kind: 'repaired'; readonly shards: readonly RepairedShard[] }
  | { readonly kind: 'counted'; readonly survey: Survey }

export const CARE_DEFAULTS: CareOptions = {
  graceMs: 15 * 60_000,
  auditMs: 60_000,
  auditSets: 64,
}

const TICK_MS = 5_000
const COUNT_MS = 60_000
const COUNT_FRESH_MS = 5_000
/** So long whoever asks waits for a count that is newer than the last one. */
const RECENT_WAIT_MS = 1_000
/** Counting takes at most one part in so many of the time. */
const COUNT_SHARE = 20
/** What could not be made again is tried so often. */
const RETRY_MS = 10 * 60_000
/** Who was away for less than this is not asked what it still has. */
const AWAY_MS = 10_000
const GROUP = 512

export interface AuditedHolder {
  asked: number
  failed: number
  /** Wall clock. */
  lastGoodAt: number | null
}

export interface CareCounts {
  readonly audits: { good: number; bad: number; undecided: number; lastAt: number | null }
  /** The last one. */
  readonly lastAudit: { sets: number; bad: number } | null
  /** Since the start. */
  readonly holders: ReadonlyMap<string, AuditedHolder>
  readonly restored: number
  readonly lastRestoredAt: number | null
  readonly isRepairing: boolean
  readonly survey: Survey | null
  readonly surveyedAt: number | null
}

export class VaultCare {
  readonly #options: CareOptions
  readonly #modules: CareModules
  readonly #stop = new AbortController()
  readonly #lost: LostHere
  readonly #returned = new Set<string>()
  readonly #cancels = new Map<string, () => void>()
  readonly #audits = { good: 0, bad: 0, undecided: 0, lastAt: null as number | null }
  readonly #holders = new Map<string, AuditedHolder>()
  #lastAudit: CareCounts['lastAudit'] = null
  #queue: Promise<unknown> = Promise.resolve()
  #restored = 0
  #lastRestoredAt: number | null = null
  #isRepairing = false
  #survey: Survey | null = null
  #countMs = 0
  #surveyedAt: number | null = null
  #recount: Promise<Survey> | null = null
  /** Who had left or was given up when all sets were last looked at. */
  #lookedAtLosses = ''
  #lookedAt: number | null = null

  constructor(options: CareOptions, modules: CareModules) {
    this.#options = options
    this.#modules = modules
    this.#lost = new LostHere(modules, () => modules.clock.monotonic())
  }

  start(): void {
    this.#every('tick', TICK_MS, (signal) => this.look(signal))
    this.#every('audit', this.#options.auditMs, (signal) => this.#auditSome(signal))
    this.#every('count', COUNT_MS, async (signal) => {
      const now = this.#modules.clock.wall()
      if (this.#surveyedAt !== null && now - this.#surveyedAt < this.countFreshMs) return
      await this.count({ signal })
    })
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the node is stopping'))
    for (const cancel of this.#cancels.values()) cancel()
    await this.#queue
    await this.#recount?.catch(() => undefined)
  }

  counts(): CareCounts {
    return {
      audits: { ...this.#audits },
      lastAudit: this.#lastAudit,
      holders: this.#holders,
      restored: this.#restored,
      lastRestoredAt: this.#lastRestoredAt,
      isRepairing: this.#isRepairing,
      survey: this.#survey,
      surveyedAt: this.#surveyedAt,
    }
  }

  onReturn(organisation: string, awayMs: number): void {
    if (awayMs >= AWAY_MS) this.#returned.add(organisation)
  }

  /** A shard had to be made again here: there may be more than that lacking. */
  noteLoss(): void {
    this.#lost.note()
  }

  /** After what the clock has begun; nothing else of it runs meanwhile. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  /** How old a count may be before it is made again: a large vault is not counted all the time. */
  get countFreshMs(): number {
    return Math.max(COUNT_FRESH_MS, COUNT_SHARE * this.#countMs)
  }

  /** Sees to it that there is a count; nobody waits long for a newer one, and many who ask for one. */
  async recent(): Promise<void> {
    const { clock } = this.#modules
    if (this.#surveyedAt !== null && clock.wall() - this.#surveyedAt <= this.countFreshMs) return
    this.#recount ??= this.count({ signal: this.#stop.signal }).finally(() => {
      this.#recount = null
    })
    if (this.#survey === null) {
      await this.#recount
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = clock.after(RECENT_WAIT_MS, resolve)
    await Promise.race([this.#recount, promise]).finally(cancel)
  }

  async count(how: {
    signal: AbortSignal
    onProgress?: (looked: number) => void
  }): Promise<Survey> {
    const began = this.#modules.clock.monotonic()
    const survey = await countStrengths(this.#modules, how)
    this.#survey = survey
    this.#countMs = this.#modules.clock.monotonic() - began
    this.#surveyedAt = this.#modules.clock.wall()
    this.#modules.observe({ kind: 'counted', survey })
    return survey
  }

  /** Marks what it finds. */
  async audit(sets: readonly KnownSet[]): Promise<AuditResult> {
    const { faults, clock, observe, logger } = this.#modules
    const result = await auditSets(this.#modules, sets)
    for (const { set, index, fault, holder } of result.faults) {
      if (!faults.mark(set.setId, index, fault)) continue
      logger.warn('a holder does not have its shard', { holder, fault })
    }
    for (const { set, index } of result.proved) faults.clear(set.setId, index)
    for (const verdict of ['good', 'bad', 'undecided'] as const) {
      this.#audits[verdict] += result.verdicts[verdict]
    }
    this.#audits.lastAt = clock.wall()
    this.#lastAudit = { sets: sets.length, bad: result.verdicts.bad }
    this.#noteHolders(result)
    observe({ kind: 'audited', result })
    return result
  }

  #noteHolders({ faults, proved }: AuditResult): void {
    const now = this.#modules.clock.wall()
    for (const { holder } of [...faults, ...proved]) {
      const known = this.#holders.get(holder) ?? { asked: 0, failed: 0, lastGoodAt: null }
      known.asked += 1
      this.#holders.set(holder, known)
    }
    for (const { holder } of faults) {
      const known = this.#holders.get(holder)
      if (known !== undefined) known.failed += 1
    }
    for (const { holder } of proved) {
      const known = this.#holders.get(holder)
      if (known !== undefined) known.lastGoodAt = now
    }
  }

  async repair(sets: readonly KnownSet[], how: RepairHow): Promise<RepairResult> {
    const { clock, observe, logger } = this.#modules
    this.#isRepairing = true
    try {
      const result = await repairSets(this.#modules, sets, how)
      const kept = result.shards.filter(({ outcome }) => outcome === 'kept').length
      this.#restored += kept
      if (kept > 0) this.#lastRestoredAt = clock.wall()
      observe({ kind: 'repaired', shards: result.shards })
      if (result.liars.length > 0) {
        logger.error('holders helped a repair with something else than their shards', {
          holders: result.liars.join(', '),
        })
        await this.audit(sets)
      }
      return result
    } finally {
      this.#isRepairing = false
    }
  }

  /** What the clock does every few seconds. */
  async look(signal: AbortSignal): Promise<void> {
    const { known, faults, clock, fetchKeys } = this.#modules
    for (const only of this.#returned) {
      this.#returned.delete(only)
      await surveyPresence(this.#modules, { signal, only })
    }
    await this.#lost.fetch(this.#options.graceMs, signal)
    const losses = this.#losses()
    const isDue = this.#lookedAt === null || clock.monotonic() - this.#lookedAt >= RETRY_MS
    if (losses !== '' && (losses !== this.#lookedAtLosses || isDue)) {
      await fetchKeys(signal)
      for await (const group of inGroups(known.all(), GROUP)) {
        signal.throwIfAborted()
        await this.repair(group, this.#how(signal))
      }
      this.#lookedAt = clock.monotonic()
    }
    this.#lookedAtLosses = losses
    await this.#repairShort(signal)
    for (const names of groupsOf(faults.sets(), GROUP)) {
      signal.throwIfAborted()
      const faulty = await Promise.all(names.map((setId) => known.get(setId)))
      await this.repair(
        faulty.filter((set) => set !== undefined),
        this.#how(signal),
      )
    }
  }

  /** Other holders believe what the custodian told them, so it sees to these itself. */
  async #repairShort(signal: AbortSignal): Promise<void> {
    const { faults, shortSets } = this.#modules
    const short = await shortSets()
    if (short.length === 0) return
    for (const { set, missing } of short) {
      for (const index of missing) faults.mark(set.setId, index, 'missing')
    }
    await this.repair(
      short.map(({ set }) => set),
      { ...this.#how(signal), drivesAll: true },
    )
  }

  /** Who is not coming back, as far as one can tell from here. */
  #losses(): string {
    const { view } = this.#modules
    const members = view.organisations().map(({ id }) => id)
    const givenUp = members.filter((id) => view.awayMs(id) >= this.#options.graceMs)
    const left = this.#leftMembers(new Set(members))
    return [...givenUp, ...left].toSorted().join(' ')
  }

  #leftMembers(members: ReadonlySet<string>): string[] {
    return [...(this.#survey?.holders.keys() ?? [])].filter((holder) => !members.has(holder))
  }

  #how(signal: AbortSignal): RepairHow {
    return { graceMs: this.#options.graceMs, gone: new Set(), drivesAll: false, signal }
  }

  async #auditSome(signal: AbortSignal): Promise<void> {
    const sets = await this.#modules.known.sample(this.#options.auditSets)
    signal.throwIfAborted()
    if (sets.length > 0) await this.audit(sets)
  }

  #every(name: string, ms: number, work: (signal: AbortSignal) => Promise<void>): void {
    const { clock, logger } = this.#modules
    const { signal } = this.#stop
    const run = (): void => {
      this.alone(() => work(signal))
        .catch((error: unknown) => {
          if (!signal.aborted) logger.error('looking after the vault failed', { what: name, error })
        })
        .finally(() => {
          if (!signal.aborted) this.#cancels.set(name, clock.after(ms, run))
        })
        .catch(() => undefined)
    }
    this.#cancels.set(name, clock.after(ms, run))
  }
}

function groupsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}
