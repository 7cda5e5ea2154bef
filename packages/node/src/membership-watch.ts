// What the end of an epoch may mean for this node itself: other keys, or no place in the network any more.
//
// A key that the chain has replaced is used no longer: the node asks to be started again, which takes the
// next key. Who is removed learns it from the last block that it gets, or, when it was away, from the
// others: all of them close its connections before a word is said. Only then is their silence a reason
// to stop, and only for one that knows itself to be a member; a newcomer waits for as long as it takes.

import type { Network } from '@mooring/network'
import type { Finding } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { Execution } from './execution.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import { foreignDuties, nextDuties, placeOf } from './own-place.ts'

const LOOK_MS = 5_000
const REFUSED_MS = 60_000
const WAITING_TOLD_MS = 600_000

/** Why a node has stopped to be started again at once, in this process. */
export class NodeRestart {
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}

export interface WatchModules {
  clock: Clock
  execution: Pick<Execution, 'tip'>
  network: Pick<Network, 'peers' | 'peerId'>
  logger: Logger
  /** The node must stop, with an error or to be restarted. */
  onStop: (reason: NodeError | NodeRestart) => void
}

export class MembershipWatch {
  readonly #options: WatchOptions
  readonly #modules: WatchModules
  #refusedSince: number | null = null
  #toldAt = -Infinity
  #cancel: () => void = () => undefined

  constructor(options: WatchOptions, modules: WatchModules) {
    this.#options = options
    this.#modules = modules
    this.#arm()
  }

  close(): void {
    this.#cancel()
  }

  /** To be called when an epoch has begun. */
  async onEpoch(): Promise<void> {
    const { execution, logger, onStop } = this.#modules
    const { name, keys, keyPaths } = this.#options
    const { view, meta } = execution.tip
    const place = placeOf(view, name)
    if (place.kind === 'removed') onStop(new NodeError('removed', { name, height: meta.height }))
    if (place.kind !== 'member') return
    const next = await nextDuties({ keys, keyPaths }, place.organisation)
    if (next.length > 0)
      return onStop(new NodeRestart(`the chain names new keys: ${next.join(', ')}`))
    for (const duty of foreignDuties(keys, place.organisation))
      logger.error(`the chain names a ${duty} key of this node that is not in its home`, {
        path: keyPaths[duty],
      })
  }

  /** What people should know of this node's place; null when all is well. */
  finding(): Finding | null {
    const { execution } = this.#modules
    const { name, keys } = this.#options
    const place = placeOf(execution.tip.view, name)
    if (place.kind === 'stranger' && this.#isRefusedByAll()) {
      const detail = `The members have not admitted ${name} yet; the node asks again and again.`
      return { code: 'waiting_for_admission', severity: 'ticket', detail }
    }
    if (place.kind !== 'member') return null
    const duties = foreignDuties(keys, place.organisation)
    if (duties.length === 0) return null
    const detail = `The chain names another key of ${name} than this node has: ${duties.join(', ')}.`
    return { code: 'keys_foreign', severity: 'page', detail }
  }

  #arm(): void {
    this.#cancel = this.#modules.clock.after(LOOK_MS, () => {
      this.#arm()
      this.#look()
    })
  }

  #look(): void {
    const { clock, execution, onStop } = this.#modules
    const { name } = this.#options
    const now = clock.monotonic()
    const { kind } = placeOf(execution.tip.view, name)
    if (!this.#isRefusedByAll()) {
      this.#refusedSince = null
      return
    }
    if (kind === 'stranger') return this.#tellWaiting(now)
    this.#refusedSince ??= now
    if (now - this.#refusedSince < REFUSED_MS) return
    onStop(new NodeError('refused_by_all', { name, height: execution.tip.meta.height }))
  }

  #isRefusedByAll(): boolean {
    const { network } = this.#modules
    const others = network.peers().filter(({ peerId }) => peerId !== network.peerId)
    return (
      others.length > 1 &&
      others.every(({ connected, lastError }) => !connected && lastError?.code === 'not_admitted')
    )
  }

  #tellWaiting(now: number): void {
    if (now - this.#toldAt < WAITING_TOLD_MS) return
    this.#toldAt = now
    const { name, networkId } = this.#options
    this.#modules.logger.info('waiting for admission: the members do not know this node yet', {
      name,
      network: networkId,
      peerId: this.#modules.network.peerId,
    })
  }
}

export type WatchOptions = Pick<NodeOptions, 'name' | 'keys' | 'keyPaths' | 'networkId'>
