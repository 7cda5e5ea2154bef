// Proposals that name their transactions, so that nobody is sent again what gossip has brought him.
//
// The leader sends the header and eight bytes of each transaction; a receiver puts the block together from what
// waits with him, and asks the leader for what does not (as the compact blocks of Bitcoin do, BIP 152). A name only
// says where to look: the block that comes of it is held by its digest, like one that came whole. So two transactions
// of one name, or one that is not what the leader meant, cost a second question and nothing else.

import {
  type Certificate,
  type CompactProposal,
  TRANSACTION_NAME_BYTES,
  type Vote,
} from '@mooring/consensus'
import { BLOCK_BYTES_MAX, type DecodedBlock, joinBlock } from '@mooring/ledger'
import { nameOfTransaction } from './known-bytes.ts'

/** The transactions of a proposal in their order, as far as they are here. */
export type Found = readonly (Uint8Array | undefined)[]

export function compactOf(
  signed: { readonly vote: Vote; readonly justification: readonly Certificate[] },
  { encodedHeader, transactions }: Pick<DecodedBlock, 'encodedHeader' | 'transactions'>,
): CompactProposal {
  const names = new Uint8Array(transactions.length * TRANSACTION_NAME_BYTES)
  for (const [at, transaction] of transactions.entries())
    names.set(nameOfTransaction(transaction), at * TRANSACTION_NAME_BYTES)
  return { ...signed, header: encodedHeader, names }
}

export function lookUp(
  names: Uint8Array,
  find: (name: Uint8Array) => Uint8Array | undefined,
): Found {
  const found: (Uint8Array | undefined)[] = []
  for (let at = 0; at < names.length; at += TRANSACTION_NAME_BYTES)
    found.push(find(names.subarray(at, at + TRANSACTION_NAME_BYTES)))
  return found
}

/** The bytes of the block; null where one is missing, or where a large one is named so often that no block is as large. */
export function putTogether(header: Uint8Array, found: Found): Uint8Array | null {
  const transactions: Uint8Array[] = []
  let room = BLOCK_BYTES_MAX
  for (const each of found) {
    if (each === undefined || each.length > room) return null
    room -= each.length
    transactions.push(each)
  }
  return joinBlock(header, transactions)
}

/** One bit for each place, the lowest of a byte first: set where one is missing. */
export function missingIn(found: Found): Uint8Array {
  const places = new Uint8Array(Math.ceil(found.length / 8))
  for (const [at, each] of found.entries())
    if (each === undefined) places[at >> 3] = (places[at >> 3] ?? 0) | (1 << (at & 7))
  return places
}

/** Those whose places are set, in their order; what is set beyond the last one asks for nothing. */
export function pick(transactions: readonly Uint8Array[], places: Uint8Array): Uint8Array[] {
  return transactions.filter((_, at) => ((places[at >> 3] ?? 0) & (1 << (at & 7))) !== 0)
}

/** The same with these at the places that were empty; null when there are not as many. */
export function fillIn(found: Found, transactions: readonly Uint8Array[]): Found | null {
  let next = 0
  const filled = found.map((each) => each ?? transactions[next++])
  return next === transactions.length ? filled : null
}
