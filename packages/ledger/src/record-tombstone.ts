// `record.tombstone`: a custodian says that one item below a batch root of its own is erased. Which one is
// told to holders alone: the chain has a digest with a salt, and the salt goes with the keys.

import {
  bytes,
  concatBytes,
  encode,
  type Infer,
  oneOf,
  struct,
  uint,
  versioned,
} from '@mooring/codec'
import { domainHash } from '@mooring/crypto'
import { checkAnchorSigner } from './anchor-signer.ts'
import { identifierSchema } from './organisation.ts'
import { once, type StateReader } from './state.ts'
import { anchorKey, tombstoneKey } from './state-keys.ts'
import type { Facts, InvalidTransaction, TransactionKind } from './transaction-kind.ts'

export const ERASURE_REASONS = [
  'patient_request',
  'retention_over',
  'entered_in_error',
  'court_order',
] as const
export type ErasureReason = (typeof ERASURE_REASONS)[number]

const erasureReasonSchema = oneOf(...ERASURE_REASONS)

const schema = struct({
  /** The custodian. */
  organisation: identifierSchema,
  batchRoot: bytes(32),
  item: bytes(32),
  reason: erasureReasonSchema,
})

const tombstoneSchema = versioned(1, {
  batchRoot: bytes(32),
  reason: erasureReasonSchema,
  height: uint(),
})

export type RecordTombstone = Infer<typeof schema>
export type Tombstone = Infer<typeof tombstoneSchema>

const readTombstone = once(tombstoneSchema)

export const recordTombstone: TransactionKind<RecordTombstone> = {
  schema,
  payerOf: (body) => body.organisation,
  placeOf: () => null,
  quota: 'data',
  check,
  apply({ draft, height }, { organisation, batchRoot, item, reason }) {
    const value = encode(tombstoneSchema, { batchRoot, reason, height })
    draft.set(tombstoneKey(organisation, item), value)
  },
}

/** How a tombstone names a set of shards to those that are told the salt. */
export function tombstoneItem(setId: Uint8Array, salt: Uint8Array): Uint8Array {
  return domainHash('tombstone-item', concatBytes(setId, salt))
}

export function tombstoneOf(
  state: StateReader,
  custodian: string,
  item: Uint8Array,
): Tombstone | undefined {
  const value = state.get(tombstoneKey(custodian, item))
  return value === undefined ? undefined : readTombstone(value)
}

function check(
  facts: Facts,
  { organisation, batchRoot, item }: RecordTombstone,
): InvalidTransaction | undefined {
  const refused = checkAnchorSigner(facts)
  if (refused !== undefined) return refused
  const { draft, acceptsGap } = facts
  if (tombstoneOf(draft, organisation, item) !== undefined) return { code: 'item_erased', item }
  if (draft.has(anchorKey(organisation, batchRoot)) || acceptsGap) return undefined
  return { code: 'root_not_anchored', root: batchRoot }
}
