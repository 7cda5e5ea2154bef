// What is measured of an engine under load, the same for every one.

import { type Labels, quantile, type Target } from '../../../scripts/bench/figures.ts'
import type { Outcome, Plan } from '../../../scripts/bench/load/open-loop.ts'
import { loopbackBytes } from '../../../scripts/bench/processes.ts'
import { Load } from '../../../scripts/bench/load/load.ts'
import type {
  Engine,
  EngineOptions,
  EngineUsage,
  RunningEngine,
} from '../../../scripts/bench/peers/engine.ts'
import type { Give } from '../../../scripts/bench/program.ts'

export interface Place {
  readonly at: Labels & { readonly authorities: number }
  readonly give: Give
  readonly say: (line: string) => void
  readonly options: {
    readonly seconds: number
    readonly transactions: number
    readonly window: number
    /** A second, with commas between them. */
    readonly rates: string
    /** As parts of what was committed under saturation. */
    readonly loads: string
  }
  /** Where the targets are said. */
  readonly isFirst: boolean
}

export interface UnderLoad {
  readonly running: RunningEngine
  readonly load: Load
  readonly nodes: readonly number[]
}

const SLOWEST_SAMPLES = 15
const OVERLOAD = 2
const PATIENCE_MS = 60_000
const WARM_UP = 4_000

export async function withEngine<T>(
  engine: Engine,
  options: EngineOptions,
  measure: (under: UnderLoad) => Promise<T>,
): Promise<T> {
  const running = await engine.start(options)
  try {
    const load = await Load.start(running.contact)
    try {
      const nodes = Array.from({ length: options.authorities }, (_, index) => index)
      return await measure({ running, load, nodes })
    } finally {
      await load.close()
    }
  } finally {
    await running.stop()
  }
}

/** The loop is closed: as much as `windowMax` waits at each node all the time. */
export function saturating(
  nodes: readonly number[],
  { transactions, window }: { transactions: number; window: number },
): Plan {
  return {
    nodes,
    transactions,
    rate: null,
    windowMax: window,
    patienceMs: PATIENCE_MS,
    isCut: false,
    observers: 'first',
  }
}

export function atRate(nodes: readonly number[], rate: number, seconds: number): Plan {
  return {
    nodes,
    transactions: Math.round(rate * seconds),
    rate,
    windowMax: 0,
    patienceMs: PATIENCE_MS,
    isCut: false,
    observers: 'each',
  }
}

export async function warmUp({ load, nodes }: UnderLoad, { options }: Place): Promise<void> {
  const transactions = Math.min(WARM_UP, options.transactions)
  await load.run(saturating(nodes, { transactions, window: options.window }))
}

/** The p50 in milliseconds by rate. */
export async function measureRates(under: UnderLoad, place: Place) {
  const { options, say, isFirst } = place
  await warmUp(under, place)
  const p50AtRate: Record<number, number> = {}
  for (const rate of options.rates.split(',').map(Number)) {
    say(`${place.at.authorities} authorities, ${rate} a second`)
    const seconds = Math.max(
      options.seconds,
      Math.min(SLOWEST_SAMPLES, options.seconds * 1.5) / rate,
    )
    const outcome = await under.load.run(atRate(under.nodes, rate, seconds))
    const targets = isFirst && rate === 100 ? [{ under: 25 }, null, { under: 80 }] : []
    giveLatency(place, { rate }, outcome, targets)
    p50AtRate[rate] = quantile(outcome.latencies, 0.5)
  }
  return { p50AtRate }
}

export async function measureSaturation({ running, load, nodes }: UnderLoad, place: Place) {
  const { at, give, say, options, isFirst } = place
  say(`${at.authorities} authorities, saturated`)
  const before = await running.usage()
  const wireBefore = await loopbackBytes()
  const outcome = await load.run(saturating(nodes, options))
  const wireBytes = (await loopbackBytes()) - wireBefore
  const used = since(before, await running.usage())
  const perSecond = outcome.final / outcome.seconds
  const target = isFirst && at['engine'] === undefined ? { target: { atLeast: 4_000 } } : {}
  give('committed', 'tx/s', perSecond, { at, ...target })
  giveLatency(place, { load: 'saturation' }, outcome)
  giveCosts(place, { ...used, wireBytes }, outcome)
  return { perSecond, cpuMicroseconds: (used.cpuSeconds * 1e6) / outcome.final }
}

/** More and more of it is offered, until twice as much as could be committed. */
export async function measureLoads(under: UnderLoad, place: Place, peakPerSecond: number) {
  const { at, give, say, options } = place
  let best = peakPerSecond
  for (const load of options.loads.split(',').map(Number)) {
    const rate = Math.round(peakPerSecond * load)
    say(`${at.authorities} authorities, ${rate} a second offered`)
    const plan = { ...atRate(under.nodes, rate, options.seconds), observers: 'first' as const }
    const outcome = await under.load.run({ ...plan, isCut: load > 1 })
    const { steadyPerSecond } = outcome
    best = Math.max(best, steadyPerSecond)
    give('offered', 'tx/s', rate, { at: { ...at, load } })
    give('committed under load', 'tx/s', steadyPerSecond, { at: { ...at, load } })
    giveLatency(place, { load }, outcome)
    const { peakRssMiB } = await under.running.usage()
    give('peak RSS of a node', 'MiB', peakRssMiB, { at: { ...at, load } })
    if (load !== OVERLOAD) continue
    give('committed at twice the load, of the peak', 'x', steadyPerSecond / best, {
      at,
      target: { atLeast: 0.9 },
    })
  }
}

function giveLatency(
  { at, give }: Place,
  of: Labels,
  { latencies }: Outcome,
  targets: readonly (Target | null)[] = [],
): void {
  for (const [index, share] of [0.5, 0.95, 0.99].entries()) {
    const target = targets[index] ?? null
    give(`final, p${share * 100}`, 'ms', quantile(latencies, share), {
      at: { ...at, ...of },
      ...(target === null ? {} : { target }),
    })
  }
}

function since(before: EngineUsage, after: EngineUsage): EngineUsage {
  return {
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    peakRssMiB: after.peakRssMiB,
    diskBytes: after.diskBytes - before.diskBytes,
  }
}

function giveCosts(
  { at, give }: Place,
  used: EngineUsage & { wireBytes: number },
  outcome: Outcome,
): void {
  const share = outcome.final * at.authorities
  give('CPU, all nodes', 's', used.cpuSeconds, { at })
  give('CPU a transaction and node', 'µs', (used.cpuSeconds * 1e6) / share, { at })
  give('CPU a transaction, client', 'µs', (outcome.clientCpuSeconds * 1e6) / outcome.final, { at })
  give('peak RSS of a node', 'MiB', used.peakRssMiB, { at })
  give('on disk a transaction and node', 'B', used.diskBytes / share, { at })
  give('over the loopback a transaction, clients included', 'B', used.wireBytes / outcome.final, {
    at,
  })
}
