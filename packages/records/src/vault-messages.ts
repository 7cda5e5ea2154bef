// What members ask of each other about records: the requests and answers of the protocol `records`.
//
// One request, one answer, each a variant of CBOR with limits. Sets and key deposits travel as the bytes
// they were encoded to, because their names are hashes of those bytes; manifests are sealed; nothing here
// names a patient, except a request for access, which shows the facts of what it asks for. An
// answer is of the kind of its request, or a refusal.
//
// A request is whole in itself and may be repeated: asking again for what was done changes nothing.

import {
  bytes,
  bytesMax,
  concatBytes,
  decode,
  decodeShared,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
  utf8Bytes,
  variant,
} from '@mooring/codec'
import { domainBytes } from '@mooring/crypto'
import { accessEntrySchema } from './access-entry.ts'
import { signedRequestSchema } from './access-request.ts'
import { accessWitnessSchema } from './access-witness.ts'
import { AUDIT_ANSWER_BYTES, AUDIT_NONCE_BYTES } from './audit.ts'
import { BATCH_DEPOSIT_BYTES_MAX, leafPlaceSchema } from './batch-leaves.ts'
import { HELD_ACCESSES_MAX, heldAccessSchema } from './held-access.ts'
import { KEY_DEPOSIT_BYTES_MAX } from './class-keys.ts'
import { deletionReceiptSchema, erasureOrderSchema, restrictionOrderSchema } from './erasure.ts'
import { SEALED_MANIFEST_BYTES_MAX } from './manifest.ts'
import { emergencyAnswerSchema, emergencyMessageSchema } from './emergency-messages.ts'
import { organisationIdSchema } from './placement.ts'
import { SEALED_RECORD_KEYS_BYTES_MAX } from './record-keys.ts'
import { repairQuestionSchema } from './repair-part.ts'
import { SEGMENTS_MAX, SHARD_SET_BYTES_MAX, SHARDS_MAX } from './shard-set.ts'

const MIB = 1024 * 1024

export const VAULT_MESSAGE_BYTES_MAX = 5 * MIB
export const DEPOSIT_ITEMS_MAX = 512
/** Of a shard in `deposit`; a longer one goes in parts. */
export const WHOLE_SHARD_BYTES_MAX = MIB
export const DEPOSIT_PART_BYTES_MAX = 4 * MIB
export const KEY_DEPOSITS_MAX = 256
/** Of one message; they fit into it whatever their size. */
export const BATCH_DEPOSITS_MAX = 32
export const FOUND_LEAVES_MAX = 32
/** A leaf is asked for by its beginning: so many bytes of it at most. */
export const LEAF_PREFIX_BYTES_MAX = 4
export const HAVE_SETS_MAX = 4096
export const AUDIT_SETS_MAX = 256
export const LIST_ITEMS_MAX = 1000
export const RELEASE_ITEMS_MAX = 64
export const REPAIR_SETS_MAX = 256
/** Records of which fields are shown in one answer; each is read back for it. */
export const FIELD_RECORDS_MAX = 16
/** What is longer is not told: whoever gets fields gets few. */
export const FIELD_PROOF_BYTES_MAX = 256 * 1024
export const MOVED_SETS_MAX = 1024

const digest = bytes(32)
const signature = bytes(64)
const shardIndex = uint(SHARDS_MAX - 1)
const segment = uint(SEGMENTS_MAX)

/** A shard by name. */
const shardNameSchema = struct({ setId: digest, index: shardIndex })

const recordHead = {
  set: bytesMax(SHARD_SET_BYTES_MAX),
  manifest: bytesMax(SEALED_MANIFEST_BYTES_MAX),
  /** The organisation that keeps each shard of the set, as far as the sender knows. */
  holders: list(organisationIdSchema, SHARDS_MAX),
}
const shardHead = { ...recordHead, index: shardIndex }

/** Everything about a shard but its bytes. */
const shardHeadSchema = struct(shardHead)

const catalogueItemSchema = struct({
  ...recordHead,
  /** Where its commitment is in an anchored batch; null: it waits for one. */
  place: nullable(leafPlaceSchema),
})

const keyDeposits = list(bytesMax(KEY_DEPOSIT_BYTES_MAX), KEY_DEPOSITS_MAX)

const batchDeposits = list(bytesMax(BATCH_DEPOSIT_BYTES_MAX), BATCH_DEPOSITS_MAX)

const depositItemSchema = struct({
  ...shardHead,
  shard: bytesMax(WHOLE_SHARD_BYTES_MAX),
})

const pageRequestSchema = struct({
  custodian: organisationIdSchema,
  after: nullable(digest),
  limit: uint(LIST_ITEMS_MAX),
})

const releaseItemSchema = struct({
  setId: digest,
  from: segment,
  /** Fragments from there on; a holder may give fewer, at least one. */
  count: segment,
  /** Whether the digests of all fragments of the shard are wanted as well. */
  digests: uint(1),
})

