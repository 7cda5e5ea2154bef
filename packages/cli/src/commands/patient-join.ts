// A device or a representative answers the invitation of a patient with its keys, and takes the delegations.

import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import { DELEGATE_DOCUMENT, DELEGATE_INVITE, DELEGATE_KEYS } from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { joined, keysFor } from '../delegating.ts'
import {
  type DocumentOptions,
  lineOptions,
  parseLine,
  readLine,
  showDocument,
} from '../documents.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { createOutput } from '../output.ts'
import { askGenesis } from '../pinned-genesis.ts'
import { type WalletOptions, withWallet } from '../wallet-session.ts'

type Options = RemoteOptions & WalletOptions & DocumentOptions

const LINE_BYTES_MAX = 512 * 1024

export function addPatientJoin(group: Command, context: Context): void {
  const command = lineOptions(remote(group.command('join')))
    .description('act for a patient: answer an invitation, or take the delegations')
    .argument('<text>', 'an invitation or delegations, as text or a file; - for stdin')
    .option('--label <text>', 'what the patient shall call this wallet', 'phone')
  withHelp(command, {
    examples: [
      'mooring patient join invite.txt --label phone -o keys.txt',
      'mooring patient join delegations.txt',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options & { label: string }>()
    const output = createOutput(context, options)
    const line = await readLine(context, word, LINE_BYTES_MAX)
    if (line.trim().startsWith(`mooring-${DELEGATE_DOCUMENT.name}:`)) {
      const hospitals = await takeDelegations(context, options, line)
      if (output.isJson) output.json({ schema: 'mooring/joined/v1', hospitals })
      else output.text(`this wallet acts at ${hospitals.join(', ')}`)
      return
    }
    const invitation = parseLine(DELEGATE_INVITE, line)
    const value = await withWallet(context, options, async (wallet) =>
      keysFor(wallet, invitation, options.label),
    )
    const shown = { kind: DELEGATE_KEYS, value, output }
    const { text, file } = await showDocument(context, options, shown)
    if (output.isJson) output.json({ schema: 'mooring/delegate-keys/v1', file, text })
    else output.note('At the wallet of the patient:   mooring patient device add <text>')
  })
}

async function takeDelegations(
  context: Context,
  options: Options,
  line: string,
): Promise<string[]> {
  const given = parseLine(DELEGATE_DOCUMENT, line)
  const { genesisDigest, hospitals } = given.invite
  await withWallet(context, options, async (wallet, save) => {
    const url = hospitals[0]?.endpoint ?? ''
    const genesis = wallet.genesis ?? (await askGenesis(url, options))
    if (toHex(genesis.digest) !== toHex(genesisDigest)) throw new NodeError('other_network')
    await save(joined(wallet, given, { genesis, now: context.now().getTime() }))
  })
  return given.items.map(({ organisation }) => organisation)
}
