/** Blocks of a simulation: a place in the chain and names of transactions, named by a real hash. */
import { createHash } from 'node:crypto'
import { type BlockMeta, type Outgoing, type Proposal, ZERO_DIGEST } from '@mooring/consensus'

export interface Block {
  readonly meta: BlockMeta
  readonly transactions: readonly string[]
}

export type Packet =
  | { readonly kind: 'message'; readonly message: Outgoing; readonly from: number }
  | {
      readonly kind: 'proposal'
      readonly proposal: Proposal
      readonly block: Block
      readonly from: number
    }
  | { readonly kind: 'transaction'; readonly name: string; readonly from: number }

/** A block with this in it is one that no honest node accepts. */
export const INVALID = 'invalid'
/** What a traitor puts into a second block. */
export const FORGED = 'forged'

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

export function blockOf(meta: Omit<BlockMeta, 'digest'>, transactions: readonly string[]): Block {
  const content = JSON.stringify([{ ...meta, digest: '' }, transactions])
  const digest = createHash('sha256').update(content).digest('hex')
  return { meta: { ...meta, digest }, transactions }
}

/** The block that stands on a parent in a view. */
export function childOf(
  parent: BlockMeta,
  place: { view: number; parentView: number; time: number },
  transactions: readonly string[],
): Block {
  const meta = { ...place, parent: parent.digest, height: parent.height + 1 }
  return blockOf({ ...meta, isEmpty: transactions.length === 0, isSealing: false }, transactions)
}
