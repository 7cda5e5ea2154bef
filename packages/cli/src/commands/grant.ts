// Grants: who else may read, what of it, what for, and until when. Signed at the custodian with the key
// that it hosts for the patient.

import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  isPurpose,
  isRecordClass,
  parseGrant,
  readGrant as readSigned,
  verifyGrant,
} from '@mooring/records'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { formatGrantFields, readGrant, writeNew } from '../grant-file.ts'
import { createOutput } from '../output.ts'
import { addGrantAccept } from './grant-accept.ts'
import { addGrantList, addGrantRevoke } from './grant-kept.ts'

type CreateOptions = RemoteOptions & {
  patient: string
  to: string
  class: string[]
  purpose: string[]
  days: number
  output?: string
}

const DAY_MS = 86_400_000
const DAYS_MAX = 365

const usage = (detail: string) => new NodeError('usage', { detail, command: 'grant create ' })

function check({ class: classes, purpose: purposes, days }: CreateOptions): void {
  for (const name of classes) {
    if (isRecordClass(name)) continue
    const known = 'emergency, general, imaging, stream, research, sensitive:<kind>'
    throw usage(`"${name}" is no class of records. Classes: ${known}.`)
  }
  for (const code of purposes) {
    if (isPurpose(code)) continue
    throw usage(`"${code}" is no purpose of v3-ActReason. For example: TREAT, HPAYMT, HRESCH.`)
  }
  if (days < 1 || days > DAYS_MAX) throw usage(`A grant holds for 1 to ${DAYS_MAX} days.`)
}

function addCreate(group: Command, context: Context): void {
  const command = remote(group.command('create'))
    .description('let another hospital read records of a patient of this node')
    .requiredOption(
      '--patient <reference>',
      'whose records: Patient/4711, or 4711; "" for no patient',
    )
    .requiredOption('--to <organisation>', 'who may read')
    .option('--class <classes...>', 'which of them (general)')
    .option('--purpose <codes...>', 'what for, as codes of v3-ActReason (TREAT)')
    .addOption(
      new Option('--days <count>', 'for how long').argParser(countArgument).default(30, '30'),
    )
    .option('-o, --output <file>', 'write it there instead of stdout')
  withHelp(command, {
    examples: [
      'mooring grant create --patient Patient/4711 --to riverside -o grant.json',
      'mooring grant create --patient 4711 --to lakeview --class imaging --days 7',
    ],
    exits: [4, 6, 7],
  })
  command.action(async () => {
    const given = command.optsWithGlobals<CreateOptions>()
    const options = {
      ...given,
      class: given.class ?? ['general'],
      purpose: given.purpose ?? ['TREAT'],
    }
    check(options)
    const output = createOutput(context, options)
    const { patient, to: recipient, class: classes, purpose: purposes, output: file } = options
    const expiresAt = new Date(context.now().getTime() + options.days * DAY_MS).toISOString()
    const text = await withNode(context, options, (client) => {
      const work = client.createGrant({ patient, recipient, classes, purposes, expiresAt })
      return waitingFor(output.note, 'the grant', work)
    })
    if (file === undefined) {
      output.text(text)
      return
    }
    await writeNew(context, file, text)
    const grant = readSigned(parseGrant(text))
    if (output.isJson) {
      const id = toHex(grant.id)
      output.json({ schema: 'mooring/grant-file/v1', id, file, recipient, expiresAt })
    } else output.note(`grant for ${recipient} until ${expiresAt} written to ${file}`)
  })
}

function addShow(group: Command, context: Context): void {
  const command = group
    .command('show')
    .description('what a grant file says, and whether its signature holds')
    .argument('<file>', 'grant file, - for stdin')
  withHelp(command, {
    examples: ['mooring grant show grant.json', 'mooring grant show grant.json --json'],
    exits: [6, 8],
  })
  command.action(async (path: string) => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, options)
    const file = await readGrant(context, path)
    if (!verifyGrant(file.grant)) {
      const rows = formatGrantFields(file, context.now()).split('\n')
      throw new NodeError('grant_not_signed', { path }, { rows })
    }
    if (output.isJson) output.json({ schema: 'mooring/grant/v1', ...JSON.parse(file.text) })
    else output.text(formatGrantFields(file, context.now()))
  })
}

export function addGrant(program: Command, context: Context): void {
  const group = program.command('grant').description('who else may read, what for, and how long')
  addCreate(group, context)
  addGrantAccept(group, context)
  addShow(group, context)
  addGrantList(group, context)
  addGrantRevoke(group, context)
  withHelp(group, {
    examples: ['mooring grant create --patient Patient/4711 --to riverside -o grant.json'],
    exits: [4, 6, 7, 8],
  })
}