const requestSchema = variant({
  deposit: struct({ items: list(depositItemSchema, DEPOSIT_ITEMS_MAX) }),
  /** A long shard: begin, parts in order, commit. After a break `have` and begin tell where to go on. */
  'deposit-begin': struct({ head: shardHeadSchema, shardBytes: uint() }),
  'deposit-part': struct({
    shard: shardNameSchema,
    offset: uint(),
    part: bytesMax(DEPOSIT_PART_BYTES_MAX),
  }),
  'deposit-commit': struct({ shard: shardNameSchema }),
  'deposit-keys': struct({ items: keyDeposits }),
  /** Class keys and shards under them: who does not know this is given them one after the other. */
  'deposit-with-keys': struct({
    keys: keyDeposits,
    items: list(depositItemSchema, DEPOSIT_ITEMS_MAX),
  }),
  /** Leaves of anchored batches. */
  'deposit-batches': struct({ items: batchDeposits }),
  have: struct({ shards: list(shardNameSchema, HAVE_SETS_MAX) }),
  audit: struct({
    nonce: bytes(AUDIT_NONCE_BYTES),
    shards: list(shardNameSchema, AUDIT_SETS_MAX),
  }),
  /** Records of a custodian by the name of their set, in its order. */
  list: pageRequestSchema,
  'list-keys': pageRequestSchema,
  /** Batches of a custodian by their root, in its order. */
  'list-batches': struct({
    custodian: organisationIdSchema,
    after: nullable(digest),
    limit: uint(BATCH_DEPOSITS_MAX),
  }),
  /**
   * Leaves of a custodian that begin like this. A holder knows sets and no commitments: asked for a whole
   * leaf by who has just read a set, it would learn which commitment is the set's and that it is no dummy.
   * Asked for all that begin alike, it learns as little as there are leaves enough, and who asks takes a
   * longer beginning only where they are too many for an answer.
   */
  leaves: struct({
    custodian: organisationIdSchema,
    prefix: bytesMax(LEAF_PREFIX_BYTES_MAX),
  }),
  witness: struct({ signed: signedRequestSchema, entry: accessEntrySchema }),
  release: struct({
    signed: signedRequestSchema,
    witnesses: list(accessWitnessSchema, SHARDS_MAX),
    items: list(releaseItemSchema, RELEASE_ITEMS_MAX),
  }),
  /** Lines of the holder's access log that are about records of who asks, behind one of them. */
  accesses: struct({ after: uint(), limit: uint(HELD_ACCESSES_MAX) }),
  /** What the custodian has that the grant in the request covers. */
  catalogue: struct({
    signed: signedRequestSchema,
    entry: accessEntrySchema,
    after: nullable(digest),
    limit: uint(LIST_ITEMS_MAX),
  }),
  /** What the custodian may show of records of which the grant opens no more than fields. */
  fields: struct({
    signed: signedRequestSchema,
    entry: accessEntrySchema,
    after: nullable(digest),
    limit: uint(FIELD_RECORDS_MAX),
  }),
  /** To a helper, from the new holder: its masked share of each shard; see repair-part.ts. */
  repair: struct({ questions: list(repairQuestionSchema, REPAIR_SETS_MAX) }),
  /** To the new holder of these shards: it makes them again, with the help of others. */
  restore: struct({
    items: list(shardHeadSchema, REPAIR_SETS_MAX),
    /** Organisations that are no help: their shards are not what the sets say. */
    avoid: list(organisationIdSchema, SHARDS_MAX),
  }),
  /** These shards are at another holder now. */
  moved: struct({
    holder: organisationIdSchema,
    shards: list(shardNameSchema, MOVED_SETS_MAX),
  }),
  /** What is here of this set goes: its custodian has put a tombstone on the chain. */
  erase: erasureOrderSchema,
  /** From its custodian: nobody else reads these sets, or others may again. */
  restrict: restrictionOrderSchema,
  /** About emergency sets; see emergency-messages.ts. */
  emergency: emergencyMessageSchema,
  /** A holder served something else than its shard. */
  report: struct({ shard: shardNameSchema, holder: organisationIdSchema, code: text(64) }),
})

/** How they begin: an array of two, a text, its bytes. */
const DEPOSIT_HEADS = ['deposit', 'deposit-with-keys'].map((kind) =>
  Uint8Array.of(0x82, 0x60 + kind.length, ...utf8Bytes(kind)),
)

const receiptSchema = struct({
  holder: organisationIdSchema,
  /** With the holder's anchor key; see `depositReceiptMessage`. */
  signature,
  /** Positions in the request that were not taken, with the reason. */
  refused: list(
    struct({ position: uint(DEPOSIT_ITEMS_MAX - 1), code: text(64) }),
    DEPOSIT_ITEMS_MAX,
  ),
})

const releasedSchema = struct({
  setId: digest,
  index: shardIndex,
  from: segment,
  /** Of all fragments, in order, when asked for: the RFC 9162 root over them is the shard's leaf. */
  digests: list(digest, SEGMENTS_MAX),
  fragments: list(bytesMax(MIB), SEGMENTS_MAX),
})

