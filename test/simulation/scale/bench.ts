/**
 * Scale, by simulation: `npm run bench -- scale`. Four to a hundred authorities and up to a thousand nodes in all,
 * on lines of 10 Mbit/s, in virtual time. What is real and what is modelled is said in `network.ts`; what each
 * thing costs is measured first, on this computer. One seed and the same costs give the same figures: `--costs
 * reference` takes those that are written down.
 */
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { type Costs, REFERENCE } from './costs.ts'
import { measureCosts } from './measure-costs.ts'
import { type Outcome, ScaleNetwork, type ScalePlan } from './network.ts'

const SLOWER = 4
const TARGET = { authorities: 100, underMs: 800 }

interface Sweeps {
  readonly authorities: readonly number[]
  readonly rates: Readonly<Record<number, readonly number[]>>
  readonly latencies: readonly (number | readonly [number, number])[]
  readonly latencyAuthorities: number
  readonly lines: readonly number[]
  readonly lineAuthorities: number
  readonly nodes: readonly number[]
  readonly nodeAuthorities: number
}

const FULL: Sweeps = {
  authorities: [4, 7, 10, 16, 25, 40, 64, 100],
  rates: {
    4: [1, 10, 100, 300, 1_200, 2_400, 4_800, 9_600],
    25: [1, 10, 30, 100, 200, 400, 800, 1_600],
    100: [1, 10, 40, 80, 160, 320, 640, 1_280],
  },
  latencies: [50, 100, 150, 250, [50, 250]],
  latencyAuthorities: 25,
  lines: [5, 10, 30, 100],
  lineAuthorities: 100,
  nodes: [16, 30, 100, 300, 1_000],
  nodeAuthorities: 16,
}

const QUICK: Sweeps = {
  authorities: [4, 7],
  rates: { 4: [10, 100] },
  latencies: [50, [50, 250]],
  latencyAuthorities: 4,
  lines: [5, 100],
  lineAuthorities: 4,
  nodes: [4, 20],
  nodeAuthorities: 4,
}

const BASE = { observers: 0, megabits: 10, latencyMs: 100, deltaMs: 500, rate: 10, warmMs: 3_000 }

await runBench({
  name: 'scale',
  what: 'by simulation: up to 100 authorities and 1,000 nodes, lines of 10 Mbit/s',
  options: { seed: 1, costs: 'measured', measuredMs: 8_000 },
  quick: { measuredMs: 1_500 },
  runs: 1,
  run: async ({ options, isQuick, give, note, say }) => {
    const costs = options.costs === 'reference' ? REFERENCE : await measureCosts(isQuick)
    giveCosts(costs, give)
    const { seed, measuredMs } = options
    const simulate: Simulate = (plan, paid = costs) => {
      const began = performance.now()
      const network = new ScaleNetwork({ ...BASE, seed, measuredMs, ...plan }, paid)
      const outcome = network.run()
      const seconds = ((performance.now() - began) / 1_000).toFixed(1)
      say(`${JSON.stringify(plan)}: height ${outcome.height}, simulated in ${seconds} s`)
      return outcome
    }
    const sweeps = isQuick ? QUICK : FULL
    sweepAuthorities(sweeps, simulate, give)
    sweepRates(sweeps, simulate, give)
    sweepLatencies(sweeps, simulate, give)
    sweepLines(sweeps, simulate, give)
    sweepNodes(sweeps, simulate, give)
    const [authorities = 4] = sweeps.authorities.slice(-1)
    const slow = simulate({ authorities }, timesOf(costs, SLOWER))
    give('final, p50', 'ms', at50(slow), { at: { authorities, 'times the cost': SLOWER } })
    note(
      'Virtual time: the real state machine, timers and message encodings; lines, threads, disks and gossip are models ' +
        '(`test/simulation/scale/network.ts`), and what each step costs was measured first. In every run a second final ' +
        'block at a height, or a transaction final twice, would have ended it.',
    )
    note(
      'If nothing else is said: lines of 10 Mbit/s, 100 ms one way, Δ 500 ms, 10 transactions a second in all, no ' +
        'observers. Final is from the submission at an authority to durable there. How the cost of a transaction grows ' +
        'with the length of the chain is measured on a real disk by `state`.',
    )
  },
})

type Simulate = (plan: Partial<ScalePlan> & { authorities: number }, paid?: Costs) => Outcome

/** What is measured alone, in a loop, costs more among all the rest of a node. */
function timesOf(costs: Costs, times: number): Costs {
  const { transactionBytes, headerBytes } = costs
  const scaled = Object.entries(costs).map(([what, ms]: [string, number]) => [what, ms * times])
  return { ...costs, ...Object.fromEntries(scaled), transactionBytes, headerBytes }
}

