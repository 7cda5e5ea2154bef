// The other side of a recovery: who still has the old key, or a device of the owner, stops one that is not
// theirs.

import type { Identity } from '@mooring/api'
import { fromHex } from '@mooring/codec'
import { encodeIdentityEvent, type IdentityEvent, signObjection } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { deviceVetoKey, rootSignKey, type Wallet } from '@mooring/records'
import type { Command } from 'commander'
import { askChain, askNetwork, refuseOther } from '../ask-chain.ts'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { createOutput } from '../output.ts'
import { firstIdentityId, settleOwn } from '../own-identity.ts'
import { type WalletOptions, withWallet } from '../wallet-session.ts'
import { idOf, knownIdentity } from './patient-recover.ts'

type Options = RemoteOptions & WalletOptions & { identity?: string }

function objection(wallet: Wallet, chain: Identity, digest: Uint8Array): IdentityEvent {
  const place = { identity: fromHex(chain.id), sequence: chain.sequence + 1 }
  if (wallet.seed === null) {
    const keyPair = deviceVetoKey(wallet.deviceSecret)
    const by = signObjection(digest, place, { kind: 'device', keyPair })
    return { kind: 'identity.veto', body: { ...place, by } }
  }
  const own = settleOwn(wallet, chain)
  if (own === null) throw new NodeError('no_identity')
  const keyPair = rootSignKey(wallet.seed, own.rootIndex)
  const by = signObjection(digest, place, { kind: 'control', keyPair })
  return { kind: 'identity.veto', body: { ...place, by } }
}

function ownId(wallet: Wallet): Uint8Array {
  if (wallet.seed !== null) return firstIdentityId(wallet)
  const { deviceOf } = wallet.identity
  if (deviceOf !== null) return deviceOf
  throw new NodeError('no_identity')
}

export function addPatientVeto(group: Command, context: Context): void {
  const command = remote(group.command('veto')).description(
    'stop a recovery of your identity that is not yours',
  )
  command.option('--identity <name>', 'when it came to this wallet by a recovery')
  withHelp(command, {
    examples: [
      'mooring patient veto',
      'mooring patient veto --endpoint https://ledger.riverside.example',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const chain = await withWallet(context, options, (wallet) => {
      const named = options.identity === undefined ? undefined : idOf(options.identity)
      const id = named ?? ownId(wallet)
      const work = askChain(context, wallet, options, async (client) => {
        // A wallet made again from its words knows no network yet.
        const digest = wallet.genesis?.digest ?? (await askNetwork(client))
        await refuseOther(client, digest)
        const event = objection(wallet, await knownIdentity(client, id), digest)
        await client.relayIdentityEvent(encodeIdentityEvent(event))
        return knownIdentity(client, id)
      })
      return waitingFor(output.note, 'the chain', work)
    })
    if (output.isJson) output.json({ schema: 'mooring/identity/v1', ...chain })
    else {
      output.text('the recovery is stopped')
      output.note('Tell your guardians: some of them signed it. Name others if you doubt them.')
    }
  })
}
