// A wallet: what a patient holds, as one value that is kept sealed (wallet-file.ts).
//
// The seed is the patient; everything else can be had again with it, at the desk of each hospital. A
// wallet without a seed is that of a device: it signs by delegation. Nothing here is changed in place:
// each function gives a new wallet, which the caller saves before anybody else learns of it.

import {
  bytes,
  bytesMax,
  decode,
  enclosed,
  encode,
  type Infer,
  list,
  nullable,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import { type KeyPair, x25519PublicKey } from '@mooring/crypto'
import { RecordsError } from './errors.ts'
import {
  deviceSignKey,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  type SealKeyPair,
} from './patient-keys.ts'
import type { PatientSigner } from './patient-request.ts'
import { EMPTY_WALLET_DELEGATIONS, walletDelegationsSchema } from './wallet-delegations.ts'
import { EMPTY_WALLET_EMERGENCY, walletEmergencySchema } from './wallet-emergency.ts'
import { walletGrantsSchema } from './wallet-grants.ts'
import { type WalletHospital, walletHospitalSchema } from './wallet-hospital.ts'
import { EMPTY_WALLET_IDENTITY, walletIdentitySchema } from './wallet-identity.ts'
import { EMPTY_WALLET_LOG, walletLogSchema } from './wallet-log.ts'

export const WALLET_BYTES_MAX = 64 * 1024 * 1024
export const WALLET_LABEL_BYTES_MAX = 128
export const SEAL_EPOCH = 1

const HOSPITALS_MAX = 256
const GENESIS_BYTES_MAX = 1024 * 1024
/** Each area has room of its own: a full one does not keep the others from being saved. */
const AREA_BYTES_MAX = 16 * 1024 * 1024

export const walletSchema = versioned(1, {
  label: text(WALLET_LABEL_BYTES_MAX),
  createdAt: uint(),
  /** Null in the wallet of a device. */
  seed: nullable(bytes(32)),
  /** Of wallets that this one replaced: they open what was sealed to them, and sign nothing. */
  formerSeeds: list(bytes(32), 16),
  /** Random, of this wallet file alone. */
  deviceSecret: bytes(32),
  /** The network, pinned when the wallet first enrolled. */
  genesis: nullable(struct({ digest: bytes(32), encoded: bytesMax(GENESIS_BYTES_MAX) })),
  hospitals: list(walletHospitalSchema, HOSPITALS_MAX),
  /** Number of the next one-time key. */
  nextHandle: uint(),
  grants: enclosed(walletGrantsSchema, AREA_BYTES_MAX),
  emergency: enclosed(walletEmergencySchema, AREA_BYTES_MAX),
  identity: enclosed(walletIdentitySchema, AREA_BYTES_MAX),
  delegations: enclosed(walletDelegationsSchema, AREA_BYTES_MAX),
  log: enclosed(walletLogSchema, AREA_BYTES_MAX),
})

export type Wallet = Infer<typeof walletSchema>

/** It is read back: what could not be opened again must not take the place of what can. @throws CodecError */
export function encodeWallet(wallet: Wallet): Uint8Array {
  const encoded = encode(walletSchema, wallet)
  decodeWallet(encoded)
  return encoded
}

/** @throws CodecError */
export function decodeWallet(encoded: Uint8Array): Wallet {
  return decode(walletSchema, encoded, WALLET_BYTES_MAX)
}

export function createWallet(parts: {
  label: string
  createdAt: number
  seed: Uint8Array | null
  deviceSecret: Uint8Array
}): Wallet {
  return {
    ...parts,
    formerSeeds: [],
    genesis: null,
    hospitals: [],
    nextHandle: 0,
    grants: [],
    emergency: EMPTY_WALLET_EMERGENCY,
    identity: EMPTY_WALLET_IDENTITY,
    delegations: EMPTY_WALLET_DELEGATIONS,
    log: EMPTY_WALLET_LOG,
  }
}

/**
 * A wallet made again, from words or from a copy that may be old: which one-time keys were used since
 * then nobody remembers, and none may be used twice. They go on at the time in milliseconds, which no
 * wallet reaches that takes fewer than a thousand a second.
 */
export function afterRestore(wallet: Wallet, restoredAt: number): Wallet {
  return { ...wallet, nextHandle: Math.max(wallet.nextHandle, restoredAt) }
}

/** Takes the next one-time key; save the wallet before the key is shown to anybody. */
export function takeHandleKey(wallet: Wallet): { wallet: Wallet; index: number; key: KeyPair } {
  const index = wallet.nextHandle
  const key = handleKey(wallet.seed ?? wallet.deviceSecret, index)
  return { wallet: { ...wallet, nextHandle: index + 1 }, index, key }
}

/** The one-time key of that number again, to revoke what it opened. */
export function handleKeyAt(wallet: Wallet, index: number): KeyPair {
  return handleKey(wallet.seed ?? wallet.deviceSecret, index)
}

/** `patient` is whom the holder represents there, '' for the holder. */
export function hospitalIn(
  wallet: Wallet,
  organisation: string,
  patient = '',
): WalletHospital | undefined {
  return wallet.hospitals.find((each) => isAt(each, { organisation, patient }))
}

/** With this entry in place of the one for the same hospital and patient. */
export function withHospital(wallet: Wallet, hospital: WalletHospital): Wallet {
  const isKnown = wallet.hospitals.some((each) => isAt(each, hospital))
  const hospitals = isKnown
    ? wallet.hospitals.map((each) => (isAt(each, hospital) ? hospital : each))
    : [...wallet.hospitals, hospital]
  return { ...wallet, hospitals }
}

/** The pairwise key of the seed at a hospital; what a desk binds. */
export function pairwiseKeyAt(wallet: Wallet, organisation: string): KeyPair {
  return pairwiseSignKey(seedOf(wallet), organisationDid(organisation))
}

export function pairwiseSealKeyAt(
  wallet: Wallet,
  organisation: string,
  epoch: number,
): SealKeyPair {
  return pairwiseSealKey(seedOf(wallet), organisationDid(organisation), epoch)
}

/** The key of this wallet file there, to which the patient's key may delegate. */
export function deviceKeyAt(
  wallet: Wallet,
  { organisation, patient }: Pick<WalletHospital, 'organisation' | 'patient'>,
): KeyPair {
  const did = organisationDid(organisation)
  return deviceSignKey(wallet.deviceSecret, patient === '' ? did : `${did}|${patient}`)
}

/** Who signs requests and grants there. */
export function signerAt(wallet: Wallet, hospital: WalletHospital): PatientSigner {
  const { patientKey, access, organisation } = hospital
  if (access !== null) {
    const { delegations } = access
    return { patientKey, signer: deviceKeyAt(wallet, hospital), delegations }
  }
  return { patientKey, signer: pairwiseKeyAt(wallet, organisation), delegations: [] }
}

/** Opens class keys and access entries of that hospital; undefined for a device that was not given it. */
export function sealKeyAt(wallet: Wallet, hospital: WalletHospital): SealKeyPair | undefined {
  const { access, organisation, sealEpoch } = hospital
  if (access === null) {
    return pairwiseSealKeyAt(wallet, organisation, sealEpoch)
  }
  const secretKey = access.sealSecret
  return secretKey === null ? undefined : { secretKey, publicKey: x25519PublicKey(secretKey) }
}

/** To any of these something may be sealed there: the one in force first, then those it replaced. */
export function sealKeysAt(wallet: Wallet, hospital: WalletHospital): SealKeyPair[] {
  const own = sealKeyAt(wallet, hospital)
  const current = own === undefined ? [] : [own]
  const { organisation, patient } = hospital
  if (patient !== '') return current
  const did = organisationDid(organisation)
  const seeded = wallet.formerSeeds.map((seed) => pairwiseSealKey(seed, did, SEAL_EPOCH))
  const recovered = wallet.identity.formerSeals
    .filter((each) => each.organisation === organisation)
    .map(({ secretKey }) => ({ secretKey, publicKey: x25519PublicKey(secretKey) }))
  return [...current, ...seeded, ...recovered]
}

function seedOf({ seed }: Wallet): Uint8Array {
  if (seed !== null) return seed
  throw new RecordsError('out_of_range', 'seed', 'the wallet of a device has none')
}

function isAt(
  hospital: WalletHospital,
  { organisation, patient }: Pick<WalletHospital, 'organisation' | 'patient'>,
): boolean {
  return hospital.organisation === organisation && hospital.patient === patient
}
