// Devices of a patient, and representatives: wallets that act with keys of their own, until a date, and that
// can be stopped one by one. Three lines go from hand to hand: an invitation, the keys, the delegations;
// what the other wallet does with them is in patient-join.ts.

import type { Client } from '@mooring/api/client'
import { equalBytes } from '@mooring/codec'
import { DEVICES_MAX, deviceKeyDigest, encodeIdentityEvent, signGrantRevoke } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  createWallet,
  DELEGATE_DOCUMENT,
  DELEGATE_INVITE,
  DELEGATE_KEYS,
  type DelegateKeys,
  handleKeyAt,
  type OwnIdentity,
  type Wallet,
} from '@mooring/records'
import { type Command, Option } from 'commander'
import { askChain, findIdentity } from '../ask-chain.ts'
import { countArgument, remote, watchable, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type DelegateChoice, delegationsFor, inviteOf } from '../delegating.ts'
import { type DocumentOptions, lineOptions, readDocument, showDocument } from '../documents.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { createOutput, formatAmount, formatTable, formatTime } from '../output.ts'
import { devicesOf, identityEvent, policyOf, settleOwn } from '../own-identity.ts'
import { withHospital } from '../patient-client.ts'
import {
  makeWallet,
  refuseExisting,
  type WalletOptions,
  walletRandom,
  withWallet,
} from '../wallet-session.ts'
import { tryRevoke } from './patient-recover.ts'

type Options = RemoteOptions & WalletOptions & DocumentOptions
type Save = (wallet: Wallet) => Promise<void>

const DAY_MS = 86_400_000
// Handles on the chain live 400 days: a longer delegation is renewed.
const DAYS_MAX = 390

const usage = (detail: string, command: string) =>
  new NodeError('usage', { detail, command: `patient ${command} ` })

