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
  'lying-syncer',
  'block-bomber',
  'restored-backup',
  'early-voter',
  'impostor',
  'seal-breaker',
] as const

export type ActorName = (typeof ACTORS)[number]

export type Latency = 'lan' | 'wan' | 'slow link'

export interface Faults {
  readonly loss: number
  /** Of proposals alone, which travel apart from votes. */
  readonly proposalLoss: number
  /** Of finalizes: finality lags and the open suffix grows. */
  readonly finalizeLoss: number
  readonly duplication: number
  readonly delayMs: readonly [number, number]
  readonly latency: Latency
  readonly crashesPerSecond: number
  readonly powerCutsPerSecond: number
  readonly partitionsPerSecond: number
  /** Chance of a crash at each boundary between two effects. */
  readonly boundaryCrash: number
  /** Chance that a sync of the disk takes long. */
  readonly slowDisk: number
  /** A disk that takes no more ends its process; the operator makes room. */
  readonly fullDisksPerSecond: number
  /** A wall clock jumps by up to two seconds, and is right again soon. */
  readonly clockJumpsPerSecond: number
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
  readonly nodes: number
  /** The nodes that are authorities in the first epoch. */
  readonly founders: readonly number[]
  /** Chance that a leader's block is one in which a change passes: the authorities are drawn anew. */
  readonly sealChance: number
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
  /** By node: how far its wall clock is off. */
  readonly skewMs: readonly number[]
  /** An honest authority whose wall clock is useless: it counts as faulty for liveness. */
  readonly misled: number | null
  /** An honest node that loses its votes once, and counts as faulty too. */
  readonly amnesiac: number | null
  /** More traitors than safety survives, each with a process on either side of a network cut in two. */
  readonly isOverrun: boolean
  /** Every message goes through its bytes. */
  readonly isEncoded: boolean
}

export const NO_FAULTS: Faults = {
  loss: 0,
  proposalLoss: 0,
  finalizeLoss: 0,
  duplication: 0,
  delayMs: [5, 40],
  latency: 'lan',
  crashesPerSecond: 0,
  powerCutsPerSecond: 0,
  partitionsPerSecond: 0,
  boundaryCrash: 0,
  slowDisk: 0,
  fullDisksPerSecond: 0,
  clockJumpsPerSecond: 0,
  rottenDisk: 0,
  commitMs: 15,
  syncMs: 80,
  downMs: 3_000,
  executionMs: 0,
}

export function calmPlan(nodes: number): Plan {
  return {
    seed: 1,
    nodes,
    founders: allOf(nodes),
    sealChance: 0,
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
    amnesiac: null,
    isOverrun: false,
    isEncoded: false,
  }
}

export interface Sizes {
  readonly low: number
  readonly high: number
}

export function planOf(seed: number, sizes: Sizes): Plan {
  const random = randomOf(Math.imul(seed, 0x9e3779b1))
  const nodes = sizes.low + (seed % (sizes.high - sizes.low + 1))
  if (random.chance(0.03)) return overrunPlan(seed, nodes, random)
  const bearable = Math.floor((nodes - 1) / 3)
  const one = (chance: number): number | null =>
    bearable > 0 && random.chance(chance) ? random.between(0, nodes - 1) : null
  const misled = one(0.1)
  const amnesiac = misled === null ? one(0.2) : null
  const faulty = [misled, amnesiac].filter((node) => node !== null)
  const actors = actorsOf(random, nodes, { most: bearable - faulty.length, faulty })
  const precisionMs = 500
  const skewMs = Array.from({ length: nodes }, (_, index) =>
    index === misled
      ? random.pick([-60_000, 60_000])
      : Math.round((random.next() - 0.5) * precisionMs),
  )
  const plan = {
    ...calmPlan(nodes),
    seed,
    actors,
    faults: faultsOf(random),
    residualLoss: random.chance(0.25) ? 0.05 : 0,
    calmMs: 12_000,
    calmDelayMs: random.pick([40, 140]),
    transactions: random.pick([3, 10, 30, 120, 400]),
    heartbeatMs: random.chance(0.15) ? 3_000 : 0,
    minBlockIntervalMs: random.chance(0.15) ? 100 : 0,
    precisionMs,
    skewMs,
    misled,
    amnesiac,
    isEncoded: seed % 8 === 1,
  }
  if (random.chance(0.01)) return withoutProposals(plan)
  return random.chance(0.5) ? plan : withEpochs(plan, random)
}

/** As many twins as the overlap of two quorums: with half of the honest each, both sides go on alone. */
function overrunPlan(seed: number, nodes: number, random: Random): Plan {
  const quorum = Math.ceil((2 * nodes) / 3)
  const traitors = allOf(nodes).slice(0, 2 * quorum - nodes)
  return {
    ...calmPlan(nodes),
    seed,
    actors: new Map(traitors.map((node) => [node, 'twin' as const])),
    calmMs: 4_000,
    transactions: random.pick([3, 10, 30]),
    isOverrun: true,
  }
}

/** So many views without a block that no proposal can carry the proof of all of them. */
function withoutProposals(plan: Plan): Plan {
  const faults = { ...plan.faults, proposalLoss: 1, delayMs: [5, 40] as const }
  return { ...plan, faults, deltaMs: 60, calmDelayMs: 40, calmMs: 75_000, transactions: 5 }
}

/** Authority sets of four to seven change all the time, with no more faulty than each can bear. */
function withEpochs(plan: Plan, random: Random): Plan {
  const founders = drawMembers(plan, random)
  if (founders === null) return plan
  return { ...plan, founders, sealChance: random.pick([0.05, 0.2, 0.5]) }
}

/** Nodes that could be authorities together, in any order. */
export function drawMembers(plan: Plan, random: Random): readonly number[] | null {
  const { nodes, actors, misled, amnesiac } = plan
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const size = random.between(Math.min(4, nodes), Math.min(7, nodes))
    const rest = [...allOf(nodes)]
    const members: number[] = []
    while (members.length < size)
      members.push(...rest.splice(random.between(0, rest.length - 1), 1))
    const isFaulty = (node: number): boolean =>
      actors.has(node) || node === misled || node === amnesiac
    if (members.filter(isFaulty).length <= Math.floor((size - 1) / 3)) return members
  }
  return null
}

function allOf(nodes: number): number[] {
  return Array.from({ length: nodes }, (_, node) => node)
}

function actorsOf(
  random: Random,
  nodes: number,
  { most, faulty }: { most: number; faulty: readonly number[] },
): Map<number, ActorName> {
  const actors = new Map<number, ActorName>()
  if (random.chance(0.1)) return actors
  while (actors.size < most) {
    const node = random.between(0, nodes - 1)
    if (!faulty.includes(node) && !actors.has(node)) actors.set(node, random.pick(ACTORS))
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
    latency: random.pick(['lan', 'lan', 'wan', 'slow link']),
    crashesPerSecond: some(random.pick([0.2, 0.6])),
    powerCutsPerSecond: some(random.pick([0.15, 0.5]), 0.3),
    partitionsPerSecond: some(0.4),
    boundaryCrash: some(random.pick([0.0005, 0.005]), 0.5),
    slowDisk: some(random.pick([0.02, 0.2, 0.5]), 0.5),
    fullDisksPerSecond: some(0.2, 0.2),
    clockJumpsPerSecond: some(0.4, 0.3),
    rottenDisk: some(0.5, 0.2),
    commitMs: random.pick([15, 600]),
    syncMs: random.pick([80, 3_000]),
    downMs: random.pick([500, 3_000, 9_000]),
    executionMs: some(30, 0.3),
  }
}
