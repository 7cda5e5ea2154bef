// Guardians of a patient: who they are, what each keeps, and the backup that they can open together.

import type { Identity } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { fromHex, toHex } from '@mooring/codec'
import {
  DESK_LOCK_MS,
  encodeIdentityEvent,
  GUARDIANS_MAX,
  signGrantRevoke,
  TIME_LOCK_MS,
  TIME_LOCK_MS_MAX,
} from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import {
  backupKey,
  formatDocumentText,
  GUARDIAN_KEY,
  GUARDIAN_KIT,
  type GuardianKey,
  handleKeyAt,
  recoverySalt,
  type OwnIdentity,
  REVOKE_KIT,
  sealBackup,
  sealKeyAt,
  type Wallet,
  type WalletBackup,
} from '@mooring/records'
import { type Command, Option } from 'commander'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { askChain, findIdentity } from '../ask-chain.ts'
import { countArgument, durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { readDocument, showDocument } from '../documents.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { writeNew } from '../grant-file.ts'
import { createOutput, formatAmount, formatTable } from '../output.ts'
import {
  devicesOf,
  firstIdentityId,
  genesisOf,
  guardianKits,
  identityEvent,
  nameGuardians,
  type PolicyChoice,
  rootOfGuardians,
  seedOf,
  settleOwn,
} from '../own-identity.ts'
import { type WalletOptions, walletRandom, withWallet } from '../wallet-session.ts'

type Options = RemoteOptions & WalletOptions
type SetOptions = Options & {
  guardian?: string[]
  member?: string[]
  threshold: number
  vetoes?: number
  lock: number
  deskLock: number
  identity?: string
  ward?: string
  output?: string
}

// One-time keys for which a revocation is signed before they are used.
const KEYS_AHEAD = 64
const REVOCATIONS_MAX = 512

const tooFew = (detail: string) => new NodeError('guardians_too_few', { detail })

// So many that those who are left cannot agree, and never more than a minority.
function vetoesFor(count: number, threshold: number): number {
  return Math.max(1, Math.min(count - threshold, Math.floor((count - 1) / 2)))
}

async function checkSet(
  client: Client,
  { persons, members, threshold }: { persons: GuardianKey[]; members: string[]; threshold: number },
): Promise<number> {
  const known = new Map((await client.members()).items.map((each) => [each.id, each.legalGroup]))
  const groups = members.map((id) => {
    const group = known.get(id)
    if (group === undefined) throw tooFew(`${id} is no member of the network`)
    return group
  })
  const keys = persons.map(({ signKey }) => toHex(signKey))
  if (new Set(keys).size < keys.length) throw tooFew('One guardian is named twice')
  const named = persons.length + members.length
  if (named > GUARDIANS_MAX) throw tooFew(`${named} are named, at most ${GUARDIANS_MAX} may be`)
  const independent = keys.length + new Set(groups).size
  if (threshold < 2) throw tooFew('At least two must agree')
  if (independent >= threshold) return independent
  throw tooFew(
    `${threshold} must agree, and ${independent} of those named are independent: members of one legal group count once`,
  )
}

async function setGuardians(
  context: Context,
  options: SetOptions,
  { wallet, save, persons }: { wallet: Wallet; save: Save; persons: GuardianKey[] },
) {
  const { member: members = [], threshold } = options
  seedOf(wallet)
  genesisOf(wallet)
  return askChain(context, wallet, options, async (client) => {
    const id = options.identity === undefined ? firstIdentityId(wallet) : fromHex(options.identity)
    const chain = await findIdentity(client, id)
    const independent = await checkSet(client, { persons, members, threshold })
    const policy: PolicyChoice = {
      threshold,
      vetoes: options.vetoes ?? vetoesFor(independent, threshold),
      lockMs: options.lock,
      deskLockMs: Math.min(options.deskLock, options.lock),
    }
    const own = settleOwn(wallet, chain)
    const rootIndex = chain === undefined || own === null ? 0 : own.rootIndex + 1
    const named = nameGuardians({ persons, members })
    const next: OwnIdentity = { id, rootIndex, generation: rootIndex, ...named }
    const recovery = { guardians: rootOfGuardians(named), ...policy }
    const event = identityEvent(wallet, { chain, next, recovery, devices: devicesOf(chain) })
    // What was named must not be forgotten should the answer be lost.
    await save({ ...wallet, identity: { ...wallet.identity, own, next } })
    const { height } = await client.relayIdentityEvent(encodeIdentityEvent(event))
    await save({ ...wallet, identity: { ...wallet.identity, own: next, next: null } })
    const ward = options.ward ?? wallet.label
    return {
      own: next,
      policy,
      height,
      kits: guardianKits(wallet, next, { persons, threshold, ward }),
    }
  })
}

type Save = (wallet: Wallet) => Promise<void>

const countOption = (flags: string, text: string) =>
  new Option(flags, text).argParser(countArgument)

function addSet(group: Command, context: Context): void {
  const lock = new Option('--lock <duration>', 'how long everybody has to stop a recovery')
  const deskLock = new Option('--desk-lock <duration>', 'the same where a hospital saw the person')
  const command = remote(group.command('set'))
    .description('name who can recover the identity, all at once; those of before have no say then')
    .option('--guardian <keys...>', 'persons, each by the key that it gave')
    .option('--member <organisations...>', 'members of the network')
    .addOption(countOption('--threshold <count>', 'so many must agree').default(2, '2'))
    .addOption(countOption('--vetoes <count>', 'so many stop a recovery (a minority of them)'))
    .addOption(lock.argParser(durationArgument).default(TIME_LOCK_MS, '72h'))
    .addOption(deskLock.argParser(durationArgument).default(DESK_LOCK_MS, '24h'))
    .option('--ward <name>', 'what guardians call you (the label of the wallet)')
    .option('--identity <name>', 'of the chain, when it came to this wallet by a recovery')
    .option('-o, --output <folder>', 'write what each guardian keeps there')
  withHelp(command, {
    examples: [
      'mooring patient guardians set --guardian ann.txt ben.txt cem.txt -o kits',
      'mooring patient guardians set --guardian ann.txt ben.txt --member riverside --threshold 2',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<SetOptions>()
    const output = createOutput(context, options)
    if (options.lock > TIME_LOCK_MS_MAX) throw tooFew('A time lock is 30 days at most')
    const persons: GuardianKey[] = []
    for (const word of options.guardian ?? []) {
      persons.push(await readDocument(context, GUARDIAN_KEY, word))
    }
    const folder = options.output
    // Before the chain has it: kits that could not be written would be lost.
    if (folder !== undefined)
      await mkdir(resolve(context.cwd, folder), { recursive: true, mode: 0o700 })
    const done = await withWallet(context, options, (wallet, save) => {
      const work = setGuardians(context, options, { wallet, save, persons })
      return waitingFor(output.note, 'the chain', work)
    })
    const { own, policy, height, kits } = done
    const texts = kits.map(({ label, kit }) => ({
      label,
      text: formatDocumentText(GUARDIAN_KIT, kit),
      hasShare: kit.share !== null,
    }))
    for (const [index, { label, text }] of texts.entries()) {
      if (folder === undefined) continue
      // The label is what the guardian wrote.
      const name = label.replaceAll(/[^\p{L}\p{N}]+/gu, '-')
      await writeNew(context, join(folder, `guardian-${index + 1}-${name}.txt`), `${text}\n`)
    }
    const identity = toHex(own.id)
    if (output.isJson) {
      output.json({ schema: 'mooring/guardians/v1', identity, height, ...policy, kits: texts })
      return
    }
    output.text(`identity ${identity}\n`)
    for (const { label, text } of texts) {
      if (folder === undefined) output.text(`${label}\n${text}\n`)
    }
    const { threshold, vetoes, lockMs, deskLockMs } = policy
    output.note(
      `${threshold} of ${formatAmount(kits.length, 'guardian')} recover it after ${formatDuration(lockMs)}` +
        ` (${formatDuration(deskLockMs)} where a hospital saw you); ${vetoes} of them stop a recovery.` +
        '\nWrite the name of the identity down: a recovery begins with it. Give each guardian their line.',
    )
    if (!texts.some(({ hasShare }) => hasShare)) {
      output.note('Fewer persons than the threshold: nobody but the words can open a backup.')
    }
  })
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('the guardians, and the recovery that runs if one does')
    .option('--identity <name>', 'of the chain, when it came to this wallet by a recovery')
  withHelp(command, {
    examples: ['mooring patient guardians list', 'mooring patient guardians list --json'],
    exits: [3, 4, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options & { identity?: string }>()
    const output = createOutput(context, options)
    const { chain, own } = await withWallet(context, options, (wallet, save) =>
      askChain(context, wallet, options, async (client) => {
        const { identity: asked } = options
        const id = asked === undefined ? firstIdentityId(wallet) : fromHex(asked)
        const found = await findIdentity(client, id)
        if (found === undefined) throw new NodeError('no_identity')
        const settled = settleOwn(wallet, found)
        if (settled !== wallet.identity.own) {
          await save({ ...wallet, identity: { ...wallet.identity, own: settled, next: null } })
        }
        return { chain: found, own: settled }
      }),
    )
    const items = (own?.guardians ?? []).map(({ label, organisation }, index) => ({
      place: index + 1,
      label,
      kind: organisation === null ? 'person' : 'member',
    }))
    if (output.isJson)
      output.json({ schema: 'mooring/identity/v1', ...chain, guardianNames: items })
    else {
      output.text(formatIdentity(chain))
      if (items.length > 0) {
        output.text(
          formatTable(items, [
            { title: 'place', value: ({ place }) => String(place), align: 'right' },
            { title: 'guardian', value: ({ label }) => label },
            { title: 'kind', value: ({ kind }) => kind },
          ]),
        )
      } else output.note('Who the guardians are, this wallet does not know: name them anew.')
    }
  })
}

export function formatIdentity({ id, sequence, recovery, pending, devices }: Identity): string {
  const lines = [`identity ${id}, event ${sequence}`]
  if (recovery === null) lines.push('nobody can recover it')
  else {
    const { threshold, vetoes, lockMs, deskLockMs } = recovery
    lines.push(
      `${threshold} guardians recover it, ${vetoes} stop that; time lock ${formatDuration(lockMs)}, ` +
        `${formatDuration(deskLockMs)} with a desk; ${formatAmount(devices.length, 'device')} may stop it`,
    )
  }
  if (pending !== null) {
    const who = pending.attested
      ? 'only guardians stop it'
      : 'the owner, a device or guardians stop it'
    lines.push(
      `A RECOVERY RUNS since ${pending.openedAt}; it may end at ${pending.unlocksAt}; ${who}`,
    )
  }
  return `${lines.join('\n')}\n`
}

// Of what is open, and of what this wallet will open next.
function revocationsOf(wallet: Wallet): { publicKey: Uint8Array; signature: Uint8Array }[] {
  const digest = genesisOf(wallet)
  const open = wallet.grants.filter(({ revokedAt }) => revokedAt === null)
  const given = wallet.delegations.given.filter(({ revokedAt }) => revokedAt === null)
  const ahead = Array.from({ length: KEYS_AHEAD }, (_, index) => wallet.nextHandle + index)
  const indexes = [
    ...given.map(({ handleIndex }) => handleIndex),
    ...open.map(({ index }) => index),
  ]
  return [...new Set([...indexes.slice(-REVOCATIONS_MAX + KEYS_AHEAD), ...ahead])].map((index) => {
    const key = handleKeyAt(wallet, index)
    return { publicKey: key.publicKey, signature: signGrantRevoke(digest, key) }
  })
}

function backupOf(wallet: Wallet, identity: Uint8Array): WalletBackup {
  const seals = wallet.hospitals.flatMap((hospital) => {
    const key = hospital.patient === '' ? sealKeyAt(wallet, hospital) : undefined
    if (key === undefined) return []
    return [{ organisation: hospital.organisation, secretKey: key.secretKey }]
  })
  const salts = wallet.hospitals
    .filter(({ patient, access }) => patient === '' && access === null)
    .map(({ organisation }) => {
      return { organisation, salt: recoverySalt(seedOf(wallet), organisation) }
    })
  const { label, genesis, hospitals, grants, log } = wallet
  return {
    label,
    identity,
    genesis,
    hospitals,
    seals: [...seals, ...wallet.identity.formerSeals],
    salts,
    grants,
    revocations: revocationsOf(wallet),
    log,
  }
}

function addBackup(group: Command, context: Context): void {
  const command = group
    .command('backup')
    .description('what guardians give back together, as a file that anybody may keep')
    .requiredOption('-o, --output <file>', 'where to write it; an older one is replaced')
  withHelp(command, {
    examples: ['mooring patient guardians backup -o ada.mooring-backup'],
    exits: [3, 5, 6, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions & { output: string }>()
    const output = createOutput(context, options)
    const bytes = await withWallet(context, options, async (wallet) => {
      const { own } = wallet.identity
      if (own === null) throw new NodeError('no_identity')
      const key = backupKey(seedOf(wallet), own.generation)
      return sealBackup(backupOf(wallet, own.id), key, walletRandom)
    })
    await writeFile(resolve(context.cwd, options.output), bytes, { mode: 0o600 })
    const file = options.output
    if (output.isJson) output.json({ schema: 'mooring/backup-file/v1', file, bytes: bytes.length })
    else output.note(`backup written to ${file}; it opens with the shares of the guardians alone`)
  })
}

function addKit(group: Command, context: Context): void {
  const command = group
    .command('kit')
    .description('revocations signed in advance: who has them ends all that you permit')
    .option('-o, --output <file>', 'write it there instead of stdout')
  withHelp(command, {
    examples: ['mooring patient guardians kit -o revoke-all.txt'],
    exits: [3, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions & { output?: string }>()
    const output = createOutput(context, options)
    const revocations = await withWallet(context, options, async (wallet) => revocationsOf(wallet))
    const shown = { kind: REVOKE_KIT, value: { revocations }, output }
    const { text, file } = await showDocument(context, options, shown)
    const count = revocations.length
    if (output.isJson) output.json({ schema: 'mooring/revoke-kit/v1', count, file, text })
    else output.note('Guardians use it with:   mooring guardian revoke-all <file>')
  })
}

export function addPatientGuardians(program: Command, context: Context): void {
  const group = program.command('guardians').description('who can recover the identity')
  addSet(group, context)
  addList(group, context)
  addBackup(group, context)
  addKit(group, context)
  withHelp(group, {
    examples: [
      'mooring patient guardians set --guardian ann.txt ben.txt cem.txt -o kits',
      'mooring patient guardians list',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
}