function addNew(group: Command, context: Context): void {
  const command = group
    .command('new')
    .description('a wallet without a seed, for a device that acts by delegation')
    .option('--label <text>', 'what to call it', 'phone')
  withHelp(command, {
    examples: ['mooring patient device new', 'mooring patient device new --label tablet'],
    exits: [3, 6, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions & { label: string }>()
    const output = createOutput(context, options)
    await refuseExisting(context, options)
    const { label } = options
    const createdAt = context.now().getTime()
    const wallet = createWallet({ label, createdAt, seed: null, deviceSecret: walletRandom(32) })
    const file = await makeWallet(context, options, wallet)
    if (output.isJson) output.json({ schema: 'mooring/wallet-file/v1', file, label })
    else output.note(`wallet of a device written to ${file}`)
  })
}

async function invite(
  context: Context,
  options: Options,
  choice: Omit<DelegateChoice, 'about'>,
): Promise<void> {
  const output = createOutput(context, options)
  const about = options.for ?? ''
  const value = await withWallet(context, options, async (wallet) =>
    inviteOf(wallet, { ...choice, about }),
  )
  const shown = { kind: DELEGATE_INVITE, value, output }
  const { text, file } = await showDocument(context, options, shown)
  if (output.isJson) output.json({ schema: 'mooring/invite/v1', file, text })
  else output.note('At the other wallet:   mooring patient join <text>')
}

async function giveDelegations(
  context: Context,
  options: Options,
  { keys, until, save, wallet }: { keys: DelegateKeys; until: number; save: Save; wallet: Wallet },
) {
  const about = options.for ?? ''
  const now = context.now().getTime()
  const made = delegationsFor(wallet, keys, { about, now, expiresAt: until })
  // A handle that is used and forgotten could never be revoked.
  await save(made.wallet)
  for (const { hospital, open } of made.delegating) {
    await withHospital(context, { wallet: made.wallet, hospital }, options, (client) =>
      client.openDelegation(open),
    )
  }
  const { vetoKey } = keys
  if (vetoKey !== null && made.wallet.identity.own !== null) {
    const digest = deviceKeyDigest(vetoKey)
    await changeDevices(context, options, { wallet: made.wallet, save }, (devices) =>
      [...devices, digest].slice(-DEVICES_MAX),
    )
  }
  const { kind, role, patient } = keys
  const invitation = inviteOf(made.wallet, { kind, role, about, patient })
  const hospitals = invitation.hospitals.filter(({ organisation }) =>
    keys.keys.some((each) => each.organisation === organisation),
  )
  return {
    invite: { ...invitation, hospitals },
    items: made.delegating.map(({ item }) => item),
  }
}

// Which devices may stop a recovery, on the chain; a rotation of the control key says it.
async function changeDevices(
  context: Context,
  options: Options,
  { wallet, save }: { wallet: Wallet; save: Save },
  change: (devices: Uint8Array[]) => Uint8Array[],
): Promise<void> {
  await askChain(context, wallet, options, async (client) => {
    const id = wallet.identity.own?.id
    const chain = id === undefined ? undefined : await findIdentity(client, id)
    const own = settleOwn(wallet, chain)
    if (chain === undefined || own === null) return
    const next: OwnIdentity = { ...own, rootIndex: own.rootIndex + 1 }
    const before = devicesOf(chain)
    const devices = change(before)
    const isSame =
      devices.length === before.length &&
      devices.every((digest, at) => equalBytes(digest, before[at] ?? new Uint8Array()))
    if (isSame) return
    const event = identityEvent(wallet, { chain, next, recovery: policyOf(chain), devices })
    await save({ ...wallet, identity: { ...wallet.identity, own, next } })
    await client.relayIdentityEvent(encodeIdentityEvent(event))
    await save({ ...wallet, identity: { ...wallet.identity, own: next, next: null } })
  })
}

async function addDelegate(
  context: Context,
  options: Options,
  { word, until, kind }: { word: string; until: number; kind: DelegateKeys['kind'] },
): Promise<void> {
  const output = createOutput(context, options)
  const keys = await readDocument(context, DELEGATE_KEYS, word)
  if (keys.kind !== kind) throw usage(`These keys are of a ${keys.kind}.`, kind)
  const value = await withWallet(context, options, (wallet, save) => {
    const work = giveDelegations(context, options, { keys, until, save, wallet })
    return waitingFor(output.note, 'the chain', work)
  })
  const shown = { kind: DELEGATE_DOCUMENT, value, output }
  const { text, file } = await showDocument(context, options, shown)
  const hospitals = value.items.map(({ organisation }) => organisation)
  if (output.isJson) {
    const label = keys.label
    output.json({ schema: 'mooring/delegations/v1', label, hospitals, file, text })
  } else output.note(`${keys.label} may act for you at ${hospitals.join(', ')} once it has this`)
}

function addInvite(group: Command, context: Context): void {
  const command = lineOptions(group.command('invite')).description(
    'what a device needs to know before it gives its keys',
  )
  withHelp(command, {
    examples: ['mooring patient device invite --qr', 'mooring patient device invite -o invite.txt'],
    exits: [3, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    await invite(context, options, { kind: 'device', role: null, patient: options.for ?? '' })
  })
}

const daysOption = (days: number) =>
  new Option('--days <count>', 'for how long').argParser(countArgument).default(days, String(days))

function addAdd(group: Command, context: Context): void {
  const command = lineOptions(remote(group.command('add')))
    .description('let a device act for you, with the keys that it gave')
    .argument('<keys>', 'the text or its file; - for stdin')
    .addOption(daysOption(365))
  withHelp(command, {
    examples: [
      'mooring patient device add keys.txt -o delegations.txt',
      'mooring patient device add - --days 30',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options & { days: number }>()
    if (options.days < 1 || options.days > DAYS_MAX) {
      throw usage(`A delegation holds for 1 to ${DAYS_MAX} days; renew it then.`, 'device add')
    }
    const until = context.now().getTime() + options.days * DAY_MS
    await addDelegate(context, options, { word, until, kind: 'device' })
  })
}

function addList(group: Command, context: Context): void {
  const command = watchable(group.command('list')).description(
    'which devices and representatives act for you',
  )
  withHelp(command, {
    examples: ['mooring patient device list', 'mooring patient device list --json'],
    exits: [3, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions>()
    const output = createOutput(context, options)
    const now = context.now().getTime()
    const items = await withWallet(context, options, async ({ delegations }) =>
      delegations.given.map(({ kind, label, organisation, expiresAt, revokedAt }) => ({
        label,
        kind,
        hospital: organisation,
        expiresAt: formatTime(expiresAt),
        status: revokedAt !== null ? 'revoked' : expiresAt <= now ? 'expired' : 'live',
      })),
    )
    if (output.isJson) output.json({ schema: 'mooring/devices/v1', items })
    else if (items.length === 0) output.text('nobody')
    else {
      output.text(
        formatTable(items, [
          { title: 'name', value: ({ label }) => label },
          { title: 'kind', value: ({ kind }) => kind },
          { title: 'hospital', value: ({ hospital }) => hospital },
          { title: 'until', value: ({ expiresAt }) => expiresAt },
          { title: 'status', value: ({ status }) => status },
        ]),
      )
    }
  })
}

async function revoke(client: Client, wallet: Wallet, indexes: number[]): Promise<void> {
  const digest = wallet.genesis?.digest ?? new Uint8Array()
  for (const index of indexes) {
    const key = handleKeyAt(wallet, index)
    await tryRevoke(client, { publicKey: key.publicKey, signature: signGrantRevoke(digest, key) })
  }
}

function addRevoke(group: Command, context: Context): void {
  const command = remote(group.command('revoke'))
    .description('stop a device or a representative, everywhere')
    .argument('<name>', 'as it is listed')
  withHelp(command, {
    examples: ['mooring patient device revoke phone', 'mooring patient device revoke "old phone"'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async (label: string) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const count = await withWallet(context, options, async (wallet, save) => {
      const { given } = wallet.delegations
      const isMeant = (each: (typeof given)[number]) =>
        each.label === label && each.revokedAt === null
      const indexes = given.filter(isMeant).map(({ handleIndex }) => handleIndex)
      if (indexes.length === 0) throw new NodeError('delegate_unknown', { label })
      const work = askChain(context, wallet, options, (client) => revoke(client, wallet, indexes))
      await waitingFor(output.note, 'the chain', work)
      const revokedAt = context.now().getTime()
      const next = given.map((each) => (isMeant(each) ? { ...each, revokedAt } : each))
      const stopped = { ...wallet, delegations: { given: next } }
      await save(stopped)
      const gone = given.filter(isMeant).flatMap(({ vetoDigest }) => vetoDigest ?? [])
      if (gone.length > 0 && wallet.identity.own !== null) {
        await changeDevices(context, options, { wallet: stopped, save }, (devices) =>
          devices.filter((each) => !gone.some((digest) => equalBytes(digest, each))),
        )
      }
      return indexes.length
    })
    if (output.isJson) output.json({ schema: 'mooring/device-revoked/v1', label, count })
    else output.text(`${label} acts for you no more, at ${formatAmount(count, 'hospital')}`)
  })
}

function untilOf(text: string, now: number): number {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isFinite(time) && time > now && time <= now + DAYS_MAX * DAY_MS) return time
  throw usage(
    `--until is a date like 2027-05-01, at most ${DAYS_MAX} days ahead; renew it then.`,
    'represent add',
  )
}

export function addPatientRepresent(program: Command, context: Context): void {
  const group = program
    .command('represent')
    .description('a parent or guardian who acts for you with a wallet of their own')
  const ask = lineOptions(group.command('invite'))
    .description('what a representative needs to know before giving keys')
    .addOption(
      new Option('--as <role>', 'of the family, or by power of attorney')
        .choices(['FAMRQT', 'PWATRNY'])
        .makeOptionMandatory(),
    )
    .requiredOption('--patient <name>', 'what they shall call you')
  withHelp(ask, {
    examples: ['mooring patient represent invite --as FAMRQT --patient ben'],
    exits: [3, 5, 6, 7, 8, 10],
  })
  ask.action(async () => {
    type Chosen = Options & { as: 'FAMRQT' | 'PWATRNY'; patient: string }
    const options = ask.optsWithGlobals<Chosen>()
    const { as: role, patient } = options
    await invite(context, options, { kind: 'representative', role, patient })
  })
  const add = lineOptions(remote(group.command('add')))
    .description('let a representative act for you, with the keys that they gave')
    .argument('<keys>', 'the text or its file; - for stdin')
    .requiredOption('--until <date>', 'the end: the 18th birthday, or when to renew it')
  withHelp(add, {
    examples: ['mooring patient represent add keys.txt --until 2027-05-01'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  add.action(async (word: string) => {
    const options = add.optsWithGlobals<Options & { until: string }>()
    const until = untilOf(options.until, context.now().getTime())
    await addDelegate(context, options, { word, until, kind: 'representative' })
  })
  withHelp(group, {
    examples: [
      'mooring patient represent invite --as FAMRQT --patient ben',
      'mooring patient represent add keys.txt --until 2027-05-01',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
}

export function addPatientDevice(program: Command, context: Context): void {
  const group = program.command('device').description('wallets of your own that act by delegation')
  addNew(group, context)
  addInvite(group, context)
  addAdd(group, context)
  addList(group, context)
  addRevoke(group, context)
  withHelp(group, {
    examples: ['mooring patient device new', 'mooring patient device revoke phone'],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
}
