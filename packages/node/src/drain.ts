// The orderly stop, in the order in which others depend on this node: whoever gives it work learns first
// that it goes, then it takes no more, then it votes no more and what it has journalled is on the disk; then
// its peers and its listeners are told, and the API is closed. Everything behind these is closed by its owner.
// Nothing here waits for the network, and who stops the node bounds the whole.

import type { Agreement } from './agreement.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { Serving } from './serving.ts'

export interface DrainModules {
  clock: Clock
  logger: Logger
  /** How long others are given to see that this node is not ready any more. */
  graceMs: number
  /** From here on the node is not ready. */
  announce: () => void
  serving: Pick<Serving, 'refuseWork' | 'close'>
  agreement: Pick<Agreement, 'stopVoting'>
  network: { sayGoodbye(): void }
}

export type DrainStep =
  | 'not_ready'
  | 'no_new_work'
  | 'votes_journalled'
  | 'peers_told'
  | 'api_closed'

export async function drain(modules: DrainModules): Promise<void> {
  const { clock, logger, graceMs, announce, serving, agreement, network } = modules
  const done = (step: DrainStep): void => logger.info('the node is stopping', { step })
  announce()
  done('not_ready')
  if (graceMs > 0) await new Promise<void>((resolve) => clock.after(graceMs, resolve))
  serving.refuseWork()
  done('no_new_work')
  await agreement.stopVoting()
  done('votes_journalled')
  network.sayGoodbye()
  done('peers_told')
  await serving.close()
  done('api_closed')
}
