// What test/vectors/records-patients.json holds: keys, requests, tickets, receipts and ids of grants of one
// patient, from fixed seeds.

import { encode, toHex } from '@mooring/codec'
import { type KeyPair, keyPairFromSeed, seedToWords } from '@mooring/crypto'
import {
  backupKey,
  createWallet,
  deriveWalletKey,
  deviceSealKey,
  deviceVetoKey,
  formatTicket,
  grantIdOf,
  guardianSealKey,
  guardianSignKey,
  handleKey,
  organisationDid,
  pairwiseSealKey,
  pairwiseSignKey,
  type PatientCall,
  rootSignKey,
  sealWallet,
  type Wallet,
  type SealKeyPair,
  signDelegation,
  signDischargeReceipts,
  signedDischargeReceiptsSchema,
  signPatientRequest,
} from '../src/index.ts'
import { signedDelegationSchema } from '../src/delegation.ts'
import { deviceSignKey } from '../src/patient-keys.ts'
import { encodeWallet } from '../src/wallet.ts'

export const SEED = new Uint8Array(32).fill(1)
export const NOW = 1_795_772_400_000
export const PASSPHRASE = 'correct horse battery staple'
export const HANDLE = new Uint8Array(32).fill(5)

const DEVICE_SECRET = new Uint8Array(32).fill(2)
const ORGANISATION = 'riverside'
const DID = organisationDid(ORGANISATION)
const anchorKey = keyPairFromSeed(new Uint8Array(32).fill(3))
/** The same byte over and over: no two of these are made with one key. */
const fixed = (length: number) => new Uint8Array(length).fill(7)

export const call: PatientCall = {
  genesisDigest: new Uint8Array(32).fill(4),
  organisation: ORGANISATION,
  method: 'POST',
  path: '/v1/patient/grants?limit=5',
  body: new TextEncoder().encode('{}'),
}

const own = pairwiseSignKey(SEED, DID)
const device = deviceSignKey(DEVICE_SECRET, DID)
const delegation = signDelegation(own, {
  id: fixed(16),
  kind: 'device',
  custodian: ORGANISATION,
  from: own.publicKey,
  to: device.publicKey,
  role: null,
  notBefore: NOW,
  expiresAt: NOW + 86_400_000,
  handle: HANDLE,
})
const receipts = signDischargeReceipts(anchorKey, {
  organisation: ORGANISATION,
  patientKey: own.publicKey,
  issuedAt: NOW,
  records: [{ record: fixed(32), type: 'Observation', date: '2026-11-27' }],
})
const ticket = {
  organisation: ORGANISATION,
  endpoint: 'https://wallets.riverside.example',
  code: fixed(16),
  genesisPrefix: call.genesisDigest.slice(0, 8),
}
const walletKey = await deriveWalletKey(PASSPHRASE, fixed, { N: 1_024, r: 8, p: 1 })

const { genesisDigest: digest } = call
const entry = {
  organisation: ORGANISATION,
  patient: '',
  name: 'Riverside',
  endpoint: ticket.endpoint,
  patientKey: own.publicKey,
  sealEpoch: 1,
  enrolledAt: NOW,
  access: null,
  receipts,
}
const access = { delegations: [delegation], sealSecret: fixed(32) }
export const wallet: Wallet = {
  ...createWallet({ label: 'Ada', createdAt: NOW, seed: SEED, deviceSecret: DEVICE_SECRET }),
  formerSeeds: [fixed(32)],
  genesis: { digest, encoded: fixed(9) },
  hospitals: [entry, { ...entry, patient: 'Anna', access, receipts: null }],
  nextHandle: 70_001,
  grants: [
    {
      index: 70_000,
      handle: HANDLE,
      custodian: ORGANISATION,
      recipient: 'lakeview',
      document: null,
      openedAt: NOW,
      expiresAt: NOW + 86_400_000,
      revokedAt: null,
    },
  ],
}

const signing = ({ seed, publicKey }: KeyPair) => [toHex(seed), toHex(publicKey)]
const sealing = ({ secretKey, publicKey }: SealKeyPair) => [toHex(secretKey), toHex(publicKey)]

export const patientVectors = {
  seed: toHex(SEED),
  words: seedToWords(SEED).join(' '),
  keys: {
    pairwiseSign: signing(own),
    pairwiseSeal: sealing(pairwiseSealKey(SEED, DID, 1)),
    deviceSign: signing(device),
    root: signing(rootSignKey(SEED, 3)),
    handle: signing(handleKey(SEED, 3)),
    guardianSign: signing(guardianSignKey(SEED, 3)),
    guardianSeal: sealing(guardianSealKey(SEED, 3)),
    deviceVeto: signing(deviceVetoKey(DEVICE_SECRET)),
    deviceSeal: sealing(deviceSealKey(DEVICE_SECRET)),
    backup: toHex(backupKey(SEED, 2)),
  },
  grantId: { index: 70_000, id: toHex(grantIdOf(SEED, 70_000, fixed)) },
  delegation: toHex(encode(signedDelegationSchema, delegation)),
  requests: {
    own: signPatientRequest({ patientKey: own.publicKey, signer: own, delegations: [] }, call, {
      now: NOW,
      random: fixed,
    }),
    device: signPatientRequest(
      { patientKey: own.publicKey, signer: device, delegations: [delegation] },
      call,
      { now: NOW, random: fixed },
    ),
  },
  ticket: formatTicket(ticket),
  receipts: {
    anchorKey: toHex(anchorKey.publicKey),
    signed: toHex(encode(signedDischargeReceiptsSchema, receipts)),
  },
  wallet: toHex(encodeWallet(wallet)),
  walletFile: sealWallet(wallet, walletKey, fixed),
  walletKey: { salt: toHex(walletKey.salt), key: toHex(walletKey.key) },
}
