/** One seed of the world of whole nodes, from its plan to its end. */
import { inspect } from 'node:util'
import { Violation } from '../violation.ts'
import { type WholePlan, wholePlanOf } from './plan.ts'
import { runTurns } from './turns.ts'
import { WholeWorld } from './whole-world.ts'

/** Of virtual time, after the calm. */
const PATIENCE_MS = 40_000
/** Unless more are asked for: what larger networks add, the core world shows sooner. */
const AUTHORITIES_MAX = 7

export interface WholeRun {
  readonly world: WholeWorld
  readonly finalizedAfterMs: number
}

export class FailedWholeRun extends Error {
  readonly invariant: string
  readonly world: WholeWorld

  constructor(invariant: string, message: string, world: WholeWorld, options?: ErrorOptions) {
    super(`${message}; ${describe(world)}`, options)
    this.invariant = invariant
    this.world = world
  }
}

export function runWholeSeed(
  seed: number,
  sizes: { low: number; high: number },
  isTracing = false,
): Promise<WholeRun> {
  const high = Math.max(sizes.low, Math.min(sizes.high, AUTHORITIES_MAX))
  return runWhole(wholePlanOf(seed, { low: sizes.low, high }), isTracing)
}

/** @throws FailedWholeRun */
export async function runWhole(plan: WholePlan, isTracing = false): Promise<WholeRun> {
  const world = new WholeWorld(plan, isTracing)
  const stray = (error: unknown): void => world.fail(error)
  process.on('unhandledRejection', stray)
  try {
    await runTurns(world.scheduler, plan.calmMs + PATIENCE_MS, () => world.isDone())
  } catch (error) {
    world.fail(error)
  } finally {
    process.off('unhandledRejection', stray)
  }
  if (world.failure === null && !world.isDone()) world.fail(unfinished(world))
  for (const running of world.processes) if (running.life !== null) running.life.isOver = true
  const { failure } = world
  if (failure === null) return { world, finalizedAfterMs: world.scheduler.now - plan.calmMs }
  const invariant = failure instanceof Violation ? failure.invariant : 'error'
  const message = failure instanceof Error ? failure.message : inspect(failure)
  throw new FailedWholeRun(invariant, `seed ${plan.seed}: ${message}`, world, { cause: failure })
}

function describe({ plan }: WholeWorld): string {
  const actors = [...plan.actors].map(([index, name]) => `${index} ${name}`).join(', ')
  return `${plan.authorities} whole nodes, ${actors || 'no traitor'}`
}

function unfinished(world: WholeWorld): Violation {
  const { chain, honest, clients, governor } = world
  const openPromises = world.openPromises()
  const heights = honest.map(
    ({ name, running, height }) => `${name} ${running === null ? 'down' : height}`,
  )
  const lost = openPromises.map((id) => [id, chain.promised.get(id)?.by] as const)
  const open = clients.filter(({ isDone }) => !isDone).length
  const state = `heights ${heights.join(', ')}; ${open} clients wait`
  const [first] = lost
  if (first === undefined && !governor.isDone)
    return new Violation('L9', `no change passes after the calm, in epoch ${chain.epoch}: ${state}`)
  if (first === undefined) return new Violation('L1', `no end after the calm: ${state}`)
  const what = `${lost.length} promises, the first ${first[0].slice(0, 8)} by ${first[1]}`
  return new Violation('L4', `not kept after the calm: ${what}; ${state}`)
}
