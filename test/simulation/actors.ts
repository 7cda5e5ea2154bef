/** The cast: which actor plays which name. */
import type { Actor } from './actor.ts'
import { conflictingNotarizer } from './byzantine/conflicting-notarizer.ts'
import { equivocator } from './byzantine/equivocator.ts'
import { finalizeAndNullify } from './byzantine/finalize-and-nullify.ts'
import { forker } from './byzantine/forker.ts'
import { lateLeader } from './byzantine/late-leader.ts'
import { nullifySpammer } from './byzantine/nullify-spammer.ts'
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
  forker,
  spoiler,
}

export function actorOf(name: ActorName): Actor {
  return CAST[name]()
}
