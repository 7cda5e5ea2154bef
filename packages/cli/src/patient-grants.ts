// Grants of a wallet: made, found, taken back.
//
// A grant is in the wallet before a hospital sees it: were the answer lost, the handle could be open and
// nobody could close it. Only what the hospital has refused for good leaves it again.

import { type Client, ApiProblem } from '@mooring/api/client'
import { toHex } from '@mooring/codec'
import { handleOfKey, signGrantOpen, signGrantRevoke, wholeDayAfter } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  consentOf,
  formatGrant,
  type Grant,
  grantIdOf,
  handleKeyAt,
  parseGrant,
  readGrant,
  sealKeyAt,
  signGrant,
  signerAt,
  takeHandleKey,
  type Wallet,
  type WalletGrant,
  type WalletHospital,
} from '@mooring/records'
import type { Context } from './context.ts'
import type { RemoteOptions } from './endpoint.ts'
import type { Terms } from './grant-terms.ts'
import { withHospital } from './patient-client.ts'
import { RemoteError } from './remote-error.ts'
import { walletRandom } from './wallet-session.ts'

export type MadeGrant = { wallet: Wallet; entry: WalletGrant; grant: Grant; deposit: Deposit }
// Without its document when the wallet was made again from its words.
export type OwnGrant = { entry: WalletGrant; grant: Grant | null }

// What ended two years ago nobody asks about.
const FORGOTTEN_MS = 2 * 365 * 86_400_000

type Deposit = Parameters<Client['depositGrant']>
type Options = Pick<RemoteOptions, 'timeout'>

/** Signs it, and has not told anybody. */
export function makeGrant(
  wallet: Wallet,
  hospital: WalletHospital,
  terms: Terms,
  now: number,
): MadeGrant {
  const genesisDigest = digestOf(wallet)
  const { wallet: taken, index, key } = takeHandleKey(wallet)
  const { patientKey, signer, delegations } = signerAt(wallet, hospital)
  const seal = sealKeyAt(wallet, hospital)
  if (seal === undefined) throw new NodeError('wallet_of_device', { what: 'The access log' })
  const { recipient, practitioner, purposes, expiresAt, content, provisions, kind } = terms
  const handle = handleOfKey(key.publicKey)
  const consent = consentOf({
    id: grantIdOf(wallet.seed ?? wallet.deviceSecret, index, walletRandom),
    handle,
    patientKey,
    signerKey: signer.publicKey,
    logKey: seal.publicKey,
    custodian: hospital.organisation,
    recipient,
    practitioner,
    purposes,
    notBefore: now,
    expiresAt,
    content,
    provisions,
  })
  const signed = signGrant(signer, consent, [...delegations])
  const document = formatGrant(signed)
  const entry: WalletGrant = {
    index,
    handle,
    custodian: hospital.organisation,
    recipient,
    document: new TextEncoder().encode(document),
    openedAt: now,
    expiresAt,
    revokedAt: null,
  }
  const open = { expiresAt: wholeDayAfter(expiresAt), kind }
  const signature = toHex(signGrantOpen(genesisDigest, open, key))
  return {
    wallet: {
      ...taken,
      grants: [...taken.grants.filter((each) => each.expiresAt > now - FORGOTTEN_MS), entry],
    },
    entry,
    grant: readGrant(signed),
    deposit: [document, { ...open, publicKey: toHex(key.publicKey), signature }],
  }
}

/** Asks the hospital to open its handle, and to give the recipient its keys; resolves when it is final. */
export async function depositGrant(
  context: Context,
  { wallet, hospital, deposit }: { wallet: Wallet; hospital: WalletHospital; deposit: Deposit },
  options: Options,
): Promise<number> {
  const place = { wallet, hospital }
  const answer = await withHospital(context, place, options, (client) =>
    client.depositGrant(...deposit),
  )
  return answer.height
}

/** Said by the hospital before it asked the chain for anything. */
export function isRefused(error: unknown): boolean {
  const cause = error instanceof RemoteError ? error.cause : undefined
  return cause instanceof ApiProblem && [401, 403, 404, 422].includes(cause.status)
}

/** Newest first. */
export function grantsOf(wallet: Wallet): OwnGrant[] {
  return wallet.grants
    .map((entry) => {
      const { document } = entry
      return { entry, grant: document && readGrant(parseGrant(document)) }
    })
    .toReversed()
}

/** By the beginning of its id or of its handle. */
export function findGrant(known: readonly OwnGrant[], id: string): OwnGrant {
  const isOf = ({ entry, grant }: OwnGrant) =>
    [grant?.id ?? entry.handle, entry.handle].some((name) => toHex(name).startsWith(id))
  const found = id === '' ? [] : known.filter(isOf)
  const [first] = found
  if (first === undefined) throw new NodeError('grant_not_in_wallet', { id })
  if (found.length > 1) throw new NodeError('grant_ambiguous', { id, count: found.length })
  return first
}

export type Revocation =
  | { outcome: 'revoked'; height: number }
  /** Revoked by somebody else, or expired, before. */
  | { outcome: 'over' }
  /** The chain does not know it: it opens nothing. */
  | { outcome: 'unopened' }

/**
 * Through its custodian, and else through any hospital of the wallet: whoever relays it, it holds. One that
 * does not know the handle may be behind, or lie: that a grant never was in force takes the word of all.
 */
export async function revokeGrant(
  context: Context,
  wallet: Wallet,
  { index, custodian }: WalletGrant,
  options: Options,
): Promise<Revocation> {
  const key = handleKeyAt(wallet, index)
  const signature = toHex(signGrantRevoke(digestOf(wallet), key))
  const revocation = { publicKey: toHex(key.publicKey), signature }
  const isCustodian = ({ organisation }: WalletHospital) => organisation === custodian
  const hospitals = [
    ...wallet.hospitals.filter(isCustodian),
    ...wallet.hospitals.filter((each) => !isCustodian(each)),
  ]
  let failure: unknown
  let unopened: Revocation | undefined
  for (const hospital of hospitals) {
    const place = { wallet, hospital }
    try {
      const told = await withHospital(context, place, options, (client) =>
        relay(client, revocation),
      )
      if (told.outcome !== 'unopened') return told
      unopened = told
    } catch (error) {
      failure = error
    }
  }
  if (failure !== undefined) throw failure
  if (unopened !== undefined) return unopened
  const known = 'no hospital'
  throw new NodeError('wallet_without_hospital', { organisation: custodian, known })
}

async function relay(
  client: Client,
  revocation: Parameters<Client['revokeHandle']>[0],
): Promise<Revocation> {
  try {
    const { height } = await client.revokeHandle(revocation)
    return { outcome: 'revoked', height }
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    if (error.code === 'handle_revoked' || error.code === 'handle_expired')
      return { outcome: 'over' }
    if (error.code === 'unknown_handle') return { outcome: 'unopened' }
    throw error
  }
}

export function withoutGrant(wallet: Wallet, { handle }: WalletGrant): Wallet {
  const name = toHex(handle)
  return { ...wallet, grants: wallet.grants.filter((each) => toHex(each.handle) !== name) }
}

export function withRevoked(wallet: Wallet, { handle }: WalletGrant, revokedAt: number): Wallet {
  const name = toHex(handle)
  return {
    ...wallet,
    grants: wallet.grants.map((each) =>
      toHex(each.handle) === name ? { ...each, revokedAt } : each,
    ),
  }
}

function digestOf({ genesis }: Wallet): Uint8Array {
  if (genesis !== null) return genesis.digest
  throw new NodeError('wallet_without_hospital', { organisation: 'any', known: 'no hospital' })
}
