// Enrolment: the ticket of a desk binds the pairwise key of this wallet to the hospital's own number for
// the patient. It says which network that is; the wallet joins it when the genesis that the hospital
// shows begins as the ticket says, and stays with it.

import { equalBytes, toHex } from '@mooring/codec'
import { encodeBase64url } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { type EnrolmentTicket, parseTicket, RecordsError, type Wallet } from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { enrolWith } from '../enrolling.ts'
import { createOutput, formatAmount } from '../output.ts'
import { askGenesis, type Network } from '../pinned-genesis.ts'
import { readInput } from '../read-input.ts'
import { type WalletOptions, withWallet } from '../wallet-session.ts'

type EnrolOptions = RemoteOptions & WalletOptions

const TICKET_BYTES_MAX = 4_096

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
      const { endpoint: url, code } = ticket
      const place = { organisation, url, network, origin: 'the ticket' }
      const work = enrolWith(context, { wallet, place, save }, options, (client, keys) =>
        client.enrolPatient({ code: encodeBase64url(code), ...keys }),
      )
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
