// A node that is asked by a patient: every request is signed by the wallet, for this hospital alone.

import { type Client, createClient } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import {
  type PatientSigner,
  signerAt,
  signPatientRequest,
  type Wallet,
  type WalletHospital,
} from '@mooring/records'
import type { Context } from './context.ts'
import type { Endpoint, RemoteOptions } from './endpoint.ts'
import { asking } from './remote-error.ts'
import { hospitalOf, type WalletOptions, walletRandom } from './wallet-session.ts'

export type SignedEndpoint = {
  url: string
  organisation: string
  genesisDigest: Uint8Array
  signer: PatientSigner
}

export function signingClient(
  context: Context,
  { url, organisation, genesisDigest, signer }: SignedEndpoint,
  { timeout }: Pick<RemoteOptions, 'timeout'>,
): Client {
  return createClient(url, {
    timeoutMs: timeout,
    authorize: (call) =>
      signPatientRequest(
        signer,
        { genesisDigest, organisation, ...call },
        { now: context.now().getTime(), random: walletRandom },
      ),
  })
}

function patientClient(
  context: Context,
  { wallet, hospital }: { wallet: Wallet; hospital: WalletHospital },
  options: Pick<RemoteOptions, 'timeout'>,
): Client {
  const { organisation, endpoint: url } = hospital
  if (wallet.genesis === null) {
    throw new NodeError('wallet_without_hospital', { organisation, known: 'no hospital' })
  }
  const genesisDigest = wallet.genesis.digest
  const signer = signerAt(wallet, hospital)
  return signingClient(context, { url, organisation, genesisDigest, signer }, options)
}

// What a hospital refuses, or that it does not answer, is told like everywhere else.
export function withHospital<T>(
  context: Context,
  { wallet, hospital }: { wallet: Wallet; hospital: WalletHospital },
  options: Pick<RemoteOptions, 'timeout'>,
  work: (client: Client, endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const origin = `${hospital.organisation}, as the wallet has it`
  const endpoint = { url: hospital.endpoint, web: hospital.endpoint, origin }
  const client = patientClient(context, { wallet, hospital }, options)
  return asking(endpoint, options.timeout, work(client, endpoint))
}

// The hospital that a command names, or the only one.
export function chosenHospital(
  wallet: Wallet,
  organisation: string | undefined,
  options: Pick<WalletOptions, 'for'>,
): WalletHospital {
  if (organisation !== undefined) return hospitalOf(wallet, organisation, options)
  const own = hospitalsFor(wallet, options)
  const [only] = own
  if (own.length === 1 && only !== undefined) return only
  if (only === undefined) {
    const detail = 'The wallet is enrolled at no hospital yet.'
    throw new NodeError('usage', { detail, command: 'patient enrol ' })
  }
  const names = own.map((each) => each.organisation).join(', ')
  throw new NodeError('usage', { detail: `Say at which hospital: ${names}.`, command: 'patient ' })
}

// The hospital that a command names, or all of them.
export function chosenHospitals(
  wallet: Wallet,
  organisation: string | undefined,
  options: Pick<WalletOptions, 'for'>,
): readonly WalletHospital[] {
  const own = hospitalsFor(wallet, options)
  const isAll = organisation === undefined && own.length > 0
  return isAll ? own : [chosenHospital(wallet, organisation, options)]
}

// Of the holder, or of whom the holder represents.
export function hospitalsFor(
  wallet: Wallet,
  { for: about = '' }: Pick<WalletOptions, 'for'>,
): WalletHospital[] {
  return wallet.hospitals.filter(({ patient }) => patient === about)
}
