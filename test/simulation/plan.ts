/** What a run is made of. Everything comes from the seed; `planOf` is the whole of its variety. */
import { type Random, randomOf } from './random.ts'

export const ACTORS = [
  'silent',
  'equivocator',
  'conflicting-notarizer',
  'finalize-and-nullify',
  'nullify-spammer',
  'withholder',
  'stale-resender',
  'vote-reorderer',
  'late-leader',
  'status-liar',
  'twin',
  'forker',
  'spoiler',
] as const

export type ActorName = (typeof ACTORS)[number]

export interface Faults {
  readonly loss: number
  /** Of proposals alone, which travel apart from votes. */
  readonly proposalLoss: number
  /** Of finalizes: finality lags and the open suffix grows. */
  readonly finalizeLoss: number
  readonly duplication: number
  readonly delayMs: readonly [number, number]
  readonly crashesPerSecond: number
  readonly powerCutsPerSecond: number
  readonly partitionsPerSecond: number
  /** Chance of a crash at each boundary between two effects. */
  readonly boundaryCrash: number
  /** Chance that a sync of the disk takes long. */
  readonly slowDisk: number
  /** Chance that a crash takes a group along that was durable, but for the marks. */
  readonly rottenDisk: number
  /** How long the database may take to make a block durable. */
  readonly commitMs: number
  /** The longest time that a range of blocks takes to arrive. */
  readonly syncMs: number
  /** The longest time that a crashed process stays away. */
  readonly downMs: number
  readonly executionMs: number
}

export interface Plan {
  readonly seed: number
  readonly authorities: number
  readonly actors: ReadonlyMap<number, ActorName>
  readonly faults: Faults
  /** Loss that stays when the faults are over. */
  readonly residualLoss: number
  /** The faults end. */
  readonly calmMs: number
  /** The longest delay then: less than Δ. */
  readonly calmDelayMs: number
  readonly transactions: number
  readonly heartbeatMs: number
  readonly deltaMs: number
  readonly skipMs: number
  readonly precisionMs: number
  readonly minBlockIntervalMs: number
  /** By authority: how far its wall clock is off. */
  readonly skewMs: readonly number[]
  /** An honest authority whose wall clock is useless: it counts as faulty for liveness. */
  readonly misled: number | null
  /** Every message goes through its bytes. */
  readonly isEncoded: boolean
}

export const NO_FAULTS: Faults = {
  loss: 0,
  proposalLoss: 0,
  finalizeLoss: 0,
  duplication: 0,
  delayMs: [5, 40],
  crashesPerSecond: 0,
  powerCutsPerSecond: 0,
  partitionsPerSecond: 0,
  boundaryCrash: 0,
  slowDisk: 0,
  rottenDisk: 0,
  commitMs: 15,
  syncMs: 80,
  downMs: 3_000,
  executionMs: 0,
}

export function calmPlan(authorities: number): Plan {
  return {
    seed: 1,
    authorities,
    actors: new Map(),
    faults: NO_FAULTS,
    residualLoss: 0,
    calmMs: 0,
    calmDelayMs: 40,
    transactions: 0,
    heartbeatMs: 0,
    deltaMs: 150,
    skipMs: 2_000,
    precisionMs: 500,
    minBlockIntervalMs: 0,
    skewMs: [],
    misled: null,
    isEncoded: false,
  }
}

export interface Sizes {
  readonly low: number
  readonly high: number
}

export function planOf(seed: number, sizes: Sizes): Plan {
  const random = randomOf(Math.imul(seed, 0x9e3779b1))
  const authorities = sizes.low + (seed % (sizes.high - sizes.low + 1))
  const faulty = Math.floor((authorities - 1) / 3)
  const misled = faulty > 0 && random.chance(0.1) ? random.between(0, authorities - 1) : null
  const actors = actorsOf(random, authorities, { most: faulty - (misled === null ? 0 : 1), misled })
  const precisionMs = 500
  const skewMs = Array.from({ length: authorities }, (_, index) =>
    index === misled
      ? random.pick([-60_000, 60_000])
      : Math.round((random.next() - 0.5) * precisionMs),
  )
  return {
    ...calmPlan(authorities),
    seed,
    actors,
    faults: faultsOf(random),
    residualLoss: random.chance(0.25) ? 0.05 : 0,
    calmMs: 12_000,
    calmDelayMs: random.pick([40, 140]),
    transactions: random.pick([3, 10, 30, 120]),
    heartbeatMs: random.chance(0.15) ? 3_000 : 0,
    minBlockIntervalMs: random.chance(0.15) ? 100 : 0,
    precisionMs,
    skewMs,
    misled,
    isEncoded: seed % 8 === 0,
  }
}

function actorsOf(
  random: Random,
  authorities: number,
  { most, misled }: { most: number; misled: number | null },
): Map<number, ActorName> {
  const actors = new Map<number, ActorName>()
  if (random.chance(0.1)) return actors
  while (actors.size < most) {
    const index = random.between(0, authorities - 1)
    if (index !== misled && !actors.has(index)) actors.set(index, random.pick(ACTORS))
  }
  return actors
}

/** From rough to nearly good, each kind of fault by itself sometimes absent. */
function faultsOf(random: Random): Faults {
  const some = (value: number, chance = 0.6): number => (random.chance(chance) ? value : 0)
  return {
    loss: some(random.pick([0.05, 0.2, 0.4])),
    proposalLoss: some(0.6, 0.15),
    finalizeLoss: some(random.pick([0.5, 0.9]), 0.3),
    duplication: some(0.2, 0.5),
    delayMs: [5, random.pick([40, 200, 600])],
    crashesPerSecond: some(random.pick([0.2, 0.6])),
    powerCutsPerSecond: some(random.pick([0.15, 0.5]), 0.3),
    partitionsPerSecond: some(0.4),
    boundaryCrash: some(random.pick([0.0005, 0.005]), 0.5),
    slowDisk: some(random.pick([0.02, 0.2, 0.5]), 0.5),
    rottenDisk: some(0.5, 0.2),
    commitMs: random.pick([15, 600]),
    syncMs: random.pick([80, 3_000]),
    downMs: random.pick([500, 3_000, 9_000]),
    executionMs: some(30, 0.3),
  }
}
