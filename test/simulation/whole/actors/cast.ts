/** Which actor plays which name. */
import type { WholeActor } from '../hands.ts'
import type { WholeActorName } from '../plan.ts'
import { conflictingNotarizer } from './conflicting-notarizer.ts'
import { equivocator } from './equivocator.ts'
import { falseNamer } from './false-namer.ts'
import { finalizeAndNullify } from './finalize-and-nullify.ts'
import { garbageBomber } from './garbage-bomber.ts'
import { gossipPolluter } from './gossip-polluter.ts'
import { impostor } from './impostor.ts'
import { lyingSyncer } from './lying-syncer.ts'
import { nullifySpammer } from './nullify-spammer.ts'
import { spoiler } from './spoiler.ts'
import { staleReSender } from './stale-re-sender.ts'
import { withholder } from './withholder.ts'

const CAST: Readonly<Record<WholeActorName, () => WholeActor>> = {
  equivocator,
  'conflicting notarizer': () => conflictingNotarizer,
  'finalize and nullify': () => finalizeAndNullify,
  'nullify spammer': () => nullifySpammer,
  silent: () => ({ send: () => undefined }),
  withholder,
  'stale re-sender': staleReSender,
  'lying syncer': () => lyingSyncer,
  // Two honest processes: all of it is in the world.
  twin: () => ({}),
  spoiler,
  'garbage bomber': () => garbageBomber,
  'gossip polluter': () => gossipPolluter,
  impostor: () => impostor,
  'false namer': () => falseNamer,
}

export function castOf(name: WholeActorName): WholeActor {
  return CAST[name]()
}
