// Enrolment: the ticket of a desk binds the pairwise key of this wallet to the hospital's own number for
// the patient. It says which network that is; the wallet joins it when the genesis that the hospital
// shows begins as the ticket says, and stays with it.

import type { Member } from '@mooring/api'
import { decode, equalBytes, fromHex, toHex } from '@mooring/codec'
import { decodeBase64url, encodeBase64url } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { NodeError } from '@mooring/node'
import {
  type EnrolmentTicket,
  pairwiseKeyAt,
  pairwiseSealKeyAt,
  parseTicket,
  RecordsError,
  SEAL_EPOCH,
  type SignedDischargeReceipts,
  signedDischargeReceiptsSchema,
  verifyDischargeReceipts,
  type Wallet,
  type WalletHospital,
  withHospital,
} from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { grantsKeptAt, withKeptGrants } from '../known-grants.ts'
import { createOutput, formatAmount } from '../output.ts'
import { signingClient } from '../patient-client.ts'
import { askGenesis, type Network } from '../pinned-genesis.ts'
import { readInput } from '../read-input.ts'
import { asking } from '../remote-error.ts'
import { type SaveWallet, type WalletOptions, withWallet } from '../wallet-session.ts'

type EnrolOptions = RemoteOptions & WalletOptions

type Enrolment = {
  hospital: WalletHospital
  // Of the transaction that retired the key by which the hospital knew the patient before.
  replacedAt: number | null
  // Why the list of records is not taken for that of the hospital.
  fault: string | null
}

type EnrolParts = {
  wallet: Wallet
  ticket: EnrolmentTicket
  network: Network
  save: SaveWallet
}

const TICKET_BYTES_MAX = 4_096
const RECEIPTS_BYTES_MAX = 16 * 1024 * 1024

async function readTicket(context: Context, word: string): Promise<EnrolmentTicket> {
  const text =
    word === '-' ? new TextDecoder().decode(await readInput(context, '-', TICKET_BYTES_MAX)) : word
  try {
    return parseTicket(text)
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    throw new NodeError('ticket_unreadable', { detail: error.message }, { cause: error })
  }
}

// The network of the wallet, which is that of its first ticket.
async function networkOf(
  wallet: Wallet,
  { endpoint: url, genesisPrefix }: EnrolmentTicket,
  options: RemoteOptions,
): Promise<Network> {
  const isNamed = ({ digest }: Network) =>
    equalBytes(digest.subarray(0, genesisPrefix.length), genesisPrefix)
  const expected = toHex(genesisPrefix)
  if (wallet.genesis !== null) {
    if (isNamed(wallet.genesis)) return wallet.genesis
    const own = networkId(wallet.genesis.digest)
    throw new NodeError('wallet_other_network', { own, other: `moor-${expected.slice(0, 8)}` })
  }
  const shown = await askGenesis(url, options)
  if (isNamed(shown)) return shown
  const found = toHex(shown.digest.subarray(0, genesisPrefix.length))
  throw new NodeError('wallet_genesis_wrong', { url, found, expected })
}

// Saved as soon as the hospital knows the wallet; what it keeps of older grants comes after.
async function enrol(
  context: Context,
  { wallet, ticket, network, save }: EnrolParts,
  options: RemoteOptions,
): Promise<Enrolment> {
  const { organisation, endpoint: url, code } = ticket
  const ask = <T>(work: Promise<T>) => asking({ url, origin: 'the ticket' }, options.timeout, work)
  const key = pairwiseKeyAt(wallet, organisation)
  const signer = { patientKey: key.publicKey, signer: key, delegations: [] }
  const place = { url, organisation, genesisDigest: network.digest, signer }
  const client = signingClient(context, place, options)
  const { name, anchorKey } = memberOf(organisation, (await ask(client.members())).items)
  const { publicKey } = pairwiseSealKeyAt(wallet, organisation, SEAL_EPOCH)
  const { receipts: encoded, replaced } = await ask(
    client.enrolPatient({ code: encodeBase64url(code), sealKey: toHex(publicKey) }),
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

export function addEnrol(group: Command, context: Context): void {
  const command = remote(group.command('enrol'))
    .description('become known at a hospital, with the ticket of its desk')
    .argument('<ticket>', 'the line of the ticket; - for stdin')
  withHelp(command, {
    examples: [
      'mooring patient enrol mooring-ticket:1:riverside:…',
      'mooring patient enrol - < ticket.txt',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<EnrolOptions>()
    const output = createOutput(context, options)
    const ticket = await readTicket(context, word)
    const { organisation } = ticket
    const enrolled = await withWallet(context, options, async (wallet, save) => {
      if (wallet.seed === null) throw new NodeError('wallet_of_device', { what: 'Enrolment' })
      const network = await networkOf(wallet, ticket, options)
      const work = enrol(context, { wallet, ticket, network, save }, options)
      return waitingFor(output.note, organisation, work)
    })
    const { hospital, replacedAt, fault } = enrolled
    if (fault !== null) throw new NodeError('receipts_forged', { organisation, detail: fault })
    const receipts = hospital.receipts?.receipts.records.length ?? 0
    const patientKey = toHex(hospital.patientKey)
    if (output.isJson) {
      const shown = { organisation, name: hospital.name, patientKey, receipts, replacedAt }
      output.json({ schema: 'mooring/enrolment/v1', ...shown })
      return
    }
    output.text(`enrolled at ${hospital.name}, with ${formatAmount(receipts, 'receipt')}`)
    if (replacedAt !== null) {
      output.note(`the key by which it knew you before is retired, in block ${replacedAt}`)
    }
  })
}
