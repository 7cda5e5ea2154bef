// What the end of an epoch may mean for this node itself: other keys, or no place in the network any more.
//
// A key that the chain has replaced is used no longer: the node asks to be started again, which takes the
// next key. Who is removed learns it from the last block that it gets, or, when it was away, from the
// others: they close its connections before a word is said. When nobody is connected, and of those that
// it can dial more than a third refuse, an honest one does: that is a reason to stop, and only for one
// that knows itself to be a member; a newcomer waits for as long as it takes.
//
// A member that was away while its transport key was renewed is refused as well, under a name that is no
// longer its own, and cannot fetch the block that would tell it so. If a next transport key waits in its
// home, it tries that one before it gives up.

import { equalBytes } from '@mooring/codec'
import { faultsOf } from '@mooring/consensus'
import type { Organisation } from '@mooring/ledger'
import type { Network } from '@mooring/network'
import type { Finding } from './alarms.ts'
import { admissionOf } from './candidates.ts'
import type { Clock } from './clock.ts'
import type { Execution } from './execution.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import { findNextHalf, promoteNextKey } from './next-keys.ts'
import { foreignDuties, nextDuties, placeOf } from './own-place.ts'

const LOOK_MS = 2_000
const REFUSED_MS = 60_000
const TRY_NEXT_MS = 5_000
const WAITING_TOLD_MS = 600_000

/** Why a node has stopped to be started again at once, in this process. */
export class NodeRestart {
  readonly why: string
  readonly how: { transport?: 'next' }

  constructor(why: string, how: NodeRestart['how'] = {}) {
    this.why = why
    this.how = how
  }
}

export interface WatchModules {
  clock: Clock
  execution: Pick<Execution, 'tip'>
  network: Pick<Network, 'peers' | 'peerId'>
  logger: Logger
  /** The node must stop, with an error or to be restarted. */
  onStop: (reason: NodeError | NodeRestart) => void
  onFatal: (error: unknown) => void
}

export class MembershipWatch {
  readonly #options: WatchOptions
  /** In this time of being refused. */
  #hasTried = false
  #isTrying = false
  readonly #modules: WatchModules
  #refusedSince: number | null = null
  #toldAt = -Infinity
  #told = ''
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
    await this.#adoptTried(place.organisation)
    for (const duty of foreignDuties(keys, place.organisation))
      logger.error('the chain names a key of this node that is not in its home', {
        duty,
        path: keyPaths[duty],
      })
  }

  /** What people should know of this node's place; null when all is well. */
  finding(): Finding | null {
    const { execution } = this.#modules
    const { name, keys } = this.#options
    const place = placeOf(execution.tip.view, name)
    const waiting = place.kind === 'stranger' ? this.#waiting() : null
    if (waiting !== null) {
      const detail = `${name} is ${waiting.sentence}. ${waiting.next}`
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
    if (kind === 'stranger') return this.#tellWaiting(now)
    if (!this.#isRefused()) {
      this.#refusedSince = null
      this.#hasTried = false
      return
    }
    this.#refusedSince ??= now
    const refusedMs = now - this.#refusedSince
    if (refusedMs >= TRY_NEXT_MS) this.#tryNext()
    if (refusedMs < REFUSED_MS || this.#isTrying) return
    onStop(new NodeError('refused_by_all', { name, height: execution.tip.meta.height }))
  }

  /** The next transport key, which was tried before the chain here named it. */
  async #adoptTried({ keys: named }: Organisation): Promise<void> {
    const { keys, keyPaths } = this.#options
    if (!equalBytes(named.transport, keys.transport.publicKey)) return
    const next = await findNextHalf(keyPaths.transport, 'transport')
    if (next === undefined || !equalBytes(next.publicKey, named.transport)) return
    await promoteNextKey(keyPaths.transport, 'transport')
    this.#modules.logger.info('the chain names the next transport key: the one before is destroyed')
  }

  #tryNext(): void {
    const { keys, keyPaths } = this.#options
    if (this.#hasTried) return
    this.#hasTried = true
    this.#isTrying = true
    findNextHalf(keyPaths.transport, 'transport')
      .then((next) => {
        this.#isTrying = false
        if (next === undefined || equalBytes(next.publicKey, keys.transport.publicKey)) return
        const why = 'the members refuse the transport key in use; the next one may be in force'
        this.#modules.onStop(new NodeRestart(why, { transport: 'next' }))
      })
      .catch(this.#modules.onFatal)
  }

  /** Who is away says nothing, and who has joined later often has an address that is not known here. */
  #isRefused(): boolean {
    const { network } = this.#modules
    const others = network.peers().filter(({ peerId }) => peerId !== network.peerId)
    if (others.length < 2 || others.some(({ connected }) => connected)) return false
    const dialled = others.filter(({ lastError }) => lastError?.code !== 'no_address')
    const refusing = dialled.filter(({ lastError }) => lastError?.code === 'not_admitted')
    return refusing.length > faultsOf(dialled.length + 1)
  }

  /** What a newcomer waits for; null while it may only be that nobody is there to ask. */
  #waiting(): { sentence: string; next: string } | null {
    const { clock, execution } = this.#modules
    const { view, meta } = execution.tip
    const place = { height: meta.height + 1, time: clock.wall() }
    const progress = admissionOf(view, this.#options.keys.transport.publicKey, place)
    if (progress === null) {
      if (!this.#isRefused()) return null
      const sentence = 'waiting for admission: no member has proposed it yet'
      return { sentence, next: 'Send one of them the line in config/join.txt.' }
    }
    const { given, needed, left } = progress
    if (left === null) {
      const sentence = 'waiting for admission: its proposal cannot pass as things stand'
      return { sentence, next: 'Ask the member that proposed it.' }
    }
    const approvals = `${given.length} of ${needed} approvals`
    const next = given.length === 0 ? 'The members decide.' : `Given by ${given.join(', ')}.`
    return { sentence: `waiting for admission: ${approvals}`, next }
  }

  /** Again when it has changed, and now and then. */
  #tellWaiting(now: number): void {
    const waiting = this.#waiting()
    if (waiting === null) return
    const { sentence, next } = waiting
    if (sentence === this.#told && now - this.#toldAt < WAITING_TOLD_MS) return
    this.#told = sentence
    this.#toldAt = now
    const { name, networkId } = this.#options
    this.#modules.logger.info('waiting for admission', {
      name,
      network: networkId,
      peerId: this.#modules.network.peerId,
      why: sentence.replace('waiting for admission: ', ''),
      next,
    })
  }
}

export type WatchOptions = Pick<NodeOptions, 'name' | 'keys' | 'keyPaths' | 'networkId'>
