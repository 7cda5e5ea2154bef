// How whole a set is, who has to make its missing shards again, and where: decisions over what a node
// sees, without a message.
//
//   good          its holder is a member that answers, and nobody showed that the shard is not there
//   missing       its holder answers and has no such shard
//   wrong         its holder answers with something else
//   unreachable   its holder is a member that does not answer
//   gone          its holder is no member any more
//
// The driver of a set is the first of its holders whose shard is good: all who see the same agree on it
// without a word. Two who see different things drive twice, to the same place, and the second is told
// that the shard is there.

export type ShardState = 'good' | 'missing' | 'wrong' | 'unreachable' | 'gone'
export type ShardFault = 'missing' | 'wrong'
export type Strength = 'full' | 'degraded' | 'atRisk' | 'lost'

export interface HolderOf {
  readonly id: string
  readonly legalGroup: string
}

/** What a node sees of the members. */
export interface HolderView {
  /** All members of now that may hold shards. */
  organisations(): readonly HolderOf[]
  /** 0: it answers. */
  awayMs(organisation: string): number
}

/** One look for many sets. */
export function viewOfNow(view: HolderView): HolderView {
  const organisations = view.organisations()
  const away = new Map(organisations.map(({ id }) => [id, view.awayMs(id)]))
  return {
    organisations: () => organisations,
    awayMs: (id) => away.get(id) ?? view.awayMs(id),
  }
}

export interface PlacedSet {
  readonly k: number
  readonly holders: readonly string[]
}

export function shardStates(
  { holders }: PlacedSet,
  view: HolderView,
  faults: ReadonlyMap<number, ShardFault> | undefined,
): ShardState[] {
  const members = new Set(view.organisations().map(({ id }) => id))
  return holders.map((holder, index) => {
    if (!members.has(holder)) return 'gone'
    if (view.awayMs(holder) > 0) return 'unreachable'
    return faults?.get(index) ?? 'good'
  })
}

export function strengthOf({ k }: PlacedSet, states: readonly ShardState[]): Strength {
  const good = states.filter((state) => state === 'good').length
  if (good === states.length) return 'full'
  if (good > k) return 'degraded'
  return good === k ? 'atRisk' : 'lost'
}

export function driverOf(
  { holders }: PlacedSet,
  states: readonly ShardState[],
): string | undefined {
  return holders.find((_, index) => states[index] === 'good')
}

/** Shards to be made again now; an unreachable holder is given the grace to come back. */
export function dueShards(
  { holders }: PlacedSet,
  states: readonly ShardState[],
  { view, graceMs }: { view: HolderView; graceMs: number },
): number[] {
  return holders.flatMap((holder, index) => {
    const state = states[index]
    if (state === undefined || state === 'good') return []
    if (state === 'unreachable' && view.awayMs(holder) < graceMs) return []
    return [index]
  })
}

/**
 * Where a shard is to be made again: at the same holder when it answers, else at the first member of
 * the ranking whose legal group has no other shard of the set. A holder that is only unreachable still
 * stands for its group at its other shards. Undefined: no member is free.
 */
export function newHolderFor(
  { holders }: PlacedSet,
  index: number,
  {
    view,
    ranking,
    states,
  }: {
    view: HolderView
    ranking: readonly string[]
    states: readonly ShardState[]
  },
): string | undefined {
  const before = holders[index]
  const state = states[index]
  if (before !== undefined && (state === 'missing' || state === 'wrong')) return before
  const groups = new Map(view.organisations().map(({ id, legalGroup }) => [id, legalGroup]))
  const taken = new Set(
    holders.flatMap((holder, other) => (other === index ? [] : (groups.get(holder) ?? []))),
  )
  return ranking.find((id) => {
    const group = groups.get(id)
    return group !== undefined && view.awayMs(id) === 0 && !taken.has(group)
  })
}
