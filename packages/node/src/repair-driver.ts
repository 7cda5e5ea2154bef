// Who drives the repair of a set says where each missing shard is to be made again, and sees it done.
//
// It moves no shard itself: the new holder gets what travels beside the shards, and makes its own with the
// help of the others (shard-restore.ts). Sets that lost a shard to the same new holder go together. What
// cannot be done now is said, with the reason; nothing is kept about it, for the next look at
// the sets finds it again.

import { placementOrder, type PossibleHolder, shardBytesOf, type ShardHead } from '@mooring/records'
import type { Clock } from './clock.ts'
import { cutToSize } from './cut-to-size.ts'
import type { KnownSet, KnownSets } from './known-sets.ts'
import type { Logger } from './logger.ts'
import {
  driverOf,
  dueShards,
  type HolderView,
  newHolderFor,
  type ShardState,
  shardStates,
  viewOfNow,
} from './set-health.ts'
import type { ShardFaults } from './shard-faults.ts'
import { VaultPeerError, type VaultPeers } from './vault-peers.ts'

export interface RepairModules {
  readonly peers: VaultPeers
  readonly view: HolderView
  /** Members that new shards may be placed with. */
  readonly candidates: () => readonly PossibleHolder[]
  readonly faults: ShardFaults
  readonly known: Pick<KnownSets, 'moved'>
  readonly clock: Clock
  readonly logger: Logger
}

export interface RepairHow {
  /** An unreachable holder is waited for so long. */
  readonly graceMs: number
  /** Those that do not come back are replaced at once. */
  readonly gone: ReadonlySet<string>
  /** Also sets that another holder drives. */
  readonly drivesAll: boolean
  readonly signal: AbortSignal
}

export interface RepairedShard {
  readonly set: KnownSet
  readonly index: number
  /** Who had it. */
  readonly before: string
  /** Who was to get it; null when nobody could. */
  readonly holder: string | null
  /** `kept` when it did. */
  readonly outcome: string
}

export interface RepairResult {
  readonly shards: readonly RepairedShard[]
  readonly liars: readonly string[]
}

interface Due {
  readonly set: KnownSet
  readonly index: number
}

interface Progress {
  readonly liars: Set<string>
  /** Where the shards of a set are by now, when one was made again. */
  readonly places: Map<KnownSet, readonly string[]>
  readonly signal: AbortSignal
}

const BATCH_MAX = { itemsMax: 256, bytesMax: 3 << 20 }
const RESTORE_TIMEOUT_MS = 60_000
const POLL_MS = 1_000
const POLLS_MAX = 3_600

/** Of these sets, what is due now. */
export async function repairSets(
  modules: RepairModules,
  sets: readonly KnownSet[],
  how: RepairHow,
): Promise<RepairResult> {
  const shards: RepairedShard[] = []
  const liars = new Set<string>()
  const progress: Progress = { liars, places: new Map(), signal: how.signal }
  for (const [holder, due] of plan(modules, sets, how)) {
    if (holder === null) {
      shards.push(...due.map((each) => ({ ...each, ...nowhere(each) })))
      continue
    }
    for (const batch of cutToSize(due, ({ set: { set } }) => shardBytesOf(set), BATCH_MAX)) {
      how.signal.throwIfAborted()
      const outcome = await restoreAt(modules, holder, batch, progress)
      shards.push(...outcome)
    }
  }
  return { shards, liars: [...liars] }
}

function nowhere({ set, index }: Due): Pick<RepairedShard, 'before' | 'holder' | 'outcome'> {
  return { before: set.holders[index] ?? '', holder: null, outcome: 'no_holder_free' }
}

/** What is due, by who is to have it; null: nobody is free. */
function plan(
  { peers, view: current, candidates, faults }: RepairModules,
  sets: readonly KnownSet[],
  { graceMs, gone, drivesAll }: RepairHow,
): Map<string | null, Due[]> {
  const view = viewOfNow(current)
  const found = new Map<string | null, Due[]>()
  for (const set of sets) {
    const placed = { k: set.set.k, holders: set.holders }
    const states = shardStates(placed, view, faults.of(set.setId)).map(
      (state, index): ShardState => (gone.has(set.holders[index] ?? '') ? 'gone' : state),
    )
    const due = dueShards(placed, states, { view, graceMs })
    if (due.length === 0) continue
    if (!drivesAll && driverOf(placed, states) !== peers.self) continue
    const ranking = placementOrder(
      set.setId,
      candidates().filter(({ id }) => !gone.has(id)),
    )
    let holders = set.holders
    for (const index of due) {
      const holder =
        newHolderFor({ k: set.set.k, holders }, index, { view, ranking, states }) ?? null
      // The next one must not go to the same legal group.
      if (holder !== null) holders = holders.with(index, holder)
      const others = found.get(holder) ?? []
      others.push({ set, index })
      found.set(holder, others)
    }
  }
  return found
}

async function restoreAt(
  modules: RepairModules,
  holder: string,
  batch: readonly Due[],
  { liars, places, signal }: Progress,
): Promise<RepairedShard[]> {
  const { peers, known, faults, logger } = modules
  const done: RepairedShard[] = []
  let left = batch
  for (let polls = 0; left.length > 0 && polls < POLLS_MAX; polls += 1) {
    if (polls > 0) await pause(modules.clock, signal)
    const items = left.map(({ set, index }): ShardHead => {
      return {
        set: set.encodedSet,
        manifest: set.manifest,
        holders: [...(places.get(set) ?? set.holders)],
        index,
      }
    })
    const body = { items, avoid: [...liars].slice(0, 16) }
    const outcomes = await ask(peers, holder, body, liars)
    const kept = left.filter((_, at) => outcomes[at] === 'kept')
    for (const { set, index } of kept) {
      faults.clear(set.setId, index)
      places.set(set, (places.get(set) ?? set.holders).with(index, holder))
    }
    // Also where it was before: the custodian may have missed that it came. All at once is few flushes.
    await Promise.all(kept.map(({ set, index }) => known.moved(set.setId, index, holder)))
    done.push(
      ...left.flatMap((each, at) => {
        const outcome = outcomes[at] ?? 'unanswered'
        const before = each.set.holders[each.index] ?? ''
        return outcome === 'under_way' ? [] : [{ ...each, before, holder, outcome }]
      }),
    )
    left = left.filter((_, at) => outcomes[at] === 'under_way')
  }
  const kept = done.filter(({ outcome }) => outcome === 'kept').length
  if (kept > 0) logger.info('shards made again', { holder, shards: kept })
  return done
}

async function ask(
  peers: VaultPeers,
  holder: string,
  body: { items: ShardHead[]; avoid: string[] },
  liars: Set<string>,
): Promise<string[]> {
  const unanswered = body.items.map(() => 'unanswered')
  try {
    const request = { kind: 'restore' as const, body }
    const answer = await peers.request(holder, request, { timeoutMs: RESTORE_TIMEOUT_MS })
    for (const liar of answer.body.liars) liars.add(liar)
    return answer.body.outcomes.length === body.items.length ? answer.body.outcomes : unanswered
  } catch (error) {
    if (!(error instanceof VaultPeerError)) throw error
    return unanswered.map(() => error.refusal ?? error.code)
  }
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    clock.after(POLL_MS, resolve)
  })
  signal.throwIfAborted()
}
