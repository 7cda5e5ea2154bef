// `emergency open`: the card, a credential with the emergency right, a reason. The trace is on the chain before
// any trustee gives its share, and what is shown was put together here.

import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import { readSummary } from '@mooring/records'
import { type Command, Option } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import {
  networkOf,
  openWithCard,
  type Presenter,
  presentOffline,
  readCard,
} from '../emergency-opening.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatTime, type Output } from '../output.ts'
import { readCredentialFile, readPractitionerFile } from '../practitioner-file.ts'
import { credentialIn } from './practitioner.ts'

interface OpenOptions extends RemoteOptions {
  reason?: string
  credential?: string[]
  key?: string[]
  output?: string
  offline?: string
}

const collect = (value: string, before: string[] = []): string[] => [...before, value]

export function addEmergencyOpen(group: Command, context: Context): void {
  const command = remote(group.command('open'))
    .description("open a patient's emergency set; the patient is told at once")
    .argument('[card]', 'as it stands under the code: mooring-emergency:1:…, a file, or -')
    .option('--reason <code>', 'unconscious, life-threatening, cannot-consent, disaster')
    .addOption(
      new Option('--credential <file>', 'of the practitioner; twice with --offline').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--key <file>', 'of the practitioner, in the order of the credentials').argParser(
        collect,
      ),
    )
    .option('--output <file>', 'write the FHIR Bundle there as well')
    .option('--offline <patient>', 'without the network: a patient of this hospital')
  withHelp(command, {
    examples: [
      'mooring emergency open <card> --reason unconscious --credential ada.credential --key ada.key',
      'mooring emergency open --offline 4711 --reason disaster --credential a --key b --credential c --key d',
    ],
    exits: [4, 5, 6, 7, 8, 13],
  })
  command.action(async (card: string | undefined) => {
    const options = command.optsWithGlobals<OpenOptions>()
    const output = createOutput(context, options)
    const presenters = await presentersOf(context, options)
    if (options.offline !== undefined) {
      await openOffline(context, options, { presenters, patient: options.offline, output })
      return
    }
    const [presenter] = presenters
    if (card === undefined || presenter === undefined) {
      const detail = 'A card, --credential and --key are needed.'
      throw new NodeError('usage', { detail, command: 'emergency open ' })
    }
    await openSet(context, options, { card, presenter, output })
  })
}

async function presentersOf(
  context: Context,
  { credential = [], key = [] }: OpenOptions,
): Promise<Presenter[]> {
  if (credential.length !== key.length) {
    const detail = 'Each --credential needs the --key that it was issued for.'
    throw new NodeError('usage', { detail, command: 'emergency open ' })
  }
  const presenters: Presenter[] = []
  for (const [at, path] of credential.entries()) {
    const text = await readCredentialFile(context, path)
    const { organisation } = credentialIn(path, text)
    const keyPair = await readPractitionerFile(context, key[at] ?? '')
    presenters.push({ organisation, credential: text, keyPair })
  }
  return presenters
}

async function openSet(
  context: Context,
  options: OpenOptions,
  { card: word, presenter, output }: { card: string; presenter: Presenter; output: Output },
): Promise<void> {
  const card = await readCard(context, word)
  const begun = performance.now()
  const { opened, bundle, liars, madeAt } = await withNode(
    context,
    options,
    async (client, { url }) => {
      const network = await networkOf(client, url, card)
      const { reason = '' } = options
      const now = context.now().getTime()
      const work = openWithCard(client, { card, presenter, reason, network, now })
      return waitingFor(output.note, 'a final block and the trustees', work)
    },
  )
  const ms = Math.round(performance.now() - begun)
  await keep(context, options, bundle)
  const { requestId, height, endsAt, shares, refused } = opened
  if (output.isJson) {
    const trustees = shares.map(({ organisation }) => organisation)
    const document = { requestId, height, endsAt, trustees, refused, liars: [...liars], ms }
    const summary = readSummary(bundle)
    output.json({ schema: 'mooring/emergency-opened/v1', ...document, summary })
    return
  }
  output.text(summaryText(bundle))
  output.note(`deposited ${formatTime(madeAt)}; opened in ${ms} ms, block ${height}`)
  for (const { organisation, code } of refused)
    output.note(`${organisation} gave no share: ${code}`)
  for (const liar of liars) output.note(`${liar} gave a share that is not of this set: report it`)
  output.note(`access ends ${endsAt}; the patient is told. Give the reason within three days:`)
  output.note(`mooring emergency close ${requestId} --why "…"`)
}

async function openOffline(
  context: Context,
  options: OpenOptions,
  {
    presenters,
    patient,
    output,
  }: { presenters: readonly Presenter[]; patient: string; output: Output },
): Promise<void> {
  const requestId = new Uint8Array(randomBytes(32))
  const { reason = '' } = options
  const { summary, number } = await withNode(context, options, async (client, { url }) => {
    const network = await networkOf(client, url)
    const asked = { requestId, patient, reason }
    const now = context.now().getTime()
    const presentations = presentOffline(presenters, asked, { network, now })
    const parts = { requestId: toHex(requestId), patient, reason, presentations }
    return client.openOfflineEmergency(parts)
  })
  const bundle = new TextEncoder().encode(summary)
  await keep(context, options, bundle)
  if (output.isJson) {
    const document = { requestId: toHex(requestId), number, summary: readSummary(bundle) }
    output.json({ schema: 'mooring/emergency-offline/v1', ...document })
    return
  }
  output.text(summaryText(bundle))
  output.note(`line ${number} of the local log, which goes on the chain when the network is back`)
}

async function keep(
  context: Context,
  { output: path }: OpenOptions,
  bundle: Uint8Array,
): Promise<void> {
  if (path === undefined) return
  await writeFile(resolve(context.cwd, path), bundle, { mode: 0o600 })
}

function summaryText(bundle: Uint8Array): string {
  return readSummary(bundle)
    .map(({ section, lines }) => {
      const shown = lines.length === 0 ? ['nothing known to those who made the set'] : lines
      return [section.toUpperCase(), ...shown.map((line) => `  ${line}`)].join('\n')
    })
    .join('\n')
}
