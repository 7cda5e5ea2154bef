/** What a run of whole nodes is made of. Everything comes from the seed. */
import { type Random, randomOf } from '../random.ts'

const DRAWN_ACTORS = [
  'equivocator',
  'conflicting notarizer',
  'finalize and nullify',
  'nullify spammer',
  'silent',
  'withholder',
  'stale re-sender',
  'lying syncer',
  'twin',
  'spoiler',
  'garbage bomber',
  'gossip polluter',
  'impostor',
] as const

export type WholeActorName = (typeof DRAWN_ACTORS)[number] | 'false namer'

export interface WholeFaults {
  /** One way, in milliseconds; reordering is a matter of the width. */
  readonly delayMs: readonly [number, number]
  /** One link, both ways, takes so much longer. */
  readonly slowLinkMs: number
  readonly loss: number
  readonly duplication: number
  readonly partitionsPerSecond: number
  /** The process dies, the machine stays. */
  readonly killsPerSecond: number
  readonly powerLossesPerSecond: number
  /** All machines at once. */
  readonly blackoutsPerSecond: number
  /** At every boundary between two effects. */
  readonly boundaryCrash: number
  /** Chance that a sync takes long. */
  readonly slowDisk: number
  readonly fullDisksPerSecond: number
  /** Chance that a power loss takes the newest batches of the database along. */
  readonly rottenDisk: number
  readonly clockJumpsPerSecond: number
  readonly downMs: number
}

export interface WholePlan {
  readonly seed: number
  readonly authorities: number
  readonly observers: number
  /** Run from the start, and are no members before they are admitted. */
  readonly newcomers: number
  /** Of the network, proposed before the calm; 0: membership stands still. */
  readonly changes: number
  readonly actors: ReadonlyMap<number, WholeActorName>
  readonly faults: WholeFaults
  /** The faults end. */
  readonly calmMs: number
  readonly transactions: number
  readonly deltaMs: number
  readonly heartbeatMs: number
  readonly mempoolMax: number
  readonly segmentBytes: number
  /** Chance that what executes and commits blocks lets others have a turn, at every step. */
  readonly pauses: number
  /** Larger blocks are proposed by the names of their transactions. */
  readonly wholeBytesMax: number
  /** An authority of an earlier version, that is sent whole proposals. */
  readonly earlier: number | null
  /** By process: how far its wall clock is off. */
  readonly skewMs: readonly number[]
  /** An honest authority whose wall clock jumps: it counts as faulty for liveness. */
  readonly misled: number | null
}

export const CALM: WholeFaults = {
  delayMs: [2, 30],
  slowLinkMs: 0,
  loss: 0,
  duplication: 0,
  partitionsPerSecond: 0,
  killsPerSecond: 0,
  powerLossesPerSecond: 0,
  blackoutsPerSecond: 0,
  boundaryCrash: 0,
  slowDisk: 0,
  fullDisksPerSecond: 0,
  rottenDisk: 0,
  clockJumpsPerSecond: 0,
  downMs: 500,
}

export function calmWholePlan(authorities: number): WholePlan {
  return {
    seed: 1,
    authorities,
    observers: 0,
    newcomers: 0,
    changes: 0,
    actors: new Map(),
    faults: CALM,
    calmMs: 2_000,
    transactions: 20,
    deltaMs: 150,
    heartbeatMs: 0,
    mempoolMax: 200,
    segmentBytes: 1 << 20,
    pauses: 0,
    wholeBytesMax: 1 << 10,
    earlier: null,
    skewMs: [],
    misled: null,
  }
}

export function wholePlanOf(seed: number, sizes: { low: number; high: number }): WholePlan {
  const random = randomOf(Math.imul(seed, 0x85ebca6b))
  // What came later draws from numbers of its own: the seeds that were red stay what they were.
  const own = randomOf(Math.imul(seed, 0x9e3779b1))
  const authorities = sizes.low + (seed % (sizes.high - sizes.low + 1))
  const faulty = Math.floor((authorities - 1) / 3)
  const misled = faulty > 0 && random.chance(0.12) ? random.between(0, authorities - 1) : null
  const most = faulty - (misled === null ? 0 : 1)
  const observers = random.chance(0.3) ? 1 : 0
  const changes = random.chance(0.5) ? random.between(2, 6) : 0
  const newcomers = changes > 0 ? random.between(0, 2) : 0
  return {
    ...calmWholePlan(authorities),
    seed,
    pauses: seed % 3 === 0 ? 0.1 : 0,
    observers,
    newcomers,
    changes,
    actors: withNamer(actorsOf(random, authorities, { most, misled }), own),
    faults: faultsOf(random, misled !== null),
    calmMs: random.pick([4_000, 6_000, 9_000]),
    transactions: random.pick([6, 20, 60]),
    heartbeatMs: random.chance(0.2) ? 2_000 : 0,
    mempoolMax: random.chance(0.2) ? 5 : 400,
    segmentBytes: random.pick([8 << 10, 64 << 10, 1 << 20]),
    wholeBytesMax: own.pick([0, 0, 1 << 10]),
    earlier: own.chance(0.15) ? own.between(0, authorities - 1) : null,
    skewMs: Array.from({ length: authorities + observers + newcomers }, () =>
      Math.round((random.next() - 0.5) * 400),
    ),
    misled,
  }
}

/** One traitor in a dozen is a false namer instead. */
function withNamer(
  actors: ReadonlyMap<number, WholeActorName>,
  random: Random,
): Map<number, WholeActorName> {
  const cast = [...actors].map(([index, name]): [number, WholeActorName] => [
    index,
    random.chance(0.08) ? 'false namer' : name,
  ])
  return new Map(cast)
}

function actorsOf(
  random: Random,
  authorities: number,
  { most, misled }: { most: number; misled: number | null },
): Map<number, WholeActorName> {
  const actors = new Map<number, WholeActorName>()
  if (random.chance(0.1)) return actors
  while (actors.size < most) {
    const index = random.between(0, authorities - 1)
    if (index !== misled && !actors.has(index)) actors.set(index, random.pick(DRAWN_ACTORS))
  }
  return actors
}

/** From rough to nearly good, each kind of fault by itself sometimes absent. */
function faultsOf(random: Random, isMisled: boolean): WholeFaults {
  const some = (value: number, chance = 0.5): number => (random.chance(chance) ? value : 0)
  return {
    delayMs: random.pick([
      [1, 5],
      [5, 60],
      [20, 200],
    ] as const),
    slowLinkMs: some(400, 0.3),
    loss: some(random.pick([0.02, 0.1, 0.3])),
    duplication: some(0.1),
    partitionsPerSecond: some(0.5),
    killsPerSecond: some(random.pick([0.2, 0.6])),
    powerLossesPerSecond: some(random.pick([0.2, 0.5])),
    blackoutsPerSecond: some(0.2, 0.25),
    boundaryCrash: some(random.pick([0.0005, 0.004]), 0.5),
    slowDisk: some(random.pick([0.05, 0.3]), 0.4),
    fullDisksPerSecond: some(0.3, 0.25),
    rottenDisk: some(0.5, 0.2),
    clockJumpsPerSecond: isMisled ? 0.5 : 0,
    downMs: random.pick([200, 1_500, 5_000]),
  }
}
