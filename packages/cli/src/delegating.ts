// How one wallet lets another act for a patient: which hospitals, which keys, which one-time names on the
// chain. Nothing here asks anybody; the commands do.

import { equalBytes, toHex } from '@mooring/codec'
import type { KeyPair } from '@mooring/crypto'
import { deviceKeyDigest, handleOfKey, signGrantOpen, wholeDayAfter } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  type DelegateDocument,
  type DelegateInvite,
  type DelegateKeys,
  deviceKeyAt,
  deviceSealKey,
  deviceVetoKey,
  type GivenDelegation,
  openForDelegate,
  sealForDelegate,
  sealKeyAt,
  signDelegation,
  type SignedDelegation,
  signerAt,
  takeHandleKey,
  type Wallet,
  type WalletHospital,
  withHospital,
} from '@mooring/records'
import { genesisOf } from './own-identity.ts'
import { walletRandom } from './wallet-session.ts'

export type DelegateChoice = Pick<DelegateInvite, 'kind' | 'role'> & {
  // Whom the holder represents there, '' for the holder.
  about: string
  // As the other wallet shall call the patient.
  patient: string
}

export function inviteOf(wallet: Wallet, choice: DelegateChoice): DelegateInvite {
  const { kind, role, about, patient } = choice
  const hospitals = wallet.hospitals
    .filter((each) => each.patient === about)
    .map(({ organisation, name, endpoint, patientKey, sealEpoch }) => {
      return { organisation, name, endpoint, patientKey, sealEpoch }
    })
  if (hospitals.length === 0) {
    throw new NodeError('wallet_without_hospital', { organisation: 'any', known: 'no hospital' })
  }
  const isOwnDevice = kind === 'device' && about === ''
  const identity = isOwnDevice ? (wallet.identity.own?.id ?? null) : null
  return { kind, role, patient, genesisDigest: genesisOf(wallet), identity, hospitals }
}

// What the other wallet answers: a key for each hospital, which nobody links.
export function keysFor(wallet: Wallet, invite: DelegateInvite, label: string): DelegateKeys {
  const { kind, role, patient, hospitals, identity } = invite
  const keys = hospitals.map(({ organisation }) => ({
    organisation,
    key: deviceKeyAt(wallet, { organisation, patient }).publicKey,
  }))
  const vetoKey = identity === null ? null : deviceVetoKey(wallet.deviceSecret).publicKey
  const { publicKey: sealKey } = deviceSealKey(wallet.deviceSecret)
  return { label, patient, kind, role, keys, sealKey, vetoKey }
}

// One delegation on its way: its handle must be on the chain before it is worth anything.
export type Delegating = {
  hospital: WalletHospital
  given: GivenDelegation
  open: { publicKey: string; expiresAt: number; signature: string }
  item: DelegateDocument['items'][number]
}

export function delegationsFor(
  wallet: Wallet,
  keys: DelegateKeys,
  { about, now, expiresAt }: { about: string; now: number; expiresAt: number },
): { wallet: Wallet; delegating: Delegating[] } {
  let current = wallet
  const delegating: Delegating[] = []
  for (const { organisation, key } of keys.keys) {
    const hospital = wallet.hospitals.find(
      (each) => each.organisation === organisation && each.patient === about,
    )
    if (hospital === undefined) throw new NodeError('invite_not_known', { organisation })
    const taken = takeHandleKey(current)
    const { index, key: handleKey } = taken
    const signed = delegate(wallet, { hospital, keys, to: key, handleKey, now, expiresAt })
    const given: GivenDelegation = {
      kind: keys.kind,
      label: keys.label,
      organisation,
      signed,
      handleIndex: index,
      expiresAt,
      revokedAt: null,
      vetoDigest: keys.vetoKey && deviceKeyDigest(keys.vetoKey),
    }
    const { delegations } = taken.wallet
    current = { ...taken.wallet, delegations: { given: [...delegations.given, given] } }
    const open = openOf(wallet, handleKey, expiresAt)
    delegating.push({ hospital, given, open, item: itemOf(wallet, { hospital, signed, keys }) })
  }
  return { wallet: current, delegating }
}

type Delegated = {
  hospital: WalletHospital
  keys: DelegateKeys
  to: Uint8Array
  handleKey: KeyPair
  now: number
  expiresAt: number
}

function delegate(
  wallet: Wallet,
  { hospital, keys, to, handleKey, now, expiresAt }: Delegated,
): SignedDelegation {
  const { signer } = signerAt(wallet, hospital)
  return signDelegation(signer, {
    id: walletRandom(16),
    kind: keys.kind,
    custodian: hospital.organisation,
    from: signer.publicKey,
    to,
    role: keys.role,
    notBefore: now,
    expiresAt,
    handle: handleOfKey(handleKey.publicKey),
  })
}

function openOf(wallet: Wallet, key: KeyPair, until: number): Delegating['open'] {
  const expiresAt = wholeDayAfter(until)
  const signature = signGrantOpen(genesisOf(wallet), { expiresAt, kind: 'delegation' }, key)
  return { publicKey: toHex(key.publicKey), expiresAt, signature: toHex(signature) }
}

function itemOf(
  wallet: Wallet,
  {
    hospital,
    signed,
    keys,
  }: { hospital: WalletHospital; signed: SignedDelegation; keys: DelegateKeys },
): Delegating['item'] {
  const { organisation, patientKey, access } = hospital
  const secret = sealKeyAt(wallet, hospital)?.secretKey
  const sealing = { patientKey, recipient: keys.sealKey, random: walletRandom }
  return {
    organisation,
    delegations: [...(access?.delegations ?? []), signed],
    seal: secret === undefined ? null : sealForDelegate(secret, sealing),
  }
}

// The other wallet, with what it was given.
export function joined(
  wallet: Wallet,
  { invite, items }: DelegateDocument,
  { genesis, now }: { genesis: NonNullable<Wallet['genesis']>; now: number },
): Wallet {
  const secret = deviceSealKey(wallet.deviceSecret).secretKey
  let current: Wallet = { ...wallet, genesis }
  for (const { organisation, delegations, seal } of items) {
    const found = invite.hospitals.find((each) => each.organisation === organisation)
    if (found === undefined) throw new NodeError('invite_not_known', { organisation })
    const { patient } = invite
    const { patientKey } = found
    const own = deviceKeyAt(wallet, { organisation, patient })
    const last = delegations.at(-1)?.delegation
    if (last === undefined || !equalBytes(last.to, own.publicKey)) {
      throw new NodeError('kit_of_another')
    }
    const opened = seal === null ? null : openForDelegate(seal, { patientKey, secret })
    const access = { delegations, sealSecret: opened ?? null }
    const hospital = { ...found, patient, enrolledAt: now, access, receipts: null }
    current = withHospital(current, hospital)
  }
  if (invite.identity === null) return current
  return { ...current, identity: { ...current.identity, deviceOf: invite.identity } }
}
