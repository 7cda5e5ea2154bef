/** The cast: which actor plays which name. */
import type { Actor } from './actor.ts'
import { blockBomber } from './byzantine/block-bomber.ts'
import { conflictingNotarizer } from './byzantine/conflicting-notarizer.ts'
import { earlyVoter } from './byzantine/early-voter.ts'
import { equivocator } from './byzantine/equivocator.ts'
import { finalizeAndNullify } from './byzantine/finalize-and-nullify.ts'
import { forker } from './byzantine/forker.ts'
import { impostor } from './byzantine/impostor.ts'
import { lateLeader } from './byzantine/late-leader.ts'
import { lyingSyncer } from './byzantine/lying-syncer.ts'
import { nullifySpammer } from './byzantine/nullify-spammer.ts'
import { sealBreaker } from './byzantine/seal-breaker.ts'
import { silent } from './byzantine/silent.ts'
import { spoiler } from './byzantine/spoiler.ts'
import { staleResender } from './byzantine/stale-resender.ts'
import { statusLiar } from './byzantine/status-liar.ts'
import { voteReorderer } from './byzantine/vote-reorderer.ts'
import { withholder } from './byzantine/withholder.ts'
import type { ActorName } from './plan.ts'

const CAST: Readonly<Record<ActorName, () => Actor>> = {
  silent: () => silent,
  equivocator,
  'conflicting-notarizer': () => conflictingNotarizer,
  'finalize-and-nullify': () => finalizeAndNullify,
  'nullify-spammer': () => nullifySpammer,
  withholder,
  'stale-resender': staleResender,
  'vote-reorderer': () => voteReorderer,
  'late-leader': () => lateLeader,
  'status-liar': () => statusLiar,
  // Two honest machines: all of it is in the world.
  twin: () => ({}),
  'restored-backup': () => ({}),
  forker,
  spoiler,
  'lying-syncer': () => lyingSyncer,
  'block-bomber': () => blockBomber,
  'early-voter': () => earlyVoter,
  impostor: () => impostor,
  'seal-breaker': sealBreaker,
}

export function actorOf(name: ActorName): Actor {
  return CAST[name]()
}
