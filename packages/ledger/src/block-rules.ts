// Whether a block is one at all: its links to its parent, its sizes, the roots that its header says.

import { equalBytes } from '@mooring/codec'
import { type AuthoritySet, authoritySetDigest } from './authority-set.ts'
import {
  type Block,
  type Header,
  type ParentBlock,
  roomFor,
  transactionBytes,
  transactionRoot,
} from './block.ts'
import type { Parameters } from './parameters.ts'
import { authoritySet, type State } from './state.ts'
import type { InvalidTransaction } from './transaction-kind.ts'

export type InvalidHeader = {
  code:
    | 'wrong_network'
    | 'wrong_epoch'
    | 'wrong_height'
    | 'wrong_parent'
    | 'wrong_parent_view'
    | 'view_not_later'
    | 'time_not_later'
    | 'wrong_proposer'
    | 'wrong_authority_set'
    | 'unexpected_authority_change'
    | 'wrong_next_authority_set'
    | 'wrong_transaction_count'
    | 'wrong_transaction_root'
}

export type InvalidBlock =
  | InvalidHeader
  | { code: 'too_many_transactions'; count: number; limit: number }
  | { code: 'block_too_large'; bytes: number; limit: number }
  | { code: 'invalid_transaction'; index: number; reason: InvalidTransaction }

export function checkLinks(
  parent: ParentBlock,
  header: Header,
  context: { genesisDigest: Uint8Array; expectedProposer: string },
): InvalidHeader | undefined {
  if (!equalBytes(header.genesisDigest, context.genesisDigest)) return { code: 'wrong_network' }
  if (header.epoch !== parent.epoch) return { code: 'wrong_epoch' }
  if (header.height !== parent.height + 1) return { code: 'wrong_height' }
  if (!equalBytes(header.parent, parent.digest)) return { code: 'wrong_parent' }
  if (header.parentView !== parent.view) return { code: 'wrong_parent_view' }
  if (header.view <= parent.view) return { code: 'view_not_later' }
  if (header.time <= parent.time) return { code: 'time_not_later' }
  if (header.proposer !== context.expectedProposer) return { code: 'wrong_proposer' }
  return undefined
}

export function checkAuthoritySet(state: State, header: Header): InvalidHeader | undefined {
  const digest = authoritySetDigest(authoritySet(state))
  if (!equalBytes(header.authoritySetDigest, digest)) return { code: 'wrong_authority_set' }
  return undefined
}

export function checkNextSet(
  next: AuthoritySet | null,
  { nextAuthoritySetDigest: announced }: Header,
): InvalidHeader | undefined {
  if (next === null) {
    return announced === null ? undefined : { code: 'unexpected_authority_change' }
  }
  return announced !== null && equalBytes(announced, authoritySetDigest(next))
    ? undefined
    : { code: 'wrong_next_authority_set' }
}

export function checkContent(
  { header, transactions, computedRoot }: Block,
  parameters: Parameters,
): InvalidBlock | undefined {
  const count = transactions.length
  if (count > parameters.blockTransactionsMax) {
    return { code: 'too_many_transactions', count, limit: parameters.blockTransactionsMax }
  }
  const bytes = transactionBytes(transactions)
  const limit = roomFor(parameters)
  if (bytes > limit) return { code: 'block_too_large', bytes, limit }
  if (header.transactionCount !== count) return { code: 'wrong_transaction_count' }
  const root = computedRoot ?? transactionRoot(transactions)
  if (!equalBytes(header.transactionRoot, root)) return { code: 'wrong_transaction_root' }
  return undefined
}
