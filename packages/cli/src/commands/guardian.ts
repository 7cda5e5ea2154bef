// What a guardian does: gives keys, keeps a document for the owner, and answers when somebody says to be the
// owner. A guardian is a wallet like any other; for each ward it has keys that nobody else links.

import type { Client } from '@mooring/api/client'
import { equalBytes, fromHex, toHex } from '@mooring/codec'
import { sign } from '@mooring/crypto'
import { encodeIdentityEvent, isGuardian, recoveryMessage, vetoMessage } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  GUARDIAN_APPROVAL,
  GUARDIAN_KEY,
  GUARDIAN_KIT,
  GUARDIAN_VETO,
  type GuardianAnswer,
  type GuardianKit,
  guardianSealKey,
  guardianSignKey,
  openShare,
  RECOVERY_REQUEST,
  RELEASE,
  REVOKE_KIT,
  sealShare,
  type Wallet,
} from '@mooring/records'
import type { Command } from 'commander'
import { askChain, findIdentity, refuseOther } from '../ask-chain.ts'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { lineOptions, readDocument, showDocument } from '../documents.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { refuseUnread } from '../fingerprint.ts'
import { createOutput, formatAmount, formatTable } from '../output.ts'
import { seedOf } from '../own-identity.ts'
import {
  type WalletOptions,
  walletRandom,
  withWallet,
  withWalletOptions,
} from '../wallet-session.ts'
import { tryRevoke } from './patient-recover.ts'

type Options = RemoteOptions & WalletOptions & { output?: string; qr?: boolean }

type Person = NonNullable<GuardianKit['person']>

function wardOf(wallet: Wallet, identity: Uint8Array): GuardianKit & { person: Person } {
  const kit = wallet.identity.wards.find((each) => equalBytes(each.identity, identity))
  if (kit === undefined || kit.person === null) throw new NodeError('not_a_guardian')
  return { ...kit, person: kit.person }
}

function wardNamed(wallet: Wallet, word: string): GuardianKit & { person: Person } {
  const { wards } = wallet.identity
  const found = wards.find(({ ward, identity }) => ward === word || toHex(identity) === word)
  if (found === undefined) throw new NodeError('not_a_guardian')
  return wardOf(wallet, found.identity)
}

const proofOf = ({ index, salt, path }: GuardianKit, key: Uint8Array) => {
  return { index, salt, organisation: null, key, path }
}

async function identityOn(client: Client, id: Uint8Array) {
  const found = await findIdentity(client, id)
  if (found === undefined) throw new NodeError('kit_not_on_chain')
  return found
}

