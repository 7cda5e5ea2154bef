import assert from 'node:assert/strict'
import { CodecError, toHex } from '@mooring/codec'
import { keyPairFromSeed } from '@mooring/crypto'
import { test } from 'uvu'
import {
  afterRestore,
  createWallet,
  deviceKeyAt,
  DISCHARGE_RECEIPTS_MAX,
  handleKeyAt,
  grantIdOf,
  indexOfGrantId,
  hospitalIn,
  pairwiseKeyAt,
  RecordsError,
  organisationDid,
  pairwiseSealKey,
  sealKeyAt,
  sealKeysAt,
  signDelegation,
  signDischargeReceipts,
  signerAt,
  takeHandleKey,
  type Wallet,
  type WalletHospital,
  verifyDischargeReceipts,
  withHospital,
} from '../src/index.ts'
import { decodeWallet, encodeWallet } from '../src/wallet.ts'

const NOW = 1_800_000_000_000
const SEED = new Uint8Array(32).fill(1)
const anchorKey = keyPairFromSeed(new Uint8Array(32).fill(8))

const walletOf = (seed: Uint8Array | null): Wallet =>
  createWallet({ label: 'Ada', createdAt: NOW, seed, deviceSecret: new Uint8Array(32).fill(2) })

function hospitalOf(
  wallet: Wallet,
  organisation: string,
  change: Partial<WalletHospital> = {},
): WalletHospital {
  return {
    organisation,
    patient: '',
    name: organisation,
    endpoint: 'http://127.0.0.1:1',
    patientKey: wallet.seed === null ? SEED : pairwiseKeyAt(wallet, organisation).publicKey,
    sealEpoch: 1,
    enrolledAt: NOW,
    access: null,
    receipts: null,
    ...change,
  }
}

test('a wallet comes back from its bytes, hospitals and receipts included', () => {
  const wallet = walletOf(SEED)
  const receipts = signDischargeReceipts(anchorKey, {
    organisation: 'riverside',
    patientKey: pairwiseKeyAt(wallet, 'riverside').publicKey,
    issuedAt: NOW,
    records: [{ record: new Uint8Array(32).fill(5), type: 'Observation', date: '2026-01-02' }],
  })
  const full = withHospital(wallet, hospitalOf(wallet, 'riverside', { receipts }))
  assert.deepEqual(decodeWallet(encodeWallet(full)), full)
  assert.ok(verifyDischargeReceipts(receipts, anchorKey.publicKey))
  const other = { ...receipts.receipts, issuedAt: NOW + 1 }
  assert.equal(
    verifyDischargeReceipts({ ...receipts, receipts: other }, anchorKey.publicKey),
    false,
  )
  assert.throws(() => decodeWallet(encodeWallet(full).subarray(1)), CodecError)
})

function receiptsOf(wallet: Wallet, organisation: string, count: number): WalletHospital {
  const record = { record: SEED, type: 'Observation', date: '2026-01-02' }
  const receipts = signDischargeReceipts(anchorKey, {
    organisation,
    patientKey: SEED,
    issuedAt: NOW,
    records: Array.from({ length: count }, () => record),
  })
  return hospitalOf(wallet, organisation, { receipts })
}

test('three hospitals with all the receipts that there can be have room', () => {
  let wallet = walletOf(SEED)
  for (const organisation of ['riverside', 'lakeview', 'county']) {
    wallet = withHospital(wallet, receiptsOf(wallet, organisation, DISCHARGE_RECEIPTS_MAX))
  }
  const [first] = decodeWallet(encodeWallet(wallet)).hospitals
  assert.equal(first?.receipts?.receipts.records.length, DISCHARGE_RECEIPTS_MAX)
})

test('what could not be read again is not written', () => {
  const wallet = walletOf(SEED)
  const hospital = receiptsOf(wallet, 'riverside', DISCHARGE_RECEIPTS_MAX)
  const hospitals = Array.from({ length: 20 }, (_, index) => ({ ...hospital, patient: `${index}` }))
  assert.throws(() => encodeWallet({ ...wallet, hospitals }), CodecError)
})

