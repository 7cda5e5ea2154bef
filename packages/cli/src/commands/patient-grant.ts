// `mooring patient grant`: what the patient permits, and takes back.

import { NodeError } from '@mooring/node/node-error'
import type { Wallet, WalletHospital } from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { writeNew } from '../grant-file.ts'
import { type TermOptions, type Terms, termsOf, withTerms } from '../grant-terms.ts'
import { formatGrantWords } from '../grant-words.ts'
import { createOutput } from '../output.ts'
import { chosenHospital } from '../patient-client.ts'
import {
  depositGrant,
  isRefused,
  type MadeGrant,
  makeGrant,
  withoutGrant,
} from '../patient-grants.ts'
import { grantJson, tellOffer } from '../tell-grant.ts'
import { hospitalOf, type SaveWallet, type WalletOptions, withWallet } from '../wallet-session.ts'
import { addGrantList, addGrantShow } from './patient-grant-list.ts'
import { addGrantRevoke } from './patient-grant-revoke.ts'

type CreateOptions = RemoteOptions &
  WalletOptions &
  TermOptions & { at?: string[]; everywhere?: boolean; output?: string; qr?: boolean }

type Opened = Pick<MadeGrant, 'entry' | 'grant'> & { height: number }

// Which hospitals' records it is about: one grant for each.
function hospitalsOf(wallet: Wallet, options: CreateOptions): WalletHospital[] {
  const { at, everywhere } = options
  if (at !== undefined && everywhere === true) {
    throw new NodeError('grant_terms_wrong', { detail: 'Say --at or --everywhere.' })
  }
  if (at !== undefined) return at.map((organisation) => hospitalOf(wallet, organisation, options))
  if (everywhere !== true) return [chosenHospital(wallet, undefined, options)]
  const patient = options.for ?? ''
  return wallet.hospitals
    .filter((each) => each.patient === patient && each.organisation !== options.to)
    .toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
}

async function openGrants(
  context: Context,
  options: CreateOptions,
  { wallet, save, terms }: { wallet: Wallet; save: SaveWallet; terms: Terms },
  tell: (opened: Opened) => void,
): Promise<Opened[]> {
  const opened: Opened[] = []
  const hospitals = hospitalsOf(wallet, options)
  let current = wallet
  for (const hospital of hospitals) {
    const made = makeGrant(current, hospital, terms, context.now().getTime())
    current = made.wallet
    await save(current)
    const { deposit, entry, grant } = made
    let height: number
    try {
      height = await depositGrant(context, { wallet: current, hospital, deposit }, options)
    } catch (error) {
      if (isRefused(error)) await save(withoutGrant(current, entry))
      throw error
    }
    opened.push({ entry, grant, height })
    tell({ entry, grant, height })
  }
  return opened
}

function addCreate(group: Command, context: Context): void {
  const command = withTerms(
    remote(group.command('create')).description('let an organisation read some of your records'),
  )
    .option('--at <hospitals...>', "whose records (the wallet's only hospital)")
    .option('--everywhere', 'the records of all hospitals of the wallet')
    .option('--qr', 'show the offer as a code too; on a terminal it is')
    .option('--no-qr', 'only as a line')
    .option('-o, --output <file>', 'write the grant there as a file too')
  withHelp(command, {
    examples: [
      'mooring patient grant create --to lakeview --type AllergyIntolerance --appointment',
      'mooring patient grant create --to riverside --everywhere --until 2026-11-27',
      'mooring patient grant create --to lakeview --class general --deny label:PSY --standing',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<CreateOptions>()
    const output = createOutput(context, options)
    const terms = termsOf(options, context.now().getTime())
    const tell = ({ grant, ...opened }: Opened) => {
      if (output.isJson) return
      output.note(`${formatGrantWords(grant)}\nin force since block ${opened.height}`)
      tellOffer(context, output, options, grant)
    }
    const opened = await withWallet(context, options, (wallet, save) => {
      const work = openGrants(context, options, { wallet, save, terms }, tell)
      return waitingFor(output.note, 'the handle to be final', work)
    })
    if (options.output !== undefined) await writeFiles(context, options.output, opened)
    if (output.isJson) {
      output.json({ schema: 'mooring/patient-grants/v1', items: opened.map(grantJson) })
    }
  })
}

// With several, each has the name of its hospital before the file's.
async function writeFiles(context: Context, file: string, opened: Opened[]): Promise<void> {
  for (const { entry } of opened) {
    const text = new TextDecoder().decode(entry.document)
    const name = opened.length === 1 ? file : `${entry.custodian}.${file}`
    await writeNew(context, name, text)
  }
}

export function addPatientGrant(group: Command, context: Context): void {
  const grants = group.command('grant').description('what you permit, and take back')
  addCreate(grants, context)
  addGrantList(grants, context)
  addGrantShow(grants, context)
  addGrantRevoke(grants, context)
  withHelp(grants, {
    examples: [
      'mooring patient grant create --to lakeview --type AllergyIntolerance --days 3',
      'mooring patient grant list',
      'mooring patient grant revoke 5f3a90',
    ],
    exits: [3, 4, 5, 6, 7, 8, 10],
  })
}
