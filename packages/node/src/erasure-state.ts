// How far an erasure is, as the custodian keeps it.
//
//   asked --law or hold--> restricted --lifted by the patient--> lifted --all told--> forgotten
//     |                        |
//     |                        +--the law's time is over--+
//     v                                                   v
//   ordered --tombstone final--> erased --all told--> erased, and the name of the set is forgotten too
//
// A step is on the disk before the next one begins. What waits is asked again until it is done.

import {
  bytes,
  type Infer,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  variant,
  versioned,
} from '@mooring/codec'
import { ERASURE_REASONS } from '@mooring/ledger'
import { deletionReceiptSchema, organisationIdSchema } from '@mooring/records'

const ORGANISATIONS_MAX = 1_000
const HOLD_REASON_BYTES_MAX = 16 * 1024

export const erasureSchema = versioned(1, {
  /** Of the account of the patient; empty for what is the institution's own. */
  reference: text(256),
  class: text(64),
  by: oneOf('patient', 'custodian'),
  reason: oneOf(...ERASURE_REASONS),
  requestedAt: uint(),
  stage: variant({
    restricted: struct({
      setId: bytes(32),
      code: oneOf('retention_applies', 'legal_hold'),
      until: nullable(uint()),
    }),
    lifted: struct({ setId: bytes(32) }),
    ordered: struct({ setId: bytes(32), batchRoot: bytes(32) }),
    erased: struct({
      /** Null once everybody has been told. */
      setId: nullable(bytes(32)),
      batchRoot: bytes(32),
      item: bytes(32),
      height: uint(),
      /** Null when somebody else's look at the chain found it. */
      transaction: nullable(bytes(32)),
      erasedAt: uint(),
    }),
  }),
  /** Members that have not done their part so far. */
  waiting: list(organisationIdSchema, ORGANISATIONS_MAX),
  receipts: list(deletionReceiptSchema, ORGANISATIONS_MAX),
})

export const holdSchema = versioned(1, { reason: text(HOLD_REASON_BYTES_MAX), since: uint() })

export type Erasure = Infer<typeof erasureSchema>
export type Hold = Infer<typeof holdSchema>
export type Stage<K extends Erasure['stage']['kind']> = Extract<Erasure['stage'], { kind: K }>

/** Whether somebody has to be told still, or the chain. */
export function isOpen({ stage, waiting }: Erasure): boolean {
  return stage.kind === 'ordered' || waiting.length > 0
}
