// On what terms a holder takes what others give it: pure decisions, and the codes of its refusals.
//
// A holder never opens anything, so it judges the outside: who sends, whether the bytes are the shard that
// the set names, whether the set keeps to the rule that nobody holds a record alone, and whether there is
// room. That a placement is exactly the one that rendezvous hashing gives today is not asked: members come
// and go, and a shard that has been placed well stays where it is.

import { CodecError } from '@mooring/codec'
import {
  decodeKeyDeposit,
  decodeShardSet,
  type DepositItem,
  isShard,
  type KeyDeposit,
  type ShardHead,
  type ShardSet,
  shardSetId,
} from '@mooring/records'
import type { CheckedShard } from './kept-shards.ts'

export type DepositRefusal =
  /** Bytes that are no shard set. */
  | 'set_malformed'
  /** Only the custodian that a set names deposits its shards. */
  | 'not_the_custodian'
  /** One shard would be enough to read it. */
  | 'split_too_weak'
  | 'index_out_of_range'
  /** The holders that it names are not a list of n, or this one is not where the shard belongs. */
  | 'not_the_holder'
  /** It would give one owner two shards of a set, or names who is no member. */
  | 'placement_implausible'
  /** The bytes are not the shard that the set names. */
  | 'shard_wrong'
  | 'quota_exceeded'
  | 'holder_full'
  /** Its custodian has erased it. */
  | 'set_erased'

export interface DepositContext {
  /** The organisation that the request came from. */
  readonly sender: string
  readonly self: string
  readonly groupOf: (organisation: string) => string | undefined
}

export interface CheckedHead {
  readonly setId: Uint8Array
  readonly decoded: ShardSet
}

/** Everything that can be said of a deposit before its bytes are there. */
export function checkHead(head: ShardHead, context: DepositContext): CheckedHead | DepositRefusal {
  const { sender, self } = context
  const decoded = decodedOr(() => decodeShardSet(head.set))
  if (decoded === undefined) return 'set_malformed'
  if (decoded.custodian !== sender) return 'not_the_custodian'
  if (decoded.k < 2) return 'split_too_weak'
  if (head.index >= decoded.n) return 'index_out_of_range'
  if (head.holders.length !== decoded.n || head.holders[head.index] !== self) {
    return 'not_the_holder'
  }
  if (!isPlausible(head.holders, context)) return 'placement_implausible'
  return { setId: shardSetId(head.set), decoded }
}

export function checkDeposit(
  item: DepositItem,
  context: DepositContext,
): CheckedShard | DepositRefusal {
  const checked = checkHead(item, context)
  if (typeof checked === 'string') return checked
  const { setId, decoded } = checked
  const { set, manifest, holders, index, shard } = item
  if (!isShard(decoded, index, shard)) return 'shard_wrong'
  return { setId, index, custodian: context.sender, set, manifest, holders, decoded, shard }
}

/** Each of another owner; who has left the network since is no owner any more. */
function isPlausible(holders: readonly string[], { groupOf }: DepositContext): boolean {
  const groups = holders.flatMap((holder) => groupOf(holder) ?? [])
  return new Set(groups).size === groups.length && new Set(holders).size === holders.length
}

export type KeyDepositRefusal = 'keys_malformed' | 'not_the_custodian' | 'quota_exceeded'

export function checkKeyDeposit(
  encoded: Uint8Array,
  sender: string,
): KeyDeposit | KeyDepositRefusal {
  const deposit = decodedOr(() => decodeKeyDeposit(encoded))
  if (deposit === undefined) return 'keys_malformed'
  return deposit.custodian === sender ? deposit : 'not_the_custodian'
}

export interface Room {
  /** Bytes that are kept for this depositor, and how many may be; null: as many as there is room. */
  readonly used: number
  readonly quota: number | null
  /** Free on the disk, and to be kept free for what the node itself must write; null: not known. */
  readonly free: number | null
  readonly reserve: number
}

/** A holder says no before its disk does: a full disk stops more than deposits. */
export function checkRoom(
  bytes: number,
  { used, quota, free, reserve }: Room,
): 'quota_exceeded' | 'holder_full' | undefined {
  if (quota !== null && used + bytes > quota) return 'quota_exceeded'
  if (free !== null && free - bytes < reserve) return 'holder_full'
  return undefined
}

/** What the new place of a shard is told by, and how it stands with the old one. */
export interface Move {
  readonly sender: string
  readonly holder: string
  readonly index: number
  readonly custodian: string
  readonly holders: readonly string[]
  readonly groupOf: (organisation: string) => string | undefined
  readonly isConnected: (organisation: string) => boolean
}

export type MoveRefusal = 'not_the_holder' | 'index_out_of_range' | 'placement_implausible'

/**
 * The custodian may move its shards. The new holder may say so as well, when the old one is no member
 * any more or does not answer: nobody talks a live holder out of the list of those who count as witnesses.
 */
export function checkMove(move: Move): MoveRefusal | undefined {
  const { sender, holder, index, custodian, holders, groupOf, isConnected } = move
  const old = holders[index]
  if (old === undefined) return 'index_out_of_range'
  if (sender !== custodian && sender !== holder) return 'not_the_holder'
  const group = groupOf(holder)
  if (group === undefined) return 'placement_implausible'
  const others = holders.filter((_, at) => at !== index)
  if (others.some((other) => groupOf(other) === group)) return 'placement_implausible'
  if (sender === custodian || old === holder) return undefined
  const isGone = groupOf(old) === undefined || !isConnected(old)
  return isGone ? undefined : 'not_the_holder'
}

function decodedOr<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}
