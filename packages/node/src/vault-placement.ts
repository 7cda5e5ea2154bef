// Who keeps the shards of one set, as the custodian's store has it.

import { decode, encode, type Infer, list, uint, versioned } from '@mooring/codec'
import { organisationIdSchema, SHARDS_MAX } from '@mooring/records'

const placementSchema = versioned(1, {
  /** The organisation that keeps each shard, or shall. */
  holders: list(organisationIdSchema, SHARDS_MAX),
  /** Shards that have not been receipted. */
  missing: list(uint(SHARDS_MAX - 1), SHARDS_MAX),
})

export type Placement = Infer<typeof placementSchema>

export function encodePlacement(placement: Placement): Uint8Array {
  return encode(placementSchema, placement)
}

export function decodePlacement(encoded: Uint8Array): Placement {
  return decode(placementSchema, encoded)
}