function addKey(group: Command, context: Context): void {
  const command = lineOptions(
    group
      .command('key')
      .description('keys to give to somebody who names you as a guardian')
      .requiredOption('--label <name>', 'who you are, for the owner'),
  )
  withHelp(command, {
    examples: [
      'mooring guardian key --label Ann -o ann.txt',
      'mooring guardian key --label Ann --qr',
    ],
    exits: [3, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options & { label: string }>()
    const output = createOutput(context, options)
    const value = await withWallet(context, options, async (wallet, save) => {
      const seed = seedOf(wallet)
      const index = wallet.identity.nextGuardianKey
      await save({ ...wallet, identity: { ...wallet.identity, nextGuardianKey: index + 1 } })
      const signKey = guardianSignKey(seed, index).publicKey
      return {
        label: options.label,
        index,
        signKey,
        sealKey: guardianSealKey(seed, index).publicKey,
      }
    })
    const { text, file } = await showDocument(context, options, {
      kind: GUARDIAN_KEY,
      value,
      output,
    })
    if (output.isJson) output.json({ schema: 'mooring/guardian-key/v1', file, text })
  })
}

async function checkKit(client: Client, wallet: Wallet, kit: GuardianKit): Promise<void> {
  const seed = seedOf(wallet)
  const { person, identity, share, genesisDigest } = kit
  if (person === null) throw new NodeError('kit_of_another')
  const signKey = guardianSignKey(seed, person.index).publicKey
  if (!equalBytes(signKey, person.signKey)) throw new NodeError('kit_of_another')
  const { secretKey: secret } = guardianSealKey(seed, person.index)
  if (share !== null && openShare(share, { identity, secret }) === undefined) {
    throw new NodeError('kit_of_another')
  }
  await refuseOther(client, genesisDigest)
  const { recovery } = await identityOn(client, identity)
  const root = recovery === null ? undefined : fromHex(recovery.guardians)
  if (root === undefined || !isGuardian(proofOf(kit, signKey), root)) {
    throw new NodeError('kit_not_on_chain')
  }
}

function addAccept(group: Command, context: Context): void {
  const command = remote(group.command('accept'))
    .description('keep what the owner gave, once the chain has it')
    .argument('<kit>', 'the text or its file; - for stdin')
  withHelp(command, {
    examples: [
      'mooring guardian accept guardian-1-Ann.txt',
      'mooring guardian accept mooring-guardian:1:…',
    ],
    exits: [3, 4, 5, 6, 8, 10, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const kit = await readDocument(context, GUARDIAN_KIT, word)
    await withWallet(context, options, async (wallet, save) => {
      await askChain(context, wallet, options, (client) => checkKit(client, wallet, kit))
      const others = wallet.identity.wards.filter(
        (each) => !equalBytes(each.identity, kit.identity),
      )
      await save({ ...wallet, identity: { ...wallet.identity, wards: [...others, kit] } })
    })
    const identity = toHex(kit.identity)
    if (output.isJson) output.json({ schema: 'mooring/ward/v1', ward: kit.ward, identity })
    else output.text(`you are guardian of ${kit.ward}, identity ${identity}`)
  })
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list')).description(
    'whose guardian you are, and whether somebody recovers them now',
  )
  withHelp(command, {
    examples: ['mooring guardian list', 'mooring guardian list --json'],
    exits: [3, 4, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const items = await withWallet(context, options, (wallet) =>
      askChain(context, wallet, options, async (client) => {
        const rows = []
        for (const kit of wallet.identity.wards) {
          const found = await findIdentity(client, kit.identity)
          const key = kit.person?.signKey ?? new Uint8Array()
          const root = found?.recovery?.guardians
          const isStill = root !== undefined && isGuardian(proofOf(kit, key), fromHex(root))
          const pending = found?.pending ?? null
          rows.push({ ward: kit.ward, identity: toHex(kit.identity), isGuardian: isStill, pending })
        }
        return rows
      }),
    )
    if (output.isJson) output.json({ schema: 'mooring/wards/v1', items })
    else if (items.length === 0) output.text('nobody')
    else {
      output.text(
        formatTable(items, [
          { title: 'ward', value: ({ ward }) => ward },
          { title: 'identity', value: ({ identity }) => identity },
          { title: 'guardian', value: (each) => (each.isGuardian ? 'yes' : 'not any more') },
          {
            title: 'recovery',
            value: ({ pending }) => (pending === null ? '-' : `RUNS until ${pending.unlocksAt}`),
          },
        ]),
      )
    }
  })
}

function addApprove(group: Command, context: Context): void {
  const command = remote(group.command('approve'))
    .description('sign that the new key shall be that of your ward')
    .argument('<request>', 'the text or its file; - for stdin')
    .requiredOption('--fingerprint <digits>', 'that the person reads to you, twenty of them')
    .option('-o, --output <file>', 'write the answer there instead of stdout')
  withHelp(command, {
    examples: [
      'mooring guardian approve recovery.txt --fingerprint "12345 67890 12345 67890"',
      'mooring guardian approve - --fingerprint 12345678901234567890 -o ann-approves.txt',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options & { fingerprint: string }>()
    const output = createOutput(context, options)
    const request = await readDocument(context, RECOVERY_REQUEST, word)
    refuseUnread(request, options.fingerprint)
    const value = await withWallet(context, options, async (wallet) => {
      const kit = wardOf(wallet, request.identity)
      if (!equalBytes(kit.genesisDigest, request.genesisDigest))
        throw new NodeError('other_network')
      await askChain(context, wallet, options, async (client) => {
        const { sequence } = await identityOn(client, request.identity)
        if (request.sequence !== sequence + 1) throw new NodeError('recovery_stale')
      })
      const key = guardianSignKey(seedOf(wallet), kit.person.index)
      const { identity, sequence, genesisDigest } = request
      const signature = sign(key, recoveryMessage(request, genesisDigest))
      return { identity, sequence, approval: { ...proofOf(kit, key.publicKey), signature } }
    })
    const shown = { kind: GUARDIAN_APPROVAL, value, output }
    const { text, file } = await showDocument(context, options, shown)
    if (output.isJson) output.json({ schema: 'mooring/approval/v1', file, text })
  })
}

function addVeto(group: Command, context: Context): void {
  const command = remote(group.command('veto'))
    .description('stop the recovery of a ward that did not ask for it')
    .argument('<ward>', 'its name, or that of the identity')
    .argument('[others...]', 'what other guardians signed, where one is not enough')
    .option('-o, --output <file>', 'where one is not enough: write yours there')
  withHelp(command, {
    examples: ['mooring guardian veto ada', 'mooring guardian veto ada ben.txt'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async (word: string, others: string[]) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const given: GuardianAnswer[] = []
    for (const each of others) given.push(await readDocument(context, GUARDIAN_VETO, each))
    const { isStopped, value } = await withWallet(context, options, (wallet) => {
      const kit = wardNamed(wallet, word)
      const work = askChain(context, wallet, options, (client) =>
        object(client, wallet, { kit, given }),
      )
      return waitingFor(output.note, 'the chain', work)
    })
    if (isStopped) {
      if (output.isJson) output.json({ schema: 'mooring/veto/v1', stopped: true, text: null })
      else output.text('the recovery is stopped')
      return
    }
    const { text } = await showDocument(context, options, { kind: GUARDIAN_VETO, value, output })
    if (output.isJson) output.json({ schema: 'mooring/veto/v1', stopped: false, text })
    else output.note('More guardians are needed; the last one adds what the others signed.')
  })
}

async function object(
  client: Client,
  wallet: Wallet,
  { kit, given }: { kit: GuardianKit & { person: Person }; given: GuardianAnswer[] },
): Promise<{ isStopped: boolean; value: GuardianAnswer }> {
  const { identity, genesisDigest } = kit
  const chain = await identityOn(client, identity)
  const place = { identity, sequence: chain.sequence + 1 }
  const key = guardianSignKey(seedOf(wallet), kit.person.index)
  const signature = sign(key, vetoMessage(genesisDigest, place))
  const approval = { ...proofOf(kit, key.publicKey), signature }
  const value = { ...place, approval }
  const isOf = (each: GuardianAnswer) =>
    equalBytes(each.identity, identity) && each.sequence === place.sequence
  if (!given.every(isOf)) throw new NodeError('answer_of_another')
  const body = [approval, ...given.map((each) => each.approval)]
  if (body.length < (chain.recovery?.vetoes ?? 1)) return { isStopped: false, value }
  const event = { ...place, by: { kind: 'guardians' as const, body } }
  await client.relayIdentityEvent(encodeIdentityEvent({ kind: 'identity.veto', body: event }))
  return { isStopped: true, value }
}

function addRelease(group: Command, context: Context): void {
  const command = remote(group.command('release'))
    .description('give the share that you keep to the new key, once it is in control')
    .argument('<request>', 'of the recovery: the text or its file; - for stdin')
    .option('-o, --output <file>', 'write it there instead of stdout')
  withHelp(command, {
    examples: [
      'mooring guardian release recovery.txt -o share.txt',
      'mooring guardian release mooring-recovery:1:…',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const request = await readDocument(context, RECOVERY_REQUEST, word)
    const { identity, sealKey: recipient } = request
    const value = await withWallet(context, options, async (wallet) => {
      const kit = wardOf(wallet, identity)
      await askChain(context, wallet, options, async (client) => {
        await refuseOther(client, kit.genesisDigest)
        const { controlKey, pending } = await identityOn(client, identity)
        const isInControl = equalBytes(fromHex(controlKey), request.controlKey)
        if (!isInControl || pending !== null) throw new NodeError('recovery_not_in_control')
      })
      const { secretKey: secret } = guardianSealKey(seedOf(wallet), kit.person.index)
      const share = kit.share === null ? undefined : openShare(kit.share, { identity, secret })
      if (share === undefined) {
        throw new NodeError('shares_wrong', { detail: 'This guardian was given no share' })
      }
      return { identity, share: sealShare(share, { identity, recipient, random: walletRandom }) }
    })
    const { text, file } = await showDocument(context, options, { kind: RELEASE, value, output })
    if (output.isJson) output.json({ schema: 'mooring/share/v1', file, text })
  })
}

function addRevokeAll(group: Command, context: Context): void {
  const command = remote(group.command('revoke-all'))
    .description('end everything that a ward permits, with the kit that the ward signed')
    .argument('<kit>', 'the text or its file; - for stdin')
  withHelp(command, {
    examples: [
      'mooring guardian revoke-all revoke-all.txt',
      'mooring guardian revoke-all - --endpoint https://ledger.riverside.example',
    ],
    exits: [3, 4, 5, 6, 7, 8],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const { revocations } = await readDocument(context, REVOKE_KIT, word)
    const revoke = async (client: Client) => {
      let count = 0
      for (const each of revocations) if (await tryRevoke(client, each)) count += 1
      return count
    }
    const work = askChain(context, { hospitals: [] }, options, revoke)
    const revoked = await waitingFor(output.note, 'the chain', work)
    if (output.isJson) output.json({ schema: 'mooring/revoked/v1', revoked })
    else output.text(`${formatAmount(revoked, 'grant')} or delegation ended`)
  })
}

export function addGuardian(program: Command, context: Context): void {
  const group = withWalletOptions(program.command('guardian')).description(
    'help somebody to recover their identity, or stop who is not them',
  )
  const commands = [addKey, addAccept, addList, addApprove, addVeto, addRelease, addRevokeAll]
  for (const add of commands) add(group, context)
  withHelp(group, {
    examples: ['mooring guardian key --label Ann', 'mooring guardian list'],
    exits: [3, 4, 5, 6, 7, 8, 10, 13],
  })
}
