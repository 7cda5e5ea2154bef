// What goes of the private store when a record is erased, and the mark that stays: its id is in a batch, and
// arrivals have no gaps.

import { encode, struct, uint } from '@mooring/codec'
import type { DatabaseOperation } from './database.ts'
import {
  accountRecordKey,
  duplicateKey,
  erasedKey,
  holdersKey,
  openKey,
  queuedKey,
  recordKey,
  setKey,
  shortKey,
} from './keys.ts'
import type { ErasedNames } from './private-record.ts'

const erasedRecord = struct({ arrival: uint() })

/** `isKnownAs`: whether the same bytes would be recognised as this record. */
export function erasureOperations(
  { id, dedupeKey, setName, account }: ErasedNames,
  { arrival, isKnownAs }: { arrival: number; isKnownAs: boolean },
): DatabaseOperation[] {
  const gone = [
    recordKey(id),
    setKey(setName),
    accountRecordKey(account, arrival),
    ...[holdersKey, queuedKey, openKey, shortKey].map((keyOf) => keyOf(arrival)),
    ...(isKnownAs ? [duplicateKey(dedupeKey)] : []),
  ]
  return [
    { type: 'put', key: erasedKey(id), value: encode(erasedRecord, { arrival }) },
    ...gone.map((key) => ({ type: 'del' as const, key })),
  ]
}
