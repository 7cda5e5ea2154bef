import assert from 'node:assert/strict'
import { sha256 } from '@mooring/crypto'
import { NodeError } from '@mooring/node'
import {
  checkDelegations,
  createWallet,
  type DelegateKeys,
  type HandleStanding,
  hospitalIn,
  pairwiseKeyAt,
  sealKeyAt,
  signerAt,
  verifyDelegation,
  type Wallet,
  type WalletHospital,
  withHospital,
} from '@mooring/records'
import { test } from 'uvu'
import { delegationsFor, inviteOf, joined, keysFor } from '../src/delegating.ts'

const NOW = 1_795_082_400_000
const DAY = 86_400_000
const HOSPITALS = ['st-mary', 'riverside']
const named = (what: string) => sha256(new TextEncoder().encode(what))
const genesis = { digest: named('genesis'), encoded: named('genesis') }

function walletOf(name: string, hasSeed = true): Wallet {
  const seed = hasSeed ? named(`seed of ${name}`) : null
  const wallet = createWallet({
    label: name,
    createdAt: NOW,
    seed,
    deviceSecret: named(`device of ${name}`),
  })
  return { ...wallet, genesis }
}

function enrolled(name: string): Wallet {
  const wallet = walletOf(name)
  return HOSPITALS.reduce((at, organisation): Wallet => {
    const hospital: WalletHospital = {
      organisation,
      patient: '',
      name: organisation,
      endpoint: `https://${organisation}.example`,
      patientKey: pairwiseKeyAt(wallet, organisation).publicKey,
      sealEpoch: 1,
      enrolledAt: NOW,
      access: null,
      receipts: null,
    }
    return withHospital(at, hospital)
  }, wallet)
}

const device = { kind: 'device', role: null, about: '', patient: '' } as const
const parent = { kind: 'representative', role: 'FAMRQT', about: '', patient: 'ben' } as const
const refusedAs = (code: string) => (error: unknown) =>
  error instanceof NodeError && error.code === code

// From the first wallet to the second, as three lines would do it.
function hand(
  from: Wallet,
  to: Wallet,
  choice: Parameters<typeof inviteOf>[1],
): { from: Wallet; to: Wallet; handles: Uint8Array[]; keys: DelegateKeys } {
  const invite = inviteOf(from, choice)
  const keys = keysFor(to, invite, 'phone')
  const times = { about: choice.about, now: NOW, expiresAt: NOW + 30 * DAY }
  const { wallet, delegating } = delegationsFor(from, keys, times)
  const items = delegating.map(({ item }) => item)
  return {
    from: wallet,
    to: joined(to, { invite, items }, { genesis, now: NOW }),
    handles: delegating.map(({ given }) => given.signed.delegation.handle),
    keys,
  }
}

function standingOf(wallet: Wallet, organisation: string, patient: string) {
  const hospital = hospitalIn(wallet, organisation, patient) ?? assert.fail()
  const { patientKey, signer, delegations } = signerAt(wallet, hospital)
  const open: HandleStanding = {
    kind: 'delegation',
    expiresAt: NOW + 40 * DAY,
    revokedAt: null,
  }
  const check = (now: number, handle = open, custodian = organisation) =>
    checkDelegations(delegations, {
      patientKey,
      signerKey: signer.publicKey,
      custodian,
      now,
      handleOf: () => handle,
    })
  return { hospital, delegations, check, open }
}

test('a device acts at each hospital with a key of its own, and reads what the patient reads', () => {
  const ada = enrolled('ada')
  const { from, to, handles, keys } = hand(ada, walletOf('phone', false), device)
  assert.equal(new Set(handles.map(String)).size, HOSPITALS.length)
  assert.equal(from.nextHandle, HOSPITALS.length)
  assert.equal(new Set(keys.keys.map(({ key }) => String(key))).size, HOSPITALS.length)
  assert.equal(to.seed, null)
  for (const organisation of HOSPITALS) {
    const { hospital, delegations, check, open } = standingOf(to, organisation, '')
    assert.ok(delegations.every((each) => verifyDelegation(each)))
    assert.equal(check(NOW), undefined)
    assert.equal(check(NOW + 30 * DAY), 'delegation_expired')
    assert.equal(check(NOW, open, 'county'), 'delegation_forged')
    assert.equal(check(NOW, { ...open, revokedAt: 7 }), 'delegation_revoked')
    const own = hospitalIn(ada, organisation) ?? assert.fail()
    assert.deepEqual(sealKeyAt(to, hospital), sealKeyAt(ada, own))
  }
})

test('a parent acts for a child under another name, and adds a device of their own', () => {
  const mother = enrolled('mother')
  const { to } = hand(enrolled('ben'), mother, parent)
  assert.equal(to.hospitals.length, 2 * HOSPITALS.length)
  const { check, delegations } = standingOf(to, 'st-mary', 'ben')
  assert.equal(check(NOW), undefined)
  assert.equal(delegations[0]?.delegation.role, 'FAMRQT')
  assert.equal(standingOf(to, 'st-mary', '').delegations.length, 0)
  const second = { kind: 'device', role: null, about: 'ben', patient: 'ben' } as const
  const phone = hand(to, walletOf('phone', false), second).to
  const standing = standingOf(phone, 'st-mary', 'ben')
  assert.equal(standing.delegations.length, 2)
  assert.equal(standing.check(NOW), undefined)
})

test('a device that delegates is believed by nobody', () => {
  const phone = hand(enrolled('ada'), walletOf('phone', false), device).to
  const friend = hand(phone, walletOf('friend', false), device).to
  assert.equal(standingOf(friend, 'st-mary', '').check(NOW), 'delegation_forged')
})

test('what is for one wallet does not join another, and nobody delegates where they are not known', () => {
  const ada = enrolled('ada')
  const invite = inviteOf(ada, device)
  const keys = keysFor(walletOf('phone', false), invite, 'phone')
  const times = { about: '', now: NOW, expiresAt: NOW + DAY }
  const items = delegationsFor(ada, keys, times).delegating.map(({ item }) => item)
  const thief = walletOf('thief', false)
  assert.throws(
    () => joined(thief, { invite, items }, { genesis, now: NOW }),
    refusedAs('kit_of_another'),
  )
  const foreign = { ...keys, keys: [{ organisation: 'county', key: named('county') }] }
  assert.throws(() => delegationsFor(ada, foreign, times), refusedAs('invite_not_known'))
  assert.throws(() => inviteOf(walletOf('new'), device), refusedAs('wallet_without_hospital'))
})

test.run()
