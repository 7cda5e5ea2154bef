import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode, equalBytes, fromHex, toHex } from '@mooring/codec'
import { wordsToSeed } from '@mooring/crypto'
import { test } from 'uvu'
import {
  checkPatientRequest,
  indexOfGrantId,
  openWallet,
  parseTicket,
  signedDischargeReceiptsSchema,
  verifyDischargeReceipts,
} from '../src/index.ts'
import { decodeWallet } from '../src/wallet.ts'
import { call, HANDLE, NOW, PASSPHRASE, patientVectors, SEED, wallet } from './patient-vectors.ts'
import { vectorFolder } from './vectors.ts'

const frozen: typeof patientVectors = JSON.parse(
  readFileSync(new URL('records-patients.json', vectorFolder), 'utf8'),
)

test('what a wallet makes today is what was frozen', () => {
  assert.deepEqual(patientVectors, frozen)
})

test('the frozen requests are taken, of the patient and of the device', () => {
  const standing = { kind: 'delegation', expiresAt: NOW + 1, revokedAt: null }
  const handleOf = (handle: Uint8Array) => (equalBytes(handle, HANDLE) ? standing : undefined)
  for (const [header, signer] of [
    [frozen.requests.own, frozen.keys.pairwiseSign[1]],
    [frozen.requests.device, frozen.keys.deviceSign[1]],
  ] as const) {
    const checked = checkPatientRequest(header, call, { now: NOW, handleOf })
    assert.ok('request' in checked)
    assert.equal(toHex(checked.request.signer), signer)
    assert.equal(toHex(checked.request.patientKey), frozen.keys.pairwiseSign[1])
  }
})

test('the frozen wallet file opens, and is the frozen wallet', async () => {
  const opened = await openWallet(frozen.walletFile, PASSPHRASE)
  assert.ok('wallet' in opened)
  assert.deepEqual(opened.wallet, wallet)
  assert.deepEqual(decodeWallet(fromHex(frozen.wallet)), wallet)
  assert.deepEqual(await openWallet(frozen.walletFile, 'another'), { code: 'passphrase_wrong' })
})

test('the frozen words, ticket, receipts and id read back', () => {
  assert.deepEqual(wordsToSeed(frozen.words), SEED)
  assert.equal(parseTicket(frozen.ticket).endpoint, 'https://wallets.riverside.example')
  assert.equal(indexOfGrantId(SEED, fromHex(frozen.grantId.id)), frozen.grantId.index)
  const signed = decode(signedDischargeReceiptsSchema, fromHex(frozen.receipts.signed))
  assert.ok(verifyDischargeReceipts(signed, fromHex(frozen.receipts.anchorKey)))
})

test.run()
