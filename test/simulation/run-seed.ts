/**
 * One seed: faults until the calm, then the promises that need a calm, in the order in which they come
 * due: finality soon, every transaction final, one more when a minute is over, and then silence.
 */
import { Agreement, type Watch } from './agreement.ts'
import { TRANSACTIONS_MAX } from './ledger.ts'
import { type Plan, planOf, type Sizes } from './plan.ts'
import { expectConviction } from './overrun.ts'
import { Violation } from './violation.ts'

/** Actors that go quiet when everybody else does. */
const QUIET = new Set([
  'silent',
  'withholder',
  'late-leader',
  'equivocator',
  'forker',
  'spoiler',
  'lying-syncer',
  'impostor',
])
const STATUS_MS = 3_000
/** Who has missed epochs asks his way through them, one by one. */
const EPOCHS_MS = 8_000
/** After the calm, what was under way before it may still arrive for so long. */
const SETTLE_MS = 2_000

export interface Ran {
  readonly run: Agreement
  readonly finalizedAfterMs: number
}

export class FailedSeed extends Error {
  readonly seed: number
  readonly invariant: string
  readonly lines: readonly string[]

  constructor(plan: Plan, cause: unknown, lines: readonly string[]) {
    const actors = [...plan.actors].map(([index, name]) => `${index} ${name}`).join(', ')
    const what = cause instanceof Error ? cause.message : String(cause)
    const epochs = plan.sealChance > 0 ? ' with epochs' : ''
    const where = `${plan.nodes} nodes${epochs}, ${actors || 'no traitor'}`
    super(`seed ${plan.seed} (${where}): ${what}`, { cause })
    this.seed = plan.seed
    this.invariant = cause instanceof Violation ? cause.invariant : 'error'
    this.lines = lines
  }
}

export function runSeed(seed: number, sizes: Sizes, watch: Watch = {}): Ran {
  return runPlan(planOf(seed, sizes), watch)
}

export function runPlan(plan: Plan, watch: Watch = {}): Ran {
  const run = new Agreement(plan, watch)
  try {
    run.scheduler.run(run.calmAt + SETTLE_MS)
    if (plan.isOverrun) {
      expectConviction(run)
      return { run, finalizedAfterMs: 0 }
    }
    const finalizedAfterMs = expectFinality(run)
    expectEverything(run)
    if (plan.sealChance > 0) expectNextEpoch(run)
    expectSilence(run)
    expectOneBlockEach(run)
    expectBounds(run)
    countViews(run)
    return { run, finalizedAfterMs }
  } catch (error) {
    throw new FailedSeed(plan, error, run.lines)
  }
}

/** L1 and L2: every honest authority makes a new block final within the bound. */
function expectFinality(run: Agreement): number {
  const { plan, scheduler, oracle } = run
  const from = scheduler.now
  const bound = plan.residualLoss > 0 ? 60_000 : boundOf(run)
  const height = oracle.finals.size
  run.submit('after the calm')
  const isFinal = (): boolean =>
    run.honestMembers.every(({ isUp, ledger }) => isUp && ledger.tip.height >= height)
  scheduler.run(from + bound, isFinal)
  if (!isFinal())
    throw new Violation(
      plan.residualLoss > 0 ? 'L2' : 'L1',
      `no finality ${bound} ms after the calm; ${describe(run)}`,
    )
  return scheduler.now - from
}

/**
 * (f + 2) views of 3Δ, with what the timers have grown to, 2δ each, and one round of status; and the
 * finalize that follows the last of them, whose notarization is synced before it.
 */
function boundOf({ plan, honest }: Agreement): number {
  const faulty = Math.floor((plan.nodes - 1) / 3)
  const failed = honest.map(
    ({ state, members }) => state.view - state.final.view - 1 - members.length,
  )
  const growth = Math.min(16, 1.5 ** Math.max(0, ...failed))
  const view = 3 * plan.deltaMs * growth + plan.minBlockIntervalMs + 2 * plan.calmDelayMs + 50
  const finalize = 2 * plan.calmDelayMs + 50
  const once = Math.ceil((faulty + 2) * view + 1.2 * STATUS_MS + finalize)
  return plan.sealChance > 0 ? EPOCHS_MS + 2 * once : once
}

/** A block holds a few transactions and may take as long as its view: as many as wait need their time. */
function expectEverything(run: Agreement): void {
  const { plan, scheduler } = run
  const views = Math.ceil(plan.transactions / TRANSACTIONS_MAX)
  const enoughMs = 60_000 + views * 3 * plan.deltaMs
  scheduler.run(scheduler.now + enoughMs, () => run.isDone())
  if (run.isDone()) return
  const after = `${enoughMs} ms after the calm`
  throw new Violation('L4', `a transaction is not final ${after}; ${describe(run)}`)
}

