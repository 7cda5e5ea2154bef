/**
 * What can be taken from a plan so that less happens in it. A reduction has a name, so that a smaller run
 * can be asked for on the command line; applied in the same order they give the same run.
 */
import { type Faults, NO_FAULTS, type Plan } from './plan.ts'

/** @returns the plan without it, or null when there is nothing to take. */
export function reduce(plan: Plan, name: string): Plan | null {
  const [what = '', which = ''] = name.split(':')
  switch (what) {
    case 'node':
      return withoutLastNode(plan)
    case 'actor':
      return withoutActor(plan, Number(which))
    case 'fault':
      return withoutFault(plan, which)
    case 'half':
      return plan.calmMs < 1_000 ? null : { ...plan, calmMs: Math.floor(plan.calmMs / 2) }
    case 'transactions':
      return plan.transactions < 2
        ? null
        : { ...plan, transactions: Math.floor(plan.transactions / 2) }
    case 'epochs':
      return plan.sealChance === 0 ? null : { ...plan, sealChance: 0 }
    case 'amnesiac':
      return plan.amnesiac === null ? null : { ...plan, amnesiac: null }
    case 'misled':
      return plan.misled === null ? null : { ...plan, misled: null, skewMs: [] }
    case 'skew':
      return plan.misled !== null || plan.skewMs.length === 0 ? null : { ...plan, skewMs: [] }
    case 'rest':
      return withoutRest(plan)
    default:
      throw new RangeError(`there is no reduction "${name}"`)
  }
}

/** Every reduction that may be worth a try, those that take most first. */
export function reductionsOf(plan: Plan): string[] {
  const actors = [...plan.actors.keys()].map((node) => `actor:${node}`)
  const faults = Object.keys(NO_FAULTS).map((fault) => `fault:${fault}`)
  const small = ['epochs', 'amnesiac', 'misled', 'skew', 'rest']
  return ['half', 'node', ...actors, 'transactions', ...faults, ...small]
}

function withoutLastNode(plan: Plan): Plan | null {
  const last = plan.nodes - 1
  const isNeeded = plan.amnesiac === last || plan.misled === last || plan.actors.has(last)
  const founders = plan.founders.filter((node) => node !== last)
  const bearable = Math.floor((founders.length - 1) / 3)
  const isFaulty = (node: number): boolean =>
    plan.actors.has(node) || node === plan.amnesiac || node === plan.misled
  if (isNeeded || last < 1 || founders.length === 0) return null
  if (founders.filter(isFaulty).length > bearable) return null
  return { ...plan, nodes: last, founders }
}

function withoutActor(plan: Plan, node: number): Plan | null {
  if (!plan.actors.has(node) || plan.isOverrun) return null
  const actors = new Map(plan.actors)
  actors.delete(node)
  return { ...plan, actors }
}

function withoutFault(plan: Plan, which: string): Plan | null {
  const name = which
  if (!isFault(name)) throw new RangeError(`there is no fault "${which}"`)
  if (JSON.stringify(plan.faults[name]) === JSON.stringify(NO_FAULTS[name])) return null
  return { ...plan, faults: { ...plan.faults, [name]: NO_FAULTS[name] } }
}

function isFault(name: string): name is keyof Faults {
  return name in NO_FAULTS
}

function withoutRest(plan: Plan): Plan | null {
  const { residualLoss, heartbeatMs, minBlockIntervalMs, isEncoded } = plan
  if (residualLoss === 0 && heartbeatMs === 0 && minBlockIntervalMs === 0 && !isEncoded) return null
  return { ...plan, residualLoss: 0, heartbeatMs: 0, minBlockIntervalMs: 0, isEncoded: false }
}
