// What is written of a record in the private store when it comes, and what goes when it is erased: the keys of
// one are those of the other. A mark stays of an erased one: its id is in a batch, and arrivals have no gaps.

import { bytesMax, encode, struct, uint } from '@mooring/codec'
import { type DatabaseOperation, del, put } from './database.ts'
import {
  accountRecordKey,
  arrivalKey,
  duplicateKey,
  erasedKey,
  holdersKey,
  openKey,
  queuedKey,
  recordKey,
  setKey,
  shortKey,
} from './keys.ts'
import type { ErasedNames, NewRecord } from './private-record.ts'

const METADATA_BYTES_MAX = 64 * 1024
/** Under the open key of a record that waits for holders. */
const RECEIVED = Uint8Array.of(0)
export const ACCEPTED = Uint8Array.of(1)

export const storedRecord = struct({ arrival: uint(), metadata: bytesMax(METADATA_BYTES_MAX) })
const erasedRecord = struct({ arrival: uint() })

/** Of one that waits for holders. */
export function recordOperations(record: NewRecord, arrival: number): DatabaseOperation[] {
  return [
    ...indexOperations(record, arrival),
    put(queuedKey(arrival), record.queued),
    put(openKey(arrival), RECEIVED),
  ]
}

/** By what it is found. */
export function indexOperations(
  record: Omit<NewRecord, 'queued'>,
  arrival: number,
): DatabaseOperation[] {
  const { id, dedupeKey, setName, account, metadata, holders } = record
  return [
    put(recordKey(id), encode(storedRecord, { arrival, metadata })),
    put(duplicateKey(dedupeKey), id),
    put(setKey(setName), id),
    put(accountRecordKey(account, arrival), id),
    put(arrivalKey(arrival), id),
    put(holdersKey(arrival), holders),
  ]
}

/** Whether the record is not accepted yet, by what stands under its open key. */
export function isReceived(open: Uint8Array): boolean {
  return open[0] === RECEIVED[0]
}

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
  return [put(erasedKey(id), encode(erasedRecord, { arrival })), ...gone.map((key) => del(key))]
}