function sweepAuthorities(sweeps: Sweeps, simulate: Simulate, give: Give): void {
  for (const authorities of sweeps.authorities) {
    const outcome = simulate({ authorities })
    const at = { authorities }
    const isTarget = authorities === TARGET.authorities
    const target = isTarget ? { target: { under: TARGET.underMs } } : {}
    give('final, p50', 'ms', at50(outcome), { at, ...target })
    give('final, p95', 'ms', quantile(outcome.finalMs, 0.95), { at })
    give('blocks', '1/s', outcome.blocksPerSecond, { at })
    give('sent by an authority', 'kB/s', outcome.authority.sentPerSecond / 1_000, { at })
    give('received by an authority', 'kB/s', outcome.authority.receivedPerSecond / 1_000, { at })
    give('sent by the busiest', 'kB/s', outcome.busiestSentPerSecond / 1_000, { at })
    give('its thread is busy', '%', outcome.busy * 100, { at })
  }
}

function sweepRates(sweeps: Sweeps, simulate: Simulate, give: Give): void {
  for (const [name, rates] of Object.entries(sweeps.rates)) {
    const authorities = Number(name)
    for (const rate of rates) {
      const outcome = simulate({ authorities, rate })
      const at = { authorities, rate }
      give('committed', '1/s', outcome.committedPerSecond, { at })
      // On lines that are overrun there may be nothing to divide by.
      if (outcome.finalMs.length === 0 || outcome.committedPerSecond === 0) continue
      give('final, p50', 'ms', at50(outcome), { at })
      give('final, p95', 'ms', quantile(outcome.finalMs, 0.95), { at })
      const bytes = outcome.authority.sentPerSecond / outcome.committedPerSecond
      give('sent by an authority for a transaction', 'kB', bytes / 1_000, { at })
      give('CPU of an authority for a transaction', 'ms', cpuMsOf(outcome), { at })
    }
  }
}

function cpuMsOf({ busy, committedPerSecond }: Outcome): number {
  return (busy * 1_000) / committedPerSecond
}

function sweepLatencies(sweeps: Sweeps, simulate: Simulate, give: Give): void {
  const authorities = sweeps.latencyAuthorities
  for (const latencyMs of sweeps.latencies) {
    const outcome = simulate({ authorities, latencyMs })
    const latency = typeof latencyMs === 'number' ? latencyMs : latencyMs.join(' to ')
    const at = { latency }
    give(`final, p50, ${authorities} authorities`, 'ms', at50(outcome), { at })
    give(`final, p95, ${authorities} authorities`, 'ms', quantile(outcome.finalMs, 0.95), { at })
  }
}

/** What a thicker line changes: all that is left above is the way itself. */
function sweepLines(sweeps: Sweeps, simulate: Simulate, give: Give): void {
  const authorities = sweeps.lineAuthorities
  for (const megabits of sweeps.lines) {
    const outcome = simulate({ authorities, megabits })
    const at = { 'Mbit/s': megabits }
    give(`final, p50, ${authorities} authorities`, 'ms', at50(outcome), { at })
    give(`final, p95, ${authorities} authorities`, 'ms', quantile(outcome.finalMs, 0.95), { at })
  }
}

function sweepNodes(sweeps: Sweeps, simulate: Simulate, give: Give): void {
  const authorities = sweeps.nodeAuthorities
  for (const nodes of sweeps.nodes) {
    const outcome = simulate({ authorities, observers: nodes - authorities })
    const at = { nodes }
    give('final, p50', 'ms', at50(outcome), { at })
    give('final, p95', 'ms', quantile(outcome.finalMs, 0.95), { at })
    give('sent by an authority', 'kB/s', outcome.authority.sentPerSecond / 1_000, { at })
    if (nodes === authorities) continue
    give('sent by an observer', 'kB/s', outcome.observer.sentPerSecond / 1_000, { at })
    give('received by an observer', 'kB/s', outcome.observer.receivedPerSecond / 1_000, { at })
    give('an observer is behind', 'blocks', outcome.observerLag, { at })
  }
}

function at50(outcome: Outcome): number {
  return quantile(outcome.finalMs, 0.5)
}

function giveCosts(costs: Costs, give: Give): void {
  const many = costs.stepMs + TARGET.authorities * costs.stepAuthorityMs
  const each = {
    'one frame, sent or received': costs.frameMs,
    'a vote signed': costs.signMs,
    'a vote verified': costs.verifyVoteMs,
    'a certificate verified, for each signature': costs.verifyMemberMs,
    'a vote decoded': costs.decodeVoteMs,
    'a step with 100 authorities': many,
    'a transaction decoded and verified': costs.admitMs,
    'a transaction applied': costs.applyMs,
    'a block without transactions': costs.blockMs,
    'the journal synced': costs.syncMs,
  }
  for (const [what, ms] of Object.entries(each)) give(`measured: ${what}`, 'µs', ms * 1_000)
}
