// A wallet becomes known at a hospital, with a ticket of the desk or with a recovered identity: the keys that
// it brings, and what it believes of the answer.

import type { Member } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { decode, equalBytes, fromHex, toHex } from '@mooring/codec'
import { decodeBase64url } from '@mooring/crypto'
import {
  pairwiseKeyAt,
  pairwiseSealKeyAt,
  recoveryCommit,
  recoverySalt,
  SEAL_EPOCH,
  type SignedDischargeReceipts,
  signedDischargeReceiptsSchema,
  verifyDischargeReceipts,
  type Wallet,
  type WalletHospital,
  withHospital,
} from '@mooring/records'
import type { Context } from './context.ts'
import type { RemoteOptions } from './endpoint.ts'
import { grantsKeptAt, withKeptGrants } from './known-grants.ts'
import { firstIdentityId, seedOf } from './own-identity.ts'
import { signingClient } from './patient-client.ts'
import type { Network } from './pinned-genesis.ts'
import { asking } from './remote-error.ts'
import type { SaveWallet } from './wallet-session.ts'

export type EnrolPlace = {
  organisation: string
  url: string
  // Where the address came from, in words.
  origin: string
  network: Network
}

type EnrolParts = { wallet: Wallet; place: EnrolPlace; save: SaveWallet }
type Enrolled = Awaited<ReturnType<Client['enrolPatient']>>

// What a wallet brings besides the key that signs, in hex.
export type EnrolKeys = { sealKey: string; recoveryCommit: string }

const RECEIPTS_BYTES_MAX = 16 * 1024 * 1024

export type Enrolment = {
  hospital: WalletHospital
  // Of the transaction that retired the key by which the hospital knew the patient before.
  replacedAt: number | null
  // Why the list of records is not taken for that of the hospital.
  fault: string | null
}

// Saved as soon as the hospital knows the wallet; what it keeps of older grants comes after.
export async function enrolWith(
  context: Context,
  { wallet, place: { organisation, url, origin, network }, save }: EnrolParts,
  options: RemoteOptions,
  call: (client: Client, keys: EnrolKeys) => Promise<Enrolled>,
): Promise<Enrolment> {
  const ask = <T>(work: Promise<T>) => asking({ url, origin }, options.timeout, work)
  const key = pairwiseKeyAt(wallet, organisation)
  const signer = { patientKey: key.publicKey, signer: key, delegations: [] }
  const place = { url, organisation, genesisDigest: network.digest, signer }
  const client = signingClient(context, place, options)
  const { name, anchorKey } = memberOf(organisation, (await ask(client.members())).items)
  const { publicKey } = pairwiseSealKeyAt(wallet, organisation, SEAL_EPOCH)
  const salt = recoverySalt(seedOf(wallet), organisation)
  const commit = recoveryCommit(salt, firstIdentityId(wallet))
  const { receipts: encoded, replaced } = await ask(
    call(client, { sealKey: toHex(publicKey), recoveryCommit: toHex(commit) }),
  )
  const about = { organisation, patientKey: key.publicKey, anchorKey }
  const { receipts, fault } = readReceipts(encoded, about)
  const hospital: WalletHospital = {
    organisation,
    patient: '',
    name,
    endpoint: url,
    patientKey: key.publicKey,
    sealEpoch: SEAL_EPOCH,
    enrolledAt: context.now().getTime(),
    access: null,
    receipts,
  }
  const enrolled = withHospital({ ...wallet, genesis: network }, hospital)
  await save(enrolled)
  await save(withKeptGrants(enrolled, hospital, await ask(grantsKeptAt(client))))
  return { hospital, replacedAt: replaced?.height ?? null, fault }
}

function memberOf(
  organisation: string,
  members: readonly Member[],
): { name: string; anchorKey: Uint8Array | undefined } {
  const member = members.find(({ id }) => id === organisation)
  const anchor = member?.keys['anchor'] ?? undefined
  return {
    name: member?.name ?? organisation,
    anchorKey: anchor === undefined ? undefined : fromHex(anchor),
  }
}

const none = (fault: string) => ({ receipts: null, fault })

function readReceipts(
  text: string,
  expected: { organisation: string; patientKey: Uint8Array; anchorKey: Uint8Array | undefined },
): { receipts: SignedDischargeReceipts | null; fault: string | null } {
  let signed: SignedDischargeReceipts
  try {
    signed = decode(signedDischargeReceiptsSchema, decodeBase64url(text), RECEIPTS_BYTES_MAX)
  } catch (error) {
    if (error instanceof Error) return none(error.message)
    throw error
  }
  const { organisation, patientKey, anchorKey } = expected
  if (anchorKey === undefined) return none(`${organisation} is no member`)
  const isAbout =
    signed.receipts.organisation === organisation &&
    equalBytes(signed.receipts.patientKey, patientKey)
  if (!isAbout) return none('it is about another key or hospital')
  if (!verifyDischargeReceipts(signed, anchorKey)) return none('its signature does not hold')
  return { receipts: signed, fault: null }
}
