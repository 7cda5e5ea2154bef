// Looking at all sets that this node knows of: how whole they are, and what their holders say.

import { HAVE_SETS_MAX } from '@mooring/records'
import { inGroups, type KnownSet, type KnownSets } from './known-sets.ts'
import {
  type HolderView,
  type ShardState,
  shardStates,
  type Strength,
  strengthOf,
  viewOfNow,
} from './set-health.ts'
import type { ShardFaults } from './shard-faults.ts'
import { runInSlices } from './time-slices.ts'
import { findMissing } from './vault-audit.ts'
import type { VaultPeers } from './vault-peers.ts'

export type Strengths = Record<Strength, number>

export interface HolderCount {
  shards: number
  /** Of these, missing or wrong. */
  bad: number
}

export interface Survey extends Counted {
  /** Those of this node's own records. */
  readonly own: Counted
}

export interface Counted {
  readonly sets: number
  readonly strengths: Strengths
  readonly holders: ReadonlyMap<string, HolderCount>
}

export interface SurveyModules {
  readonly peers: VaultPeers
  readonly view: HolderView
  readonly faults: ShardFaults
  readonly known: KnownSets
}

export interface SurveyHow {
  readonly signal: AbortSignal
  readonly onProgress?: (looked: number) => void
}

const GROUP = Math.min(1_024, HAVE_SETS_MAX)

/** By what is known, without asking anybody. */
export async function countStrengths(
  modules: SurveyModules,
  { signal, onProgress }: SurveyHow,
): Promise<Survey> {
  const all = new Count()
  const own = new Count()
  for await (const group of inGroups(modules.known.all(), GROUP)) {
    signal.throwIfAborted()
    const seen = { faults: modules.faults, view: viewOfNow(modules.view) }
    await runInSlices(group.values(), (set) => {
      const states = statesOf(seen, set)
      all.add(set, states)
      if (set.set.custodian === modules.peers.self) own.add(set, states)
    })
    onProgress?.(all.sets)
  }
  return { sets: all.sets, strengths: all.strengths, holders: all.holders, own }
}

class Count implements Counted {
  sets = 0
  readonly strengths: Strengths = { full: 0, degraded: 0, atRisk: 0, lost: 0 }
  readonly holders = new Map<string, HolderCount>()

  add({ set: { k }, holders }: KnownSet, states: readonly ShardState[]): void {
    this.sets += 1
    this.strengths[strengthOf({ k, holders }, states)] += 1
    for (const [index, holder] of holders.entries()) {
      const count = this.holders.get(holder) ?? { shards: 0, bad: 0 }
      count.shards += 1
      if (states[index] === 'missing' || states[index] === 'wrong') count.bad += 1
      this.holders.set(holder, count)
    }
  }
}

/**
 * Asks holders which of their shards they have, and notes what is missing; a shard that was missing and is
 * there is good again. With `only`, one holder is asked.
 */
export async function surveyPresence(
  modules: SurveyModules,
  { signal, onProgress, only }: SurveyHow & { only?: string },
): Promise<void> {
  const { faults, known, view } = modules
  const seen: HolderView =
    only === undefined
      ? view
      : {
          organisations: () => view.organisations(),
          awayMs: (id) => (id === only ? view.awayMs(id) : Number.POSITIVE_INFINITY),
        }
  let looked = 0
  for await (const group of inGroups(known.all(), GROUP)) {
    signal.throwIfAborted()
    const { missing, present } = await findMissing({ peers: modules.peers, view: seen }, group)
    for (const { set, index } of missing) faults.mark(set.setId, index, 'missing')
    for (const { set, index } of present) {
      if (faults.of(set.setId)?.get(index) === 'missing') faults.clear(set.setId, index)
    }
    looked += group.length
    onProgress?.(looked)
  }
}

export function statesOf(
  { view, faults }: Pick<SurveyModules, 'view' | 'faults'>,
  { set: { k }, setId, holders }: KnownSet,
): ShardState[] {
  return shardStates({ k, holders }, view, faults.of(setId))
}
