// What a hospital tells a patient who enrols: which records of them it has so far, by commitment.
//
// It signs the list with its anchor key. A record that it has listed and later does not know, or shows
// otherwise, is thereby proved to be missing; the list opens no record.

import {
  bytes,
  concatBytes,
  encode,
  type Infer,
  list,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { domainBytes, type KeyPair, sign, verify } from '@mooring/crypto'
import { organisationIdSchema } from './placement.ts'

export const DISCHARGE_RECEIPTS_MAX = 65_536

export const dischargeReceiptSchema = struct({
  /** Its commitment, which is a leaf of an anchored batch. */
  record: bytes(32),
  /** Resource type, or '' of what is no FHIR. */
  type: text(64),
  /** YYYY-MM-DD, or ''. */
  date: text(10),
})

export const dischargeReceiptsSchema = versioned(1, {
  organisation: organisationIdSchema,
  /** Of the wallet that enrolled. */
  patientKey: bytes(32),
  issuedAt: uint(),
  records: list(dischargeReceiptSchema, DISCHARGE_RECEIPTS_MAX),
})

export const signedDischargeReceiptsSchema = struct({
  receipts: dischargeReceiptsSchema,
  signature: bytes(64),
})

export type DischargeReceipt = Infer<typeof dischargeReceiptSchema>
type DischargeReceipts = Infer<typeof dischargeReceiptsSchema>
export type SignedDischargeReceipts = Infer<typeof signedDischargeReceiptsSchema>

export function signDischargeReceipts(
  anchorKey: KeyPair,
  receipts: DischargeReceipts,
): SignedDischargeReceipts {
  return { receipts, signature: sign(anchorKey, messageOf(receipts)) }
}

export function verifyDischargeReceipts(
  { receipts, signature }: SignedDischargeReceipts,
  anchorKey: Uint8Array,
): boolean {
  return verify(anchorKey, messageOf(receipts), signature)
}

function messageOf(receipts: DischargeReceipts): Uint8Array {
  return concatBytes(domainBytes('discharge-receipts'), encode(dischargeReceiptsSchema, receipts))
}