test('a hospital is entered once for each patient', () => {
  const wallet = walletOf(SEED)
  const first = withHospital(wallet, hospitalOf(wallet, 'riverside'))
  const again = withHospital(first, hospitalOf(wallet, 'riverside', { endpoint: 'http://b' }))
  const child = withHospital(again, hospitalOf(wallet, 'riverside', { patient: 'Anna' }))
  assert.deepEqual(
    child.hospitals.map(({ patient, endpoint }) => [patient, endpoint]),
    [
      ['', 'http://b'],
      ['Anna', 'http://127.0.0.1:1'],
    ],
  )
  assert.equal(hospitalIn(child, 'riverside')?.endpoint, 'http://b')
  assert.equal(hospitalIn(child, 'lakeview'), undefined)
})

test('the seed signs for itself, a device by delegation with a key of its own for each hospital', () => {
  const wallet = walletOf(SEED)
  const own = signerAt(wallet, hospitalOf(wallet, 'riverside'))
  assert.deepEqual(own.signer.publicKey, own.patientKey)
  const device = walletOf(null)
  const delegations = [
    signDelegation(anchorKey, {
      id: new Uint8Array(16),
      kind: 'device',
      custodian: 'riverside',
      from: anchorKey.publicKey,
      to: SEED,
      role: null,
      notBefore: NOW,
      expiresAt: NOW + 1,
      handle: SEED,
    }),
  ]
  const access = { delegations, sealSecret: null }
  const keys = ['riverside', 'lakeview'].flatMap((organisation) =>
    ['', 'Anna'].map((patient) => {
      const entry = hospitalOf(device, organisation, { access, patient })
      const signer = signerAt(device, entry)
      assert.deepEqual(signer.delegations, delegations)
      assert.deepEqual(signer.signer, deviceKeyAt(device, entry))
      return toHex(signer.signer.publicKey)
    }),
  )
  assert.equal(new Set(keys).size, 4)
})

test('a device opens what the patient gave it the secret for, and has no seed to use', () => {
  const device = walletOf(null)
  const opened = sealKeyAt(walletOf(SEED), hospitalOf(walletOf(SEED), 'riverside'))
  assert.ok(opened)
  const given = { delegations: [], sealSecret: opened.secretKey }
  assert.deepEqual(sealKeyAt(device, hospitalOf(device, 'riverside', { access: given })), opened)
  const none = { delegations: [], sealSecret: null }
  assert.equal(sealKeyAt(device, hospitalOf(device, 'riverside', { access: none })), undefined)
  assert.throws(() => signerAt(device, hospitalOf(device, 'riverside')), RecordsError)
})

test('what was sealed before a recovery is still opened, where it was', () => {
  const wallet = walletOf(SEED)
  const former = new Uint8Array(32).fill(7)
  const did = organisationDid('riverside')
  const [first, second, third] = [SEED, former, new Uint8Array(32).fill(8)].map((seed) =>
    pairwiseSealKey(seed, did, 1),
  )
  assert.ok(first && second && third)
  const formerSeals = [
    { organisation: 'riverside', secretKey: third.secretKey },
    { organisation: 'lakeview', secretKey: former },
  ]
  const identity = { ...wallet.identity, formerSeals }
  const recovered = { ...wallet, formerSeeds: [former], identity }
  const entry = hospitalOf(wallet, 'riverside')
  assert.deepEqual(sealKeysAt(recovered, entry), [first, second, third])
  const access = { delegations: [], sealSecret: null }
  assert.deepEqual(sealKeysAt(recovered, { ...entry, patient: 'Anna', access }), [])
})

test('one-time keys are taken once, and found again by their number', () => {
  const first = takeHandleKey(walletOf(SEED))
  const second = takeHandleKey(first.wallet)
  assert.notDeepEqual(first.key.publicKey, second.key.publicKey)
  assert.deepEqual(handleKeyAt(second.wallet, first.index), first.key)
  assert.equal(second.wallet.nextHandle, 2)
})

test('after a restore no one-time key is used again, though nobody knows which were', () => {
  const copy = walletOf(SEED)
  const first = afterRestore(copy, NOW)
  const second = afterRestore(copy, NOW + 60_000)
  let used = first
  for (let count = 0; count < 50; count += 1) used = takeHandleKey(used).wallet
  assert.ok(used.nextHandle < second.nextHandle)
  assert.equal(afterRestore({ ...copy, nextHandle: NOW + 7 }, NOW).nextHandle, NOW + 7)
  const far = afterRestore(copy, Date.parse('9999-12-31'))
  assert.equal(
    indexOfGrantId(
      SEED,
      grantIdOf(SEED, far.nextHandle, (n) => new Uint8Array(n)),
    ),
    far.nextHandle,
  )
})

test.run()
