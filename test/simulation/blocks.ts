/** Blocks of a simulation: a place in the chain and names of transactions, named by a real hash. */
import { createHash } from 'node:crypto'
import { type BlockMeta, type Outgoing, type Proposal, ZERO_DIGEST } from '@mooring/consensus'

export interface Block {
  readonly meta: BlockMeta
  readonly epoch: number
  /** The nodes that are authorities after this block, when it ends its epoch. */
  readonly next: readonly number[] | null
  readonly transactions: readonly string[]
}

/** What travels; `from` is a node, whatever place it has in an authority set. */
export type Packet =
  | { readonly kind: 'message'; readonly message: Outgoing; readonly from: number }
  | {
      readonly kind: 'proposal'
      readonly proposal: Proposal
      readonly block: Block
      readonly from: number
    }

/** A block with this in it is one that no honest node accepts. */
export const INVALID = 'invalid'
/** What a traitor puts into a second block. */
export const FORGED = 'forged'

/** Signatures are not real here: one counts because the oracle saw it given. */
export const SIGNATURE = new Uint8Array(64)

/** The clocks of a run: far apart, so that who takes one for the other is found out. */
export const MONOTONIC_ZERO = 1_000_000
export const WALL_ZERO = 1_700_000_000_000

export const GENESIS: BlockMeta = {
  digest: 'a'.repeat(64),
  parent: ZERO_DIGEST,
  view: 0,
  parentView: 0,
  height: 0,
  time: WALL_ZERO - 60_000,
  isEmpty: true,
  isSealing: false,
}

export interface Place {
  readonly epoch: number
  readonly view: number
  readonly parentView: number
  readonly time: number
  readonly next: readonly number[] | null
}

/** The digest that a block of this content has. */
export function digestOf({ meta, epoch, next, transactions }: Block): string {
  const content = JSON.stringify([{ ...meta, digest: '' }, epoch, next, transactions])
  return createHash('sha256').update(content).digest('hex')
}

/** The block that stands on a parent in a view. */
export function childOf(parent: BlockMeta, place: Place, transactions: readonly string[]): Block {
  const { epoch, next, view, parentView, time } = place
  const meta: BlockMeta = {
    digest: '',
    parent: parent.digest,
    view,
    parentView,
    height: parent.height + 1,
    time,
    isEmpty: transactions.length === 0,
    isSealing: next !== null,
  }
  const block = { meta, epoch, next, transactions }
  return { ...block, meta: { ...meta, digest: digestOf(block) } }
}

/** The last block of an epoch as the next one presents it: its own first parent. */
export function baseOf(sealing: BlockMeta): BlockMeta {
  return { ...sealing, view: 0, parentView: 0, isSealing: false }
}

/** The epoch of which a packet speaks; null when it is empty. */
export function epochOf(packet: Packet): number | null {
  if (packet.kind === 'proposal') return packet.proposal.vote.subject.epoch
  const { message } = packet
  if (message.kind === 'status') return message.status.epoch
  const [first] = message.kind === 'votes' ? message.votes : message.certificates
  return first?.subject.epoch ?? null
}
