// Messages between nodes that are in different epochs: the whole of catching up across an end of epoch.
//
// Who is behind is shown the finalization that ended his epoch, which he can check with the set that he
// knows. Who is ahead is told where we are, and answers with ours. Both are cheap, and sent to a peer
// only so often. What the next epoch sends while this one is about to end here is kept for a moment:
// its first proposal is not sent twice.

import {
  type ConsensusState,
  decodeCertificate,
  encodeMessage,
  type Message,
  statusOf,
} from '@mooring/consensus'
import type { Network } from '@mooring/network'
import type { ChainStore } from '@mooring/storage'
import type { Clock } from './clock.ts'

const ANSWER_MS = 200
/** Of one peer. */
const KEPT_FRAMES = 64
/** Of all. */
const KEPT_BYTES = 16 << 20

export interface RepairModules {
  clock: Clock
  chain: Pick<ChainStore, 'epochs' | 'getFinalization'>
  network: Pick<Network, 'send'>
}

interface Kept {
  readonly peerId: string
  readonly frame: Uint8Array
}

/** The one epoch of a message; an honest sender is in one. Evidence is of whatever epoch. */
export function epochOf(message: Message): number | undefined {
  switch (message.kind) {
    case 'votes':
      return message.votes[0]?.subject.epoch
    case 'certificates':
      return message.certificates[0]?.subject.epoch
    case 'status':
      return message.status.epoch
    case 'proposal':
    case 'compact':
      return message.proposal.vote.subject.epoch
    case 'evidence':
      return undefined
  }
}

export class EpochRepair {
  readonly #modules: RepairModules
  readonly #answeredAt = new Map<string, number>()
  #kept: Kept[] = []

  constructor(modules: RepairModules) {
    this.#modules = modules
  }

  /** A message of another epoch than ours; nobody is to blame for it. */
  take(peerId: string, frame: Uint8Array, epoch: number, state: ConsensusState): void {
    const own = state.config.epoch
    if (epoch === own + 1) this.#keep({ peerId, frame })
    const now = this.#modules.clock.monotonic()
    if (now - (this.#answeredAt.get(peerId) ?? -Infinity) < ANSWER_MS) return
    const answer = epoch > own ? statusFrame(state) : this.#endOf(epoch)
    if (answer === null) return
    this.#answeredAt.set(peerId, now)
    this.#modules.network.send(peerId, 'urgent', answer)
  }

  /** What came early, for the epoch that begins now. */
  release(): readonly Kept[] {
    const kept = this.#kept
    this.#kept = []
    this.#answeredAt.clear()
    return kept
  }

  /** Who sends too much of it loses his own, the oldest first. */
  #keep(kept: Kept): void {
    this.#kept.push(kept)
    const own = this.#kept.filter(({ peerId }) => peerId === kept.peerId)
    if (own.length > KEPT_FRAMES) this.#drop(own[0])
    while (bytesOf(this.#kept) > KEPT_BYTES) this.#drop(this.#oldestOfLargest())
  }

  #drop(kept: Kept | undefined): void {
    this.#kept = this.#kept.filter((each) => each !== kept)
  }

  /** Of the peer whose frames take the most room. */
  #oldestOfLargest(): Kept | undefined {
    const peers = new Set(this.#kept.map(({ peerId }) => peerId))
    const shares = [...peers].map((peerId) => this.#kept.filter((each) => each.peerId === peerId))
    return shares.toSorted((a, b) => bytesOf(b) - bytesOf(a))[0]?.[0]
  }

  /** The finalization that ended the epoch. */
  #endOf(epoch: number): Uint8Array | null {
    const { chain } = this.#modules
    const ended = chain.epochs()[epoch]
    const encoded = ended === undefined ? undefined : chain.getFinalization(ended.height)
    if (encoded === undefined) return null
    const certificates = [decodeCertificate(encoded)]
    return encodeMessage({ kind: 'certificates', certificates })
  }
}

function bytesOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { frame }) => sum + frame.length, 0)
}

function statusFrame(state: ConsensusState): Uint8Array {
  return encodeMessage({ kind: 'status', status: statusOf(state) })
}
