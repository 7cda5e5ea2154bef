/**
 * What a traitor can do beside the honest code that it runs: say anything to anybody, sign anything with
 * its own key and nothing with another, and answer requests as it likes.
 */
import {
  type ConsensusState,
  encodeMessage,
  type Message,
  type ProposalMessage,
  type Subject,
  type Vote,
  type VoteKind,
  voteMessage,
  ZERO_DIGEST,
} from '@mooring/consensus'
import { toHex } from '@mooring/codec'
import { type KeyPair, sign } from '@mooring/crypto'
import { blockDigest, decodeBlock, encodeBlock, type Header } from '@mooring/ledger'
import type { Random } from '../random.ts'
import { keyOf } from './keys.ts'
import type { Process } from './process.ts'
import type { WholeWorld } from './whole-world.ts'

export interface WholeActor {
  /** Instead of sending what the honest code wants to send to this peer. */
  send?(message: Message, to: number, hands: WholeHands): void
  hear?(message: Message, from: number, hands: WholeHands): void
  /** Every 50 ms. */
  act?(hands: WholeHands): void
  /** Instead of the true answer to a request for blocks. */
  answer?(payload: Uint8Array, honest: () => Uint8Array, hands: WholeHands): Uint8Array
}

export class WholeHands {
  readonly process: Process
  readonly others: readonly number[]
  readonly #world: WholeWorld

  constructor(process: Process, world: WholeWorld) {
    this.process = process
    this.#world = world
    const { authorities, observers, newcomers } = world.plan
    const all = Array.from({ length: authorities + observers + newcomers }, (_, index) => index)
    this.others = all.filter((index) => index !== process.index)
  }

  get index(): number {
    return this.process.index
  }

  get random(): Random {
    return this.#world.random
  }

  get deltaMs(): number {
    return this.#world.plan.deltaMs
  }

  get state(): ConsensusState | null {
    return this.process.running?.agreement.driver.state ?? null
  }

  get consensusKey(): KeyPair {
    const named = this.state === null ? null : this.process.namedKey()
    return named ?? keyOf(this.index, 'consensus')
  }

  get chain(): Uint8Array {
    return this.#world.founding.digest
  }

  sign(kind: VoteKind, subject: Subject): Vote {
    const signature = sign(this.consensusKey, voteMessage(this.chain, kind, subject))
    const signer = this.state?.config.me ?? this.index
    return { kind, subject, signer, signature }
  }

  nullify(epoch: number, view: number): Vote {
    return this.sign('nullify', { epoch, view, parentView: 0, height: 0, digest: ZERO_DIGEST })
  }

  say(to: number, message: Message, afterMs = 0): void {
    this.emit(to, encodeMessage(message), afterMs)
  }

  emit(to: number, frame: Uint8Array, afterMs = 0): void {
    if (afterMs === 0) this.#world.emitted(this.process, to, frame)
    else this.process.life?.after(afterMs, () => this.#world.emitted(this.process, to, frame))
  }

  pollute(batch: Uint8Array): void {
    this.#world.switchboard.gossip(this.process, batch)
  }

  /** A proposal like that one, with other content, signed again. */
  remake(
    { block, justification }: ProposalMessage,
    change: (header: Header) => Partial<Header>,
    transactions?: Uint8Array[],
  ): ProposalMessage {
    const decoded = decodeBlock(block)
    const header = { ...decoded.header, ...change(decoded.header) }
    const encoded = encodeBlock({ header, transactions: transactions ?? decoded.transactions })
    const { epoch, view, parentView, height } = header
    const digest = toHex(blockDigest(header))
    const vote = this.sign('notarize', { epoch, view, parentView, height, digest })
    return { vote, justification, block: encoded }
  }
}