/** L9: an authority set of which as many are dead as it can bear hands over to another such. */
function expectNextEpoch(run: Agreement): void {
  const { plan, scheduler } = run
  const epoch = run.oracle.epochs.length
  const bound = plan.residualLoss > 0 ? 60_000 : boundOf(run)
  run.mustSeal = true
  run.submit('ends an epoch')
  const hasBegun = (): boolean => run.oracle.epochs.length > epoch
  const isFollowed = (): boolean =>
    hasBegun() && run.honest.every((machine) => machine.epoch >= epoch)
  for (let count = 0; count < 4 && !hasBegun(); count += 1) {
    scheduler.run(scheduler.now + bound, hasBegun)
    run.submit(`ends an epoch, again ${count}`)
  }
  run.mustSeal = false
  scheduler.run(scheduler.now + 60_000, isFollowed)
  if (!isFollowed())
    throw new Violation('L9', `epoch ${epoch} is not begun by all; ${describe(run)}`)
  expectEverything(run)
}

/** L5: who is idle and has parked on a live leader votes no more. */
function expectSilence(run: Agreement): void {
  const { plan, scheduler, counters } = run
  const isQuiet = [...plan.actors.values()].every((name) => QUIET.has(name))
  if (!isQuiet || plan.heartbeatMs > 0 || plan.misled !== null) return
  if (plan.amnesiac !== null) return
  scheduler.run(scheduler.now + 20_000)
  const before = votes(counters)
  scheduler.run(scheduler.now + 10_000)
  const given = votes(counters) - before
  if (given > 0) throw new Violation('L5', `${given} votes in 10 s of an idle network`)
}

/**
 * L6: in a good network without liars a lone transaction costs one block and nobody's patience, also when
 * some are dead: their views are left before anything waits for them.
 */
function expectOneBlockEach(run: Agreement): void {
  const { plan, scheduler, counters, oracle } = run
  const isGood = plan.residualLoss === 0 && plan.misled === null && plan.heartbeatMs === 0
  if (plan.sealChance > 0 || plan.amnesiac !== null) return
  if (!isGood || [...plan.actors.values()].some((name) => name !== 'silent')) return
  const blocks = oracle.finals.size
  const nullified = counters.get('nullify') ?? 0
  const everywhere = (name: string): boolean =>
    run.honest.every(({ ledger }) => ledger.included.has(name))
  const enoughMs = 3 * plan.calmDelayMs + 2 * plan.faults.executionMs + 100
  for (let count = 0; count <= plan.nodes; count += 1) {
    const begun = scheduler.now
    run.submit(`lone ${count}`)
    scheduler.run(begun + enoughMs, () => everywhere(`lone ${count}`))
    if (!everywhere(`lone ${count}`))
      throw new Violation('L6', `a lone transaction is not final after ${enoughMs} ms`)
    scheduler.run(begun + 3_000)
  }
  const made = oracle.finals.size - blocks
  const patience = plan.actors.size > 0 ? 0 : (counters.get('nullify') ?? 0) - nullified
  if (made !== plan.nodes + 1 || patience > 0)
    throw new Violation(
      'L6',
      `${plan.nodes + 1} lone transactions made ${made} blocks and ${patience} nullifies`,
    )
}

/** L7: nothing is kept that can be of no use any more. */
function expectBounds(run: Agreement): void {
  for (const { node, state } of run.honest) {
    const open = state.view - state.final.view
    const isMore = (what: string, kept: number, most: number): void => {
      if (kept > most)
        throw new Violation('L7', `node ${node} keeps ${kept} ${what} with ${open} open views`)
    }
    const { committed, final, blocks, views, fetching, syncing } = state
    const dead = [...blocks.values()].filter(({ meta }) => meta.view <= committed.view)
    isMore('views', views.size, open + 64 + 16)
    isMore('dead blocks', dead.length, 0)
    isMore('wanted blocks', fetching.size, open)
    isMore('ended syncs', syncing > 0 && committed.height >= final.subject.height ? 1 : 0, 0)
  }
}

function votes(counters: ReadonlyMap<string, number>): number {
  const kinds = ['notarize', 'nullify', 'finalize']
  return kinds.reduce((sum, kind) => sum + (counters.get(kind) ?? 0), 0)
}

function countViews(run: Agreement): void {
  const { oracle } = run
  if (oracle.splitViews > 0) run.count('notarized and nullified view')
  if (oracle.hasCompetingSeals) run.count('two competing sealing blocks')
}

function describe({ machines }: Agreement): string {
  return machines
    .map(({ node, isUp, isHalted, state, epoch }) => {
      if (!isUp) return `${node} down`
      const { view, final, committed } = state
      return `${node}${isHalted ? ' halted' : ''} epoch ${epoch} view ${view} final ${final.view} height ${committed.height}`
    })
    .join('; ')
}