const answerSchema = variant({
  refusal: struct({ code: text(64), retryAfterMs: uint() }),
  /** Done, and there is nothing to say about it. */
  done: struct({}),
  receipt: receiptSchema,
  /** Bytes of a long shard that are kept so far. */
  part: struct({ received: uint() }),
  /** A bit for each shard asked for, the first in the lowest bit of the first byte. */
  have: struct({ bitmap: bytesMax(HAVE_SETS_MAX / 8) }),
  /** In the order asked; null for a shard that is not here or does not read back. */
  audit: struct({ answers: list(nullable(bytes(AUDIT_ANSWER_BYTES)), AUDIT_SETS_MAX) }),
  list: struct({ items: list(shardHeadSchema, LIST_ITEMS_MAX), next: nullable(digest) }),
  'list-keys': struct({
    items: list(bytesMax(KEY_DEPOSIT_BYTES_MAX), LIST_ITEMS_MAX),
    next: nullable(digest),
  }),
  'list-batches': struct({ items: batchDeposits, next: nullable(digest) }),
  leaves: struct({
    items: list(struct({ leaf: digest, place: leafPlaceSchema }), FOUND_LEAVES_MAX),
    /** 1 when there are more than these. */
    more: uint(1),
  }),
  witness: struct({ signature }),
  /** What was here of the set is deleted. */
  erased: deletionReceiptSchema,
  release: struct({ items: list(releasedSchema, RELEASE_ITEMS_MAX) }),
  accesses: struct({
    items: list(heldAccessSchema, HELD_ACCESSES_MAX),
    next: nullable(uint()),
    /** Number of the newest line of the whole log: less than before when the log was lost. */
    last: uint(),
  }),
  catalogue: struct({
    /** Key deposits with wraps for the reader. */
    keys: list(bytesMax(KEY_DEPOSIT_BYTES_MAX), KEY_DEPOSITS_MAX),
    items: list(catalogueItemSchema, LIST_ITEMS_MAX),
    /** Of these items, sealed to the reader, under a grant that opens no whole classes; else empty. */
    recordKeys: bytesMax(SEALED_RECORD_KEYS_BYTES_MAX),
    next: nullable(digest),
  }),
  emergency: emergencyAnswerSchema,
  fields: struct({
    /** Each a proof of the record that shows the fields, as a file. */
    proofs: list(text(FIELD_PROOF_BYTES_MAX), FIELD_RECORDS_MAX),
    /** Set to go on behind; null at the end. */
    next: nullable(digest),
  }),
  /** In the order asked; null where this holder does not help. */
  repair: struct({ parts: list(nullable(bytesMax(DEPOSIT_PART_BYTES_MAX)), REPAIR_SETS_MAX) }),
  /** In the order asked: `kept` when the shard is here, whole and checked, or why it is not. */
  restore: struct({
    outcomes: list(text(64), REPAIR_SETS_MAX),
    /** Helpers whose share was wrong. */
    liars: list(organisationIdSchema, SHARDS_MAX),
  }),
})

export type ShardName = Infer<typeof shardNameSchema>
export type ShardHead = Infer<typeof shardHeadSchema>
export type RecordHead = Omit<ShardHead, 'index'>
export type CatalogueItem = Infer<typeof catalogueItemSchema>
export type DepositItem = Infer<typeof depositItemSchema>
export type ReleaseItem = Infer<typeof releaseItemSchema>
export type ReleasedShard = Infer<typeof releasedSchema>
export type DepositReceipt = Infer<typeof receiptSchema>
export type VaultRequest = Infer<typeof requestSchema>
export type VaultAnswer = Infer<typeof answerSchema>

export function encodeVaultRequest(request: VaultRequest): Uint8Array {
  return encode(requestSchema, request)
}

/** The bytes of a deposit are views of the message: it is large, and goes to the disk as it is. @throws CodecError */
export function decodeVaultRequest(encoded: Uint8Array): VaultRequest {
  const isDeposit = DEPOSIT_HEADS.some((head) => head.every((byte, at) => encoded[at] === byte))
  const read = isDeposit ? decodeShared : decode
  return read(requestSchema, encoded, VAULT_MESSAGE_BYTES_MAX)
}

export function encodeVaultAnswer(answer: VaultAnswer): Uint8Array {
  return encode(answerSchema, answer)
}

/** @throws CodecError */
export function decodeVaultAnswer(encoded: Uint8Array): VaultAnswer {
  return decode(answerSchema, encoded, VAULT_MESSAGE_BYTES_MAX)
}

const receiptContentSchema = struct({
  depositor: organisationIdSchema,
  holder: organisationIdSchema,
  shards: list(shardNameSchema, DEPOSIT_ITEMS_MAX),
})

export type DepositReceiptContent = Infer<typeof receiptContentSchema>

/** What a receipt signs: that this holder keeps these shards for this depositor, durably. */
export function depositReceiptMessage(content: DepositReceiptContent): Uint8Array {
  return concatBytes(domainBytes('deposit-receipt'), encode(receiptContentSchema, content))
}
