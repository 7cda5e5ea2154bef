// `patient emergency`: the set that an ambulance may open, sealed in the wallet; the card; what came of it.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EmergencyStatus } from '@mooring/api'
import { encode, fromHex, toHex } from '@mooring/codec'
import { CryptoError, parseDidKey } from '@mooring/crypto'
import { NodeError } from '@mooring/node/node-error'
import {
  type AddressedDeposit,
  addressedDepositsSchema,
  emergencyOwner,
  emergencySummary,
  formatCard,
  genesisPrefixOf,
  locatorIdOf,
  nextSequence,
  sealEmergencySet,
  sealKeyAt,
  SPARE_VERSIONS_MAX,
  summarySources,
  type Wallet,
  type WalletHospital,
  walletLocator,
  withdrawEmergencySet,
} from '@mooring/records'
import { type Command, Option } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { createOutput } from '../output.ts'
import { chosenHospital, hospitalsFor, withHospital } from '../patient-client.ts'
import { isQrWanted, svgQr, terminalQr } from '../qr.ts'
import { readInput } from '../read-input.ts'
import { type WalletOptions, walletRandom, readWallet, withWallet } from '../wallet-session.ts'
import { addEmergencyStatus } from './patient-emergency-status.ts'

type Options = RemoteOptions & WalletOptions & { at?: string }
type SetOptions = Options & {
  sensitive?: boolean
  from?: string
  notify?: string[]
  newCard?: boolean
}

interface Notified {
  organisation: string
  key: Uint8Array
}

/** Of one deposit, those that are to forget it too. */
const TRUSTEES_MAX = 9
const SET_BYTES_MAX = 512 * 1024
const collect = (value: string, before: string[] = []): string[] => [...before, value]

export function addPatientEmergency(group: Command, context: Context): void {
  const emergency = group
    .command('emergency')
    .description('what an ambulance may see, the card for it, and who has looked')
  withHelp(emergency, {
    examples: ['mooring patient emergency set', 'mooring patient emergency card --svg card.svg'],
    exits: [4, 5, 6, 7, 8],
  })
  addSet(emergency, context)
  addCard(emergency, context)
  addOptOut(emergency, context)
  addEmergencyStatus(emergency, context)
}

function atHospital(command: Command): Command {
  return command.option('--at <organisation>', 'the hospital that hands it to trustees')
}

// Card and owner key are those of the holder's seed: a set of somebody else would replace the own one.
function refuseFor({ for: patient = '' }: WalletOptions): void {
  if (patient === '') return
  const detail = `The set of ${patient} is made by a hospital (mooring emergency set), or in an own wallet.`
  throw new NodeError('usage', { detail, command: 'patient emergency ' })
}

