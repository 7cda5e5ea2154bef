// One hospital of a wallet: where it answers, and by which key it knows the patient.
//
// An entry without `access` is the wallet's own: its keys follow from the seed. One with it belongs to a
// device or a representative, who signs with a key of the device and shows by whom it was delegated.

import {
  bytes,
  enclosed,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { DELEGATIONS_MAX, signedDelegationSchema } from './delegation.ts'
import { signedDischargeReceiptsSchema } from './discharge-receipts.ts'
import { organisationIdSchema } from './placement.ts'

const RECEIPTS_BYTES_MAX = 8 * 1024 * 1024

export const walletHospitalSchema = versioned(1, {
  organisation: organisationIdSchema,
  /** Whom it is about, as the holder of the wallet calls them; '' for the holder. */
  patient: text(64),
  /** As members call it. */
  name: text(128),
  /** Base address of its interface for patients. */
  endpoint: text(256),
  /** The patient's pairwise signing key there. */
  patientKey: bytes(32),
  /** Of the pairwise sealing key. */
  sealEpoch: uint(0xffff_ffff),
  enrolledAt: uint(),
  access: nullable(
    struct({
      /** From the patient's key to that of this device. */
      delegations: list(signedDelegationSchema, DELEGATIONS_MAX),
      /** The secret of the patient's sealing key, where it was handed over. */
      sealSecret: nullable(bytes(32)),
    }),
  ),
  /** What the desk said when the wallet enrolled. */
  receipts: nullable(enclosed(signedDischargeReceiptsSchema, RECEIPTS_BYTES_MAX)),
})

export type WalletHospital = Infer<typeof walletHospitalSchema>
