// The part of a wallet about emergencies: the card, and what was deposited last.
//
// Locator and owner key follow from the seed, so that a wallet made again from its words has the same card and
// may replace what was deposited. A card that was lost is replaced by the next one.

import { bool, type Infer, list, nullable, struct, text, uint, versioned } from '@mooring/codec'
import { type KeyPair, keyPairFromSeed } from '@mooring/crypto'
import { EMERGENCY_VERSIONS_MAX, LOCATOR_BYTES } from './emergency-locator.ts'
import { patientSecret } from './patient-keys.ts'
import { organisationIdSchema } from './placement.ts'

export const walletEmergencySchema = versioned(1, {
  /** Nobody opens an emergency set of this patient. */
  isOptedOut: bool(),
  /** Of the card: a lost one is replaced by the next. */
  cardIndex: uint(0xffff_ffff),
  /** Of the last statement. */
  sequence: uint(),
  deposited: nullable(
    struct({
      /** The hospital that handed it to the trustees. */
      home: organisationIdSchema,
      /** The first version that was never used. */
      nextVersion: uint(EMERGENCY_VERSIONS_MAX),
      madeAt: uint(),
      trustees: list(text(64), 9),
    }),
  ),
})

type WalletEmergency = Infer<typeof walletEmergencySchema>

export const EMPTY_WALLET_EMERGENCY: WalletEmergency = {
  isOptedOut: false,
  cardIndex: 0,
  sequence: 0,
  deposited: null,
}

export function walletLocator(seed: Uint8Array, cardIndex: number): Uint8Array {
  return patientSecret(seed, `emergency-locator/v1|${cardIndex}`).subarray(0, LOCATOR_BYTES)
}

/** Signs what is deposited under one card. */
export function emergencyOwner(seed: Uint8Array, cardIndex: number): KeyPair {
  return keyPairFromSeed(patientSecret(seed, `emergency-owner/v1|${cardIndex}`))
}

/** The number of the next statement; by the clock, so that a wallet made again does not begin anew. */
export function nextSequence({ sequence }: WalletEmergency, now: number): number {
  return Math.max(sequence + 1, now)
}