function addSet(group: Command, context: Context): void {
  const command = atHospital(remote(group.command('set')))
    .description('seal a summary of all hospitals for an emergency, and give it to trustees')
    .option('--sensitive', 'with what is sensitive: an ambulance would see it')
    .option('--from <bundle>', 'a FHIR Bundle instead of what the hospitals have')
    .addOption(
      new Option(
        '--notify <did@organisation>',
        'who is told as well: a guardian, by key there',
      ).argParser(collect),
    )
    .option('--new-card', 'the card was lost: what it opens is taken back')
  withHelp(command, {
    examples: [
      'mooring patient emergency set --at riverside',
      'mooring patient emergency set --new-card',
    ],
    exits: [4, 5, 6, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<SetOptions>()
    const output = createOutput(context, options)
    refuseFor(options)
    const notified = (options.notify ?? []).map(notifiedOf)
    const made = await withWallet(context, options, async (wallet, save) => {
      const home = chosenHospital(wallet, options.at, options)
      const work = deposit(context, options, { wallet, home, notified, save })
      return waitingFor(output.note, 'the trustees', work)
    })
    if (output.isJson) output.json({ schema: 'mooring/emergency-set/v1', ...made })
    else {
      output.text(made.card)
      output.note(`kept by ${made.taken.join(', ')}; any two of them open it, with the card`)
      if (made.waiting.length > 0) output.note(`on its way to ${made.waiting.join(', ')}`)
      output.note('carry the card; print it with: mooring patient emergency card --svg card.svg')
    }
  })
}

interface DepositParts {
  wallet: Wallet
  home: WalletHospital
  notified: readonly Notified[]
  save: (wallet: Wallet) => Promise<void>
}

async function deposit(
  context: Context,
  options: SetOptions,
  { wallet: before, home, notified, save }: DepositParts,
) {
  const seed = seedOf(before)
  const now = context.now().getTime()
  const wallet =
    options.newCard === true ? await withNewCard(context, options, { before, home, save }) : before
  const { emergency } = wallet
  const locator = walletLocator(seed, emergency.cardIndex)
  const content = await contentOf(context, options, wallet, now)
  const logKey = sealKeyAt(wallet, home)?.publicKey
  if (logKey === undefined) throw new NodeError('wallet_of_device', { what: 'an emergency set' })
  const sequence = nextSequence(emergency, now)
  return await withHospital(context, { wallet, hospital: home }, options, async (client) => {
    const status = await client.ownEmergencyStatus()
    const { k, trustees } = await client.emergencyTrustees(toHex(locatorIdOf(locator)))
    const firstVersion = firstVersionOf(wallet, status, toHex(locatorIdOf(locator)))
    const sealed = sealEmergencySet(content, {
      locator,
      trustees: trustees.map(({ organisation, sealKey }) => ({
        organisation,
        sealKey: fromHex(sealKey),
      })),
      k,
      firstVersion,
      count: SPARE_VERSIONS_MAX,
      sequence,
      owner: emergencyOwner(seed, emergency.cardIndex),
      madeAt: now,
      home: home.organisation,
      patientKey: home.patientKey,
      logKey,
      notified,
      random: walletRandom,
    })
    const names = trustees.map(({ organisation }) => organisation)
    const deposited = {
      home: home.organisation,
      nextVersion: firstVersion + SPARE_VERSIONS_MAX,
      madeAt: now,
      trustees: names,
    }
    // Numbers are never used twice, whatever becomes of the deposit.
    await save({ ...wallet, emergency: { ...emergency, isOptedOut: false, sequence, deposited } })
    // The network has grown, and others are chosen: who was a trustee keeps nothing.
    const former = (emergency.deposited?.trustees ?? []).filter((each) => !names.includes(each))
    const owner = emergencyOwner(seed, emergency.cardIndex)
    const statement = { locator, owner, sequence, home: home.organisation }
    const gone = former.slice(0, TRUSTEES_MAX - names.length)
    const all = [...sealed, ...gone.map(() => withdrawEmergencySet(statement, false))]
    const deposits = addressed([...names, ...gone], all)
    const { taken, waiting } = await client.depositEmergencySet(deposits)
    return { card: cardOf(wallet), taken, waiting, firstVersion, versions: SPARE_VERSIONS_MAX }
  })
}

// What the lost card opens goes first.
async function withNewCard(
  context: Context,
  options: Options,
  { before, home, save }: Omit<DepositParts, 'wallet' | 'notified'> & { before: Wallet },
): Promise<Wallet> {
  if (before.emergency.deposited !== null) {
    await withdraw(context, options, { wallet: before, home, isOptedOut: false })
  }
  const cardIndex = before.emergency.cardIndex + 1
  const wallet = { ...before, emergency: { ...before.emergency, cardIndex, deposited: null } }
  await save(wallet)
  return wallet
}

async function withdraw(
  context: Context,
  options: Options,
  { wallet, home, isOptedOut }: { wallet: Wallet; home: WalletHospital; isOptedOut: boolean },
) {
  const seed = seedOf(wallet)
  const { emergency } = wallet
  const locator = walletLocator(seed, emergency.cardIndex)
  const sequence = nextSequence(emergency, context.now().getTime())
  const owner = emergencyOwner(seed, emergency.cardIndex)
  const statement = { locator, owner, sequence, home: home.organisation }
  const sealed = withdrawEmergencySet(statement, isOptedOut)
  const outcome = await withHospital(
    context,
    { wallet, hospital: home },
    options,
    async (client) => {
      const { trustees } = await client.emergencyTrustees(toHex(locatorIdOf(locator)))
      const names = new Set([
        ...trustees.map(({ organisation }) => organisation),
        ...(emergency.deposited?.trustees ?? []),
      ])
      const all = [...names].slice(0, TRUSTEES_MAX)
      return await client.depositEmergencySet(
        addressed(
          all,
          all.map(() => sealed),
        ),
      )
    },
  )
  return { ...outcome, sequence }
}

async function contentOf(
  context: Context,
  options: SetOptions,
  wallet: Wallet,
  time: number,
): Promise<Uint8Array> {
  if (options.from !== undefined) return await readInput(context, options.from, SET_BYTES_MAX)
  const withSensitive = options.sensitive ?? false
  const own = hospitalsFor(wallet, options)
  const sources = []
  for (const hospital of own) {
    const { bundle } = await withHospital(context, { wallet, hospital }, options, (client) =>
      client.ownEmergencySummary(withSensitive),
    )
    sources.push(...summarySources(new TextEncoder().encode(bundle)))
  }
  const organisations = own.map(({ organisation }) => organisation)
  return emergencySummary(sources, { time, organisations, withSensitive })
}

// Also after a restore from words, when the wallet does not remember: the hospital does.
function firstVersionOf(
  { emergency }: Wallet,
  { set }: EmergencyStatus,
  locatorId: string,
): number {
  const known = set?.locatorId === locatorId ? Math.max(-1, ...set.versions) + 1 : 0
  return Math.max(known, emergency.deposited?.nextVersion ?? 0)
}

function addressed(
  names: readonly string[],
  deposits: readonly AddressedDeposit['deposit'][],
): Uint8Array {
  const all = names.flatMap((trustee, at) => {
    const each = deposits[at]
    return each === undefined ? [] : [{ trustee, deposit: each }]
  })
  return encode(addressedDepositsSchema, all)
}

function addCard(group: Command, context: Context): void {
  const command = group
    .command('card')
    .description('the card that goes with the set, to carry')
    .option('--svg <file>', 'write a picture of the code, to print')
    .option('--qr', 'a code to scan, also where stdout is no terminal')
    .option('--no-qr', 'the text alone')
  withHelp(command, {
    examples: ['mooring patient emergency card', 'mooring patient emergency card --svg card.svg'],
    exits: [6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions & { svg?: string; qr?: boolean }>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    if (wallet.emergency.deposited === null) throw new NodeError('card_missing')
    const card = cardOf(wallet)
    if (options.svg !== undefined) {
      await writeFile(resolve(context.cwd, options.svg), svgQr(card) ?? '', { mode: 0o600 })
      output.note(`written to ${options.svg}`)
    }
    if (output.isJson) {
      output.json({ schema: 'mooring/emergency-card/v1', card })
      return
    }
    const code = isQrWanted(context, options) ? terminalQr(context, card, options) : undefined
    if (code !== undefined) output.text(code)
    output.text(card)
    output.note('alone it opens nothing; with it a hospital asks the trustees, and you are told')
  })
}

function addOptOut(group: Command, context: Context): void {
  const command = atHospital(remote(group.command('opt-out'))).description(
    'nobody opens an emergency set of yours from now on; trustees delete what they have',
  )
  withHelp(command, {
    examples: ['mooring patient emergency opt-out', 'mooring patient emergency opt-out --json'],
    exits: [4, 5, 6, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    refuseFor(options)
    const outcome = await withWallet(context, options, async (wallet, save) => {
      const name = options.at ?? wallet.emergency.deposited?.home
      const home = chosenHospital(wallet, name, options)
      const { sequence, ...rest } = await withdraw(context, options, {
        wallet,
        home,
        isOptedOut: true,
      })
      await save({ ...wallet, emergency: { ...wallet.emergency, sequence, isOptedOut: true } })
      return rest
    })
    if (output.isJson) output.json({ schema: 'mooring/emergency-opt-out/v1', ...outcome })
    else output.text('nobody opens an emergency set of yours from now on')
    output.note('in an emergency nobody will know of your allergies or medication')
    output.note('change your mind with: mooring patient emergency set')
  })
}

function cardOf(wallet: Wallet): string {
  const locator = walletLocator(seedOf(wallet), wallet.emergency.cardIndex)
  if (wallet.genesis === null) throw new NodeError('card_missing')
  return formatCard({ locator, genesisPrefix: genesisPrefixOf(wallet.genesis.digest) })
}

function seedOf({ seed }: Wallet): Uint8Array {
  if (seed !== null) return seed
  throw new NodeError('wallet_of_device', { what: 'an emergency set' })
}

function notifiedOf(text: string): Notified {
  const [did = '', organisation = ''] = text.split('@')
  try {
    return { organisation, key: parseDidKey(did) }
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const detail = `"${text}" is not did:key:…@organisation.`
    throw new NodeError('usage', { detail, command: 'patient emergency set ' }, { cause: error })
  }
}
