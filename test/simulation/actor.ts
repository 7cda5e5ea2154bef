/**
 * What a traitor can do: one that runs the honest code and does something else besides. An actor sees
 * what arrives, decides what leaves, and may sign anything with its own key, but nothing with another.
 *
 * Actors know nothing of how a node is built: whoever offers them hands can let them act.
 */
import type {
  BlockMeta,
  Certificate,
  ConsensusState,
  Outgoing,
  Subject,
  Vote,
  VoteKind,
} from '@mooring/consensus'
import type { Block, Packet } from './blocks.ts'
import type { Random } from './random.ts'

export interface Actor {
  /** Instead of sending a packet of the honest code to this node. */
  send?(packet: Packet, to: number, hands: Hands): void
  /** Before the honest code sees what has arrived. */
  hear?(packet: Packet, hands: Hands): void
  /** Every 50 ms. */
  act?(hands: Hands): void
  /** Instead of a block that a node asked for. */
  serveBlock?(block: Block, hands: Hands): Block
  /** Instead of final blocks that a node asked for. */
  serveRange?(range: readonly FinalEntry[], hands: Hands): readonly FinalEntry[]
}

/** A final block as it is kept and served; one that ended a batch has its finalization. */
export interface FinalEntry {
  readonly block: Block
  readonly finalization: Certificate | null
}

/** Actors are asked only while their node is an authority, and has a key that counts. */
export interface Hands {
  readonly node: number
  readonly epoch: number
  /** The place in the authority set of this epoch. */
  readonly index: number
  /** Nodes that are authorities. */
  readonly members: readonly number[]
  /** The other authorities' nodes. */
  readonly others: readonly number[]
  readonly state: ConsensusState
  readonly random: Random
  readonly deltaMs: number
  wall(): number
  /** The others in random order. */
  shuffled(): number[]
  sign(kind: VoteKind, subject: Subject): Vote
  nullify(view: number): Vote
  emit(to: number, packet: Packet, afterMs?: number): void
  say(to: number, message: Outgoing, afterMs?: number): void
  /** A block of its own on any parent it knows. */
  block(
    parent: BlockMeta,
    place: { view: number; parentView: number },
    content: readonly string[],
  ): Block
  /** A sealing block of its own, if the rules would let one pass. */
  sealing(parent: BlockMeta, place: { view: number; parentView: number }): Block | null
  proposalOf(block: Block, justification: readonly Certificate[]): Packet
  /** A block that it knows, in another view than its own. */
  proposalAgain(
    digest: string,
    place: { view: number; parentView: number },
    justification: readonly Certificate[],
  ): Packet | null
  find(digest: string): BlockMeta | undefined
  /** Keeps a block, so that others can fetch it here. */
  hold(block: Block): void
  /** The last final blocks, oldest first. */
  lastFinal(count: number): readonly BlockMeta[]
}
