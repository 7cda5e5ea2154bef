// The access log of a patient: who looked, why, and what is missing; questions about it; and as FHIR.

import type { Question } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  type AuditBundleOf,
  formatAuditBundle,
  viewAccessLog,
  type Wallet,
  type WalletHospital,
} from '@mooring/records'
import type { Command } from 'commander'
import { toldAccesses } from '../access-lines.ts'
import { type HospitalLog, logDocument, printAccessLog, questionText } from '../access-text.ts'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { writeNew } from '../grant-file.ts'
import { createOutput } from '../output.ts'
import { chosenHospital, chosenHospitals, withHospital } from '../patient-client.ts'
import { readWallet, type WalletOptions } from '../wallet-session.ts'

type Options = RemoteOptions & WalletOptions & { hospital?: string; export?: string }
type FoundLog = HospitalLog & { audit: AuditBundleOf }

function logAt(
  context: Context,
  { wallet, hospital }: { wallet: Wallet; hospital: WalletHospital },
  options: Options,
): Promise<FoundLog> {
  return withHospital(context, { wallet, hospital }, options, async (client) => {
    const { accesses, silent } = await toldAccesses(client, { wallet, hospital })
    const { items: questions } = await client.ownQuestions()
    const { notices: emergencies } = await client.ownEmergencyStatus()
    const { organisation, patientKey } = hospital
    const { lines, gaps } = viewAccessLog(accesses, context.now().getTime())
    const audit = { custodian: organisation, patientKey, accesses }
    return { organisation, lines, gaps, silent, questions, emergencies, audit }
  })
}

async function logsOf(
  context: Context,
  wallet: Wallet,
  options: Options,
): Promise<{ logs: FoundLog[]; away: { organisation: string; error: Error }[] }> {
  const { note } = createOutput(context, options)
  const hospitals = chosenHospitals(wallet, options.hospital, options)
  const logs: FoundLog[] = []
  const away: { organisation: string; error: Error }[] = []
  for (const hospital of hospitals) {
    const { organisation } = hospital
    try {
      const work = logAt(context, { wallet, hospital }, options)
      logs.push(await waitingFor(note, `the holders of ${organisation}`, work))
    } catch (error) {
      // Others are shown all the same, and this one is named.
      if (!(error instanceof Error) || hospitals.length === 1) throw error
      away.push({ organisation, error })
    }
  }
  const [first] = away
  if (logs.length === 0 && first !== undefined) throw first.error
  return { logs, away }
}

function addAccess(group: Command, context: Context): void {
  const command = remote(group.command('access'))
    .description('who looked at records of yours, why, and what is missing in the log')
    .option('--hospital <organisation>', 'only about what is there')
    .option('--export <file>', 'as FHIR AuditEvents (IHE BALP)')
  withHelp(command, {
    examples: [
      'mooring patient access',
      'mooring patient access --hospital riverside --json',
      'mooring patient access --export log.json',
    ],
    exits: [4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    const { logs, away } = await logsOf(context, wallet, options)
    if (output.isJson) {
      const hospitals = logs.map(logDocument)
      const silent = away.map(({ organisation }) => organisation)
      output.json({ schema: 'mooring/patient-access/v1', hospitals, away: silent })
    } else printAccessLog(logs, output)
    for (const { organisation, error } of away)
      output.note(output.bad(`${organisation} is not in it: ${error.message}`))
    if (options.export === undefined) return
    const at = context.now().getTime()
    await writeNew(
      context,
      options.export,
      formatAuditBundle(
        logs.map(({ audit }) => audit),
        at,
      ),
    )
    output.note(`the log is in ${options.export}`)
  })
}

type Named = { organisation: string; id: string }

// By the beginning of its name, at one hospital or at whichever has it.
function named(word: string, logs: readonly FoundLog[]): Named {
  const wanted = word.toLowerCase()
  const found = new Map<string, Named>()
  for (const { organisation, lines } of logs) {
    for (const { ids } of lines) {
      for (const id of ids.map(toHex)) {
        if (id.startsWith(wanted)) found.set(id, { organisation, id })
      }
    }
  }
  const [first] = found.values()
  const organisation = logs.map((log) => log.organisation).join(', ')
  if (first === undefined || !/^[0-9a-f]+$/.test(wanted))
    throw new NodeError('access_unknown', { word, organisation })
  if (found.size > 1) throw new NodeError('access_ambiguous', { word, count: found.size })
  return first
}

function addAsk(group: Command, context: Context): void {
  const command = remote(group.command('ask'))
    .description('ask a hospital why an access was made')
    .argument('<entry>', 'of the access log, or the beginning of it')
    .argument('<question>', 'what you want to know')
    .option('--hospital <organisation>', 'whose log has it')
  withHelp(command, {
    examples: [
      'mooring patient ask 3f9a2c "Why was this read at night?"',
      'mooring patient ask 3f9a2c "Who is Dr. Weber?" --json',
    ],
    exits: [4, 5, 6, 7, 8, 10],
  })
  command.action(async (word: string, question: string) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    const { logs } = await logsOf(context, wallet, options)
    const { organisation, id } = named(word, logs)
    const hospital = chosenHospital(wallet, organisation, options)
    const asked = await withHospital(context, { wallet, hospital }, options, (client) =>
      client.askQuestion({ access: id, question }),
    )
    if (output.isJson) output.json({ schema: 'mooring/question/v1', organisation, ...asked })
    else output.text(`${organisation} was asked; see the answer with: mooring patient questions`)
  })
}

function addQuestions(group: Command, context: Context): void {
  const command = remote(group.command('questions'))
    .description('what you asked about accesses, and what was answered')
    .option('--hospital <organisation>', 'only what it was asked')
  withHelp(command, {
    examples: ['mooring patient questions', 'mooring patient questions --json'],
    exits: [4, 5, 6, 7, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    const all: (Question & { organisation: string })[] = []
    for (const hospital of chosenHospitals(wallet, options.hospital, options)) {
      const { organisation } = hospital
      const { items } = await withHospital(context, { wallet, hospital }, options, (client) =>
        client.ownQuestions(),
      )
      all.push(...items.map((item) => ({ ...item, organisation })))
    }
    if (output.isJson) output.json({ schema: 'mooring/questions/v1', items: all })
    else if (all.length === 0) output.text('you have asked nothing')
    else output.text(all.map((each) => `${each.organisation}  ${questionText(each)}`).join('\n'))
  })
}

export function addPatientAccess(group: Command, context: Context): void {
  addAccess(group, context)
  addAsk(group, context)
  addQuestions(group, context)
}
