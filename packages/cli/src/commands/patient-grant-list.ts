// What the wallet has given: as it knows it, or as the hospitals say.

import { toHex } from '@mooring/codec'
import type { Wallet } from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { grantsKeptAt } from '../known-grants.ts'
import { formatGrantWords, stateOf, wordsOf } from '../grant-words.ts'
import { createOutput, formatTable, formatTime } from '../output.ts'
import { withHospital } from '../patient-client.ts'
import { findGrant, grantsOf, type OwnGrant } from '../patient-grants.ts'
import { grantJson, tellOffer } from '../tell-grant.ts'
import { readWallet, type WalletOptions } from '../wallet-session.ts'

type ListOptions = RemoteOptions & WalletOptions & { all?: boolean; ask?: boolean }

const OVER = new Set(['expired', 'revoked'])

type Row = OwnGrant & { state: string }

// What the hospitals of these grants say of them, by handle.
async function askStates(
  context: Context,
  wallet: Wallet,
  known: readonly OwnGrant[],
  options: ListOptions,
): Promise<Map<string, string>> {
  const custodians = new Set(known.map(({ entry }) => entry.custodian))
  const asked = wallet.hospitals.filter(({ organisation }) => custodians.has(organisation))
  const states = new Map<string, string>()
  for (const hospital of asked) {
    const kept = await withHospital(context, { wallet, hospital }, options, grantsKeptAt)
    for (const { handle, status } of kept) states.set(handle, status)
  }
  return states
}

function rowJson({ entry, grant, state }: Row): object {
  if (grant !== null) return { ...grantJson({ grant, height: null }), state }
  const { handle, custodian, recipient, expiresAt } = entry
  const names = { id: null, handle: toHex(handle), custodian, recipient }
  return { ...names, expiresAt: formatTime(expiresAt), offer: null, state }
}

function formatRows(rows: readonly Row[]): string {
  return formatTable(rows, [
    { title: 'GRANT', value: ({ entry, grant }) => toHex(grant?.id ?? entry.handle).slice(0, 8) },
    { title: 'OF', value: ({ entry }) => entry.custodian },
    { title: 'TO', value: ({ entry }) => entry.recipient },
    { title: 'FOR', value: ({ grant }) => grant?.purposes.join(',') ?? '' },
    { title: 'UNTIL', value: ({ entry }) => formatTime(entry.expiresAt).slice(0, 16) },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'WHAT', value: ({ grant }) => (grant === null ? '' : wordsOf(grant.consent.root)) },
  ])
}

export function addGrantList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('the grants of the wallet, newest first')
    .option('--all', 'with those that are over')
    .option('--ask', 'ask the hospitals whether each is in force')
  withHelp(command, {
    examples: ['mooring patient grant list', 'mooring patient grant list --all --ask --json'],
    exits: [3, 4, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ListOptions>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    const now = context.now().getTime()
    const known = grantsOf(wallet)
    const work = options.ask === true ? askStates(context, wallet, known, options) : undefined
    const asked = work && (await waitingFor(output.note, 'the hospitals', work))
    const rows = known
      .map((each) => ({
        ...each,
        state: asked?.get(toHex(each.entry.handle)) ?? stateOf(each.entry, now),
      }))
      .filter(({ state }) => options.all === true || !OVER.has(state))
    if (output.isJson) {
      output.json({ schema: 'mooring/patient-grants/v1', items: rows.map(rowJson) })
      return
    }
    if (rows.length > 0) output.text(formatRows(rows))
    else output.note(known.length === 0 ? 'no grants yet' : 'none in force; --all shows the others')
  })
}

export function addGrantShow(group: Command, context: Context): void {
  const command = group
    .command('show')
    .description('one grant in words, and its offer')
    .argument('<grant>', 'the beginning of its id or handle')
    .option('--qr', 'show the offer as a code too; on a terminal it is')
    .option('--no-qr', 'only as a line')
  withHelp(command, {
    examples: ['mooring patient grant show 5f3a90', 'mooring patient grant show 5f3a90 --json'],
    exits: [3, 5, 6, 8],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<WalletOptions & { qr?: boolean }>()
    const output = createOutput(context, options)
    const found = findGrant(grantsOf(await readWallet(context, options)), id)
    const state = stateOf(found.entry, context.now().getTime())
    const { grant } = found
    if (grant === null) {
      if (output.isJson)
        output.json({ schema: 'mooring/patient-grant/v1', ...rowJson({ ...found, state }) })
      else output.text(formatRows([{ ...found, state }]))
      return
    }
    if (output.isJson) {
      const resource: unknown = JSON.parse(consentText(grant.signed.jws))
      const shown = { ...grantJson({ grant, height: null }), state, resource }
      output.json({ schema: 'mooring/patient-grant/v1', ...shown })
      return
    }
    output.note(formatGrantWords(grant, [['state', state]]))
    tellOffer(context, output, options, grant)
  })
}

function consentText(jws: string): string {
  return Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')
}
