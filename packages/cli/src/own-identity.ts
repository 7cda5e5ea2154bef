// The identity of a wallet: what its owner signs for the chain, and what its guardians are given. Nothing here
// asks anybody; what the chain says is an argument.

import type { Identity } from '@mooring/api'
import { equalBytes, fromHex } from '@mooring/codec'
import { splitSecret } from '@mooring/crypto'
import {
  controlKeyDigest,
  type Guardian,
  GUARDIAN_LEAVES,
  guardianPath,
  guardiansRoot,
  identityIdOf,
  type IdentityEvent,
  type IdentitySettings,
  type RecoveryPolicy,
  signIdentityCreate,
  signIdentityRotate,
} from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  backupKey,
  type GuardianKey,
  type GuardianKit,
  type OwnIdentity,
  rootSignKey,
  sealShare,
  type Wallet,
  type WalletGuardian,
} from '@mooring/records'
import { walletRandom } from './wallet-session.ts'

// How many root keys are tried to find the one in control, after a restore from words.
const ROOTS_TRIED = 256

export type NamedGuardians = { persons: GuardianKey[]; members: string[] }
export type PolicyChoice = Omit<RecoveryPolicy, 'guardians'>

export function seedOf({ seed }: Wallet): Uint8Array {
  if (seed !== null) return seed
  throw new NodeError('wallet_of_device', { what: 'The identity' })
}

// As the chain has it: what was sent last may or may not have come there.
export function settleOwn(wallet: Wallet, chain: Identity | undefined): OwnIdentity | null {
  const { own, next } = wallet.identity
  const seed = wallet.seed
  if (seed === null || chain === undefined) return own
  const key = fromHex(chain.controlKey)
  const isAt = (each: OwnIdentity | null): each is OwnIdentity =>
    each !== null && equalBytes(rootSignKey(seed, each.rootIndex).publicKey, key)
  if (isAt(next)) return next
  if (isAt(own)) return own
  for (let rootIndex = 0; rootIndex < ROOTS_TRIED; rootIndex += 1) {
    if (!equalBytes(rootSignKey(seed, rootIndex).publicKey, key)) continue
    const id = fromHex(chain.id)
    return { id, rootIndex, generation: rootIndex, guardians: [], padding: [] }
  }
  throw new NodeError('identity_not_ours')
}

// The name that the identity of this seed has, unless it came here by a recovery.
export function firstIdentityId(wallet: Wallet): Uint8Array {
  return wallet.identity.own?.id ?? identityIdOf(rootSignKey(seedOf(wallet), 0).publicKey)
}

// The guardians of a wallet, with leaves that are nobody around them.
export function nameGuardians({ persons, members }: NamedGuardians) {
  const guardians: WalletGuardian[] = [
    ...persons.map(({ label, signKey }) => ({
      label,
      salt: walletRandom(32),
      organisation: null,
      key: signKey,
    })),
    ...members.map((id) => ({ label: id, salt: walletRandom(32), organisation: id, key: null })),
  ]
  const others = GUARDIAN_LEAVES - guardians.length
  return { guardians, padding: Array.from({ length: others }, () => walletRandom(32)) }
}

const leafOf = ({ salt, organisation, key }: WalletGuardian): Guardian => {
  return { salt, organisation, key }
}

export function rootOfGuardians({
  guardians,
  padding,
}: Pick<OwnIdentity, 'guardians' | 'padding'>) {
  return guardiansRoot(guardians.map(leafOf), padding)
}

// The event that brings an identity from what the chain has to what `next` is.
export function identityEvent(
  wallet: Wallet,
  {
    chain,
    next,
    recovery,
    devices,
  }: {
    chain: Identity | undefined
    next: OwnIdentity
    recovery: IdentitySettings['recovery']
    devices: Uint8Array[]
  },
): IdentityEvent {
  const seed = seedOf(wallet)
  const digest = genesisOf(wallet)
  const key = rootSignKey(seed, next.rootIndex)
  const nextKeyDigest = controlKeyDigest(rootSignKey(seed, next.rootIndex + 1).publicKey)
  const settings = { nextKeyDigest, recovery, devices }
  if (chain === undefined) {
    return { kind: 'identity.create', body: signIdentityCreate(digest, settings, key) }
  }
  const place = { identity: next.id, sequence: chain.sequence + 1, settings }
  return { kind: 'identity.rotate', body: signIdentityRotate(digest, place, key) }
}

export function genesisOf({ genesis }: Wallet): Uint8Array {
  if (genesis !== null) return genesis.digest
  throw new NodeError('wallet_without_hospital', { organisation: 'any', known: 'no hospital' })
}

// What each guardian keeps; persons get a share of the key of the backup when enough of them are there.
export function guardianKits(
  wallet: Wallet,
  own: OwnIdentity,
  { persons, threshold, ward }: { persons: GuardianKey[]; threshold: number; ward: string },
): { label: string; kit: GuardianKit }[] {
  const { id: identity, guardians, padding } = own
  const leaves = guardians.map(leafOf)
  const secret = backupKey(seedOf(wallet), own.generation)
  const shares =
    persons.length >= threshold
      ? splitSecret(secret, { k: threshold, n: persons.length, random: walletRandom })
      : []
  return guardians.map(({ label, salt, organisation }, index) => {
    const person = organisation === null ? persons[index] : undefined
    const share = shares[index]
    const sealed =
      person !== undefined && share !== undefined
        ? sealShare(share, { identity, recipient: person.sealKey, random: walletRandom })
        : null
    const kit: GuardianKit = {
      genesisDigest: genesisOf(wallet),
      identity,
      ward,
      index,
      salt,
      organisation,
      person: person === undefined ? null : { index: person.index, signKey: person.signKey },
      path: guardianPath(leaves, padding, index),
      share: sealed,
    }
    return { label, kit }
  })
}

export const devicesOf = (chain: Identity | undefined): Uint8Array[] =>
  (chain?.devices ?? []).map(fromHex)

export const policyOf = (chain: Identity): IdentitySettings['recovery'] =>
  chain.recovery && { ...chain.recovery, guardians: fromHex(chain.recovery.guardians) }
