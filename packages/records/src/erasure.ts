// What a custodian tells the others when a record is erased, and what they sign in return.
//
// The chain has a tombstone that names nothing; with the name of the set and the salt a holder sees that it
// is the tombstone of just this set. It deletes what it has of it, and signs that. The statement says which
// shards went; none is an answer too, for shards move, and all members are asked.

import { bytes, concatBytes, encode, type Infer, list, struct, uint } from '@mooring/codec'
import { domainBytes, type KeyPair, sign, verify } from '@mooring/crypto'
import { organisationIdSchema } from './placement.ts'
import { SHARDS_MAX } from './shard-set.ts'

const TOMBSTONE_SALT_BYTES = 32

/** Sets of one message that are restricted, or are not any more. */
const RESTRICTIONS_MAX = 256

export const erasureOrderSchema = struct({ setId: bytes(32), salt: bytes(TOMBSTONE_SALT_BYTES) })

export const restrictionOrderSchema = struct({
  sets: list(
    struct({
      setId: bytes(32),
      /** 1: nobody but the custodian reads it any more. */
      isRestricted: uint(1),
    }),
    RESTRICTIONS_MAX,
  ),
})

const contentSchema = struct({
  custodian: organisationIdSchema,
  holder: organisationIdSchema,
  /** As the tombstone names it. */
  item: bytes(32),
  /** Numbers of the shards that were here and are no more. */
  shards: list(uint(SHARDS_MAX - 1), SHARDS_MAX),
  /** Of the final block at which the holder acted. */
  height: uint(),
})

export const deletionReceiptSchema = struct({ content: contentSchema, signature: bytes(64) })

export type ErasureOrder = Infer<typeof erasureOrderSchema>
export type RestrictionOrder = Infer<typeof restrictionOrderSchema>
export type DeletionStatement = Infer<typeof contentSchema>
/** Signed with the anchor key of the holder. */
export type DeletionReceipt = Infer<typeof deletionReceiptSchema>

export function signDeletion(
  keyPair: KeyPair,
  genesisDigest: Uint8Array,
  content: DeletionStatement,
): DeletionReceipt {
  return { content, signature: sign(keyPair, statementBytes(genesisDigest, content)) }
}

export function isDeletionSigned(
  { content, signature }: DeletionReceipt,
  genesisDigest: Uint8Array,
  anchorKey: Uint8Array,
): boolean {
  return verify(anchorKey, statementBytes(genesisDigest, content), signature)
}

function statementBytes(genesisDigest: Uint8Array, content: DeletionStatement): Uint8Array {
  return concatBytes(domainBytes('deletion'), genesisDigest, encode(contentSchema, content))
}
