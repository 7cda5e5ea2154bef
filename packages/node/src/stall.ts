// Why work waits, in words that name who is missing.
//
// Two kinds, told apart because their cures differ. Authorities are missing: no certificate of any kind
// forms, so that the view stands still. Leaders fail: views change by nullification, and none of their
// leaders gets a block through. A node that is merely behind a chain that goes on is neither.

import { type ConsensusState, leaderOf, quorumOf, recordOf } from '@mooring/consensus'
import { catalogEntry } from './errors.ts'
import type { NodeParts } from './node-parts.ts'
import { formatDuration } from './option-values.ts'
import {
  BLOCKS_BEHIND,
  describeAbsence,
  formatAge,
  liveCount,
  type Presence,
  presenceOf,
} from './presence.ts'
import type { NullifyReason, VoteEntry, VoteLog } from './vote-log.ts'

const STALLED_MS = 5_000
/** The same in Δ, for networks where Δ is long: a few leaders may fail in a row before it is a stall. */
const STALLED_DELTAS = 20
const LEADERS_NAMED = 8

export type StallParts = Pick<
  NodeParts,
  'clock' | 'driver' | 'execution' | 'members' | 'network' | 'heightOfPeer' | 'bestKnownHeight'
> & { votes: VoteLog }

export interface Diagnosis {
  code: 'authorities_missing' | 'leaders_failing'
  mor: string | null
  /** Who is missing, by name. */
  detail: string
}

/** Null while nothing waits, or not for long. */
export function diagnoseStall(parts: StallParts, waitingMs: number): Diagnosis | null {
  const state = parts.driver()
  if (waitingMs < Math.max(STALLED_MS, STALLED_DELTAS * state.config.deltaMs)) return null
  const authorities = presenceOf(parts)
  const quorum = quorumOf(authorities.length)
  const absent = authorities.filter(({ isLive }) => !isLive)
  if (liveCount(authorities) < quorum) return missing(absent, parts)
  if (isBehind(parts)) return null
  if (state.config.me === null) return unseen(absent, parts)
  const silent = authorities.filter(({ index }) => !hasVoted(state, index))
  const isStill = parts.clock.monotonic() - state.enteredAt >= waitingMs / 2
  const nullified = nullifiedViews(state)
  if (nullified.length > 0 && !(isStill && silent.length > authorities.length - quorum)) {
    return failing(nullified, authorities, parts)
  }
  return silent.length === 0 ? undecided(state) : missing(silent, parts)
}

/** "no block finalized for 47s at height 1207, view 1223: need 3 of 4 authorities, see 2", and who is missing. */
export function describeStall(diagnosis: Diagnosis, parts: StallParts, waitingMs: number): string {
  const { height } = parts.execution.tip.meta
  const authorities = presenceOf(parts)
  const waited = `No block finalized for ${formatAge(waitingMs)}`
  const where = `at height ${height}, view ${parts.driver().view}`
  const seen = `need ${quorumOf(authorities.length)} of ${authorities.length} authorities, see ${liveCount(authorities)}`
  return `${waited} ${where}: ${seen}. ${diagnosis.detail}`
}

function isBehind({ driver, execution, bestKnownHeight }: StallParts): boolean {
  const isSyncing = driver().syncing !== 0
  return isSyncing || bestKnownHeight() - execution.tip.meta.height > BLOCKS_BEHIND
}

function diagnosed(code: Diagnosis['code'], detail: string): Diagnosis {
  return { code, mor: catalogEntry(code)?.mor ?? null, detail }
}

function missing(absent: readonly Presence[], parts: StallParts): Diagnosis {
  const clauses = absent.map((presence) => describeAbsence(presence, parts))
  return diagnosed('authorities_missing', `${clauses.join('; ')}.`)
}

/** An observer sees connections and no votes. */
function unseen(absent: readonly Presence[], parts: StallParts): Diagnosis {
  const away = absent.map((presence) => describeAbsence(presence, parts))
  const missed = away.length === 0 ? '' : ` Not heard: ${away.join('; ')}.`
  const detail = `A quorum is connected, and no block comes. This node does not see the votes: ask an authority for its status.${missed}`
  return diagnosed('authorities_missing', detail)
}

/** Everybody has voted and no certificate came of it: the votes contradict each other or get lost. */
function undecided(state: ConsensusState): Diagnosis {
  const { notarize, nullify } = recordOf(state, state.view)
  const detail = `All authorities have voted in view ${state.view} (${notarize.size} notarize, ${nullify.size} nullify), and no certificate has formed.`
  return diagnosed('authorities_missing', detail)
}

function hasVoted(state: ConsensusState, index: number): boolean {
  const { notarize, nullify, finalize } = recordOf(state, state.view)
  return notarize.has(index) || nullify.has(index) || finalize.has(index)
}

/** Above the last finalization, ascending. */
function nullifiedViews(state: ConsensusState): number[] {
  return [...state.views]
    .filter(([view, { nullification }]) => view > state.final.view && nullification !== null)
    .map(([view]) => view)
    .toSorted((a, b) => a - b)
}

function failing(
  views: readonly number[],
  authorities: readonly Presence[],
  { driver, votes }: StallParts,
): Diagnosis {
  const { config, final } = driver()
  const entries = votes.nullifiedAbove(final.view)
  const clauses: string[] = []
  for (const presence of authorities) {
    const led = views.filter((view) => leadsIn(config, view) === presence.index)
    if (led.length === 0) continue
    const own = entries.filter(({ leader }) => leader === presence.index)
    clauses.push(describeFailures(presence, led.length, own))
  }
  const named = clauses.slice(0, LEADERS_NAMED)
  const rest = clauses.length - named.length
  const more = rest === 0 ? '' : `; and ${rest} more`
  const range = views.length === 1 ? `View ${views[0]}` : `Views ${views[0]} to ${views.at(-1)}`
  const verb = views.length === 1 ? 'was' : 'were'
  const detail = `${range} ${verb} nullified. Leaders: ${named.join('; ')}${more}.`
  return diagnosed('leaders_failing', detail)
}

function leadsIn({ epoch, authorities }: ConsensusState['config'], view: number): number {
  return leaderOf(epoch, view, authorities)
}

/** "riverside failed 3 times (no proposal within 300ms), round trip 412ms" */
function describeFailures(
  { name, isSelf, peer }: Presence,
  count: number,
  own: readonly VoteEntry[],
): string {
  const last = own.at(-1)
  const self = isSelf ? ' (this node)' : ''
  const times = count === 1 ? 'once' : `${count} times`
  const reason = last === undefined || last.reason === null ? '' : `: ${wordsOf(last, last.reason)}`
  const rttMs = peer?.rttMs ?? null
  const delay = rttMs === null ? '' : `, round trip ${formatDuration(rttMs)}`
  return `${name}${self} failed ${times}${reason}${delay}`
}

function wordsOf({ afterMs, isOwn }: VoteEntry, reason: NullifyReason): string {
  const within = afterMs === null ? 'in time' : `within ${formatDuration(afterMs)}`
  switch (reason) {
    case 'inactivity':
      return 'not heard'
    case 'leader_nullify':
      return 'gave up its own view'
    case 'leader_timeout':
      return `no proposal ${within}`
    case 'certification_timeout':
      return `too few votes for its proposal ${within}`
    case 'missing':
      return isOwn ? 'could not build a block' : `what its proposal needs did not come ${within}`
    case 'invalid':
      return 'its proposal was not valid'
    case 'retry':
      return 'given up before the last start'
  }
}
