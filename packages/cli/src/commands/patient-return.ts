// After a recovery the wallet goes back to the hospitals that knew the lost one: the identity vouches for its
// keys there, and no desk is needed.

import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  pairwiseKeyAt,
  pairwiseSealKeyAt,
  rootSignKey,
  SEAL_EPOCH,
  signRebinding,
  type Wallet,
} from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { enrolWith } from '../enrolling.ts'
import { createOutput, formatAmount } from '../output.ts'
import { seedOf } from '../own-identity.ts'
import { type SaveWallet, type WalletOptions, withWallet } from '../wallet-session.ts'

type Options = RemoteOptions & WalletOptions
type Return = Wallet['identity']['returns'][number]

async function goBack(
  context: Context,
  options: Options,
  { wallet, save, to }: { wallet: Wallet; save: SaveWallet; to: Return },
): Promise<Wallet> {
  const { genesis: network } = wallet
  const { own } = wallet.identity
  if (network === null || own === null) throw new NodeError('no_identity')
  const { organisation, endpoint: url, former, salt } = to
  const returns = wallet.identity.returns.filter((each) => each.organisation !== organisation)
  let current: Wallet = { ...wallet, identity: { ...wallet.identity, returns } }
  const keep: SaveWallet = async (next) => {
    current = next
    await save(next)
  }
  const { publicKey: sealKey } = pairwiseSealKeyAt(wallet, organisation, SEAL_EPOCH)
  const { publicKey: patientKey } = pairwiseKeyAt(wallet, organisation)
  const words = { organisation, identity: own.id, former, patientKey, sealKey }
  const controlKey = rootSignKey(seedOf(wallet), own.rootIndex)
  const signature = toHex(signRebinding(network.digest, words, controlKey))
  const proof = { former: toHex(former), identity: toHex(own.id), salt: toHex(salt), signature }
  const place = { organisation, url, origin: `${organisation}, as the backup has it`, network }
  const parts = { wallet: current, place, save: keep }
  const { fault } = await enrolWith(context, parts, options, (client, keys) =>
    client.rebindPatient({ ...proof, ...keys }),
  )
  if (fault !== null) throw new NodeError('receipts_forged', { organisation, detail: fault })
  return current
}

export function addReturn(group: Command, context: Context): void {
  const command = remote(group.command('return'))
    .description('after the recovery, to the hospitals that knew the lost wallet, without a ticket')
    .argument('[hospitals...]', 'only these')
  withHelp(command, {
    examples: ['mooring patient recover return', 'mooring patient recover return riverside'],
    exits: [3, 4, 5, 6, 7, 8, 10, 13],
  })
  command.action(async (chosen: string[]) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const hospitals = await withWallet(context, options, async (wallet, save) => {
      const meant = wallet.identity.returns.filter(
        ({ organisation }) => chosen.length === 0 || chosen.includes(organisation),
      )
      let current = wallet
      for (const to of meant) {
        const work = goBack(context, options, { wallet: current, save, to })
        current = await waitingFor(output.note, to.organisation, work)
      }
      return meant.map(({ organisation }) => organisation)
    })
    if (output.isJson) output.json({ schema: 'mooring/returned/v1', hospitals })
    else if (hospitals.length === 0) output.text('no hospital of before: ask for tickets')
    else {
      output.text(
        `known again at ${formatAmount(hospitals.length, 'hospital')}: ${hospitals.join(', ')}`,
      )
    }
  })
}
