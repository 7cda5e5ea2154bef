// The desk of a hospital: a ticket for a patient whose identity was checked.

import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput } from '../output.ts'
import { isQrWanted, terminalQr } from '../qr.ts'

type CreateOptions = RemoteOptions & {
  patient: string
  address?: string
  new?: boolean
  qr?: boolean
}

function addCreate(group: Command, context: Context): void {
  const command = remote(group.command('create'))
    .description('a ticket that binds one wallet to a patient, once, within minutes')
    .requiredOption('--patient <reference>', 'whose: Patient/4711, or 4711')
    .option('--address <url>', 'where wallets reach this hospital (the endpoint that is asked)')
    .option('--new', 'somebody of whom no record has come in yet')
    .option('--qr', 'a code to scan, also where stdout is no terminal')
    .option('--no-qr', 'the text alone')
  withHelp(command, {
    examples: [
      'mooring enrolment create --patient Patient/4711',
      'mooring enrolment create --patient Patient/4712 --new',
      'mooring enrolment create --patient 4711 --address https://wallets.riverside.example',
    ],
    exits: [2, 4, 6, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<CreateOptions>()
    const output = createOutput(context, options)
    const { ticket, expiresAt } = await withNode(context, options, (client, { url, web }) => {
      const { patient, address = web, new: isNew } = options
      if (address === null) {
        const detail = `say where wallets reach ${url}: --address <url>`
        throw new NodeError('usage', { detail, command: 'enrolment create ' })
      }
      const work = client.createEnrolment({
        patient,
        endpoint: address,
        ...(isNew === true && { isNew }),
      })
      return waitingFor(output.note, 'the ticket', work)
    })
    if (output.isJson) {
      output.json({ schema: 'mooring/ticket/v1', ticket, expiresAt })
      return
    }
    const code = isQrWanted(context, options) ? terminalQr(context, ticket, options) : undefined
    if (code !== undefined) output.text(code)
    output.text(ticket)
    output.note(`good once, until ${expiresAt}, for whoever has it: hand it to the patient alone`)
  })
}

export function addEnrolment(program: Command, context: Context): void {
  const group = program
    .command('enrolment')
    .description('at the desk: let a patient whose identity was checked use a wallet')
  addCreate(group, context)
  withHelp(group, {
    examples: [
      'mooring enrolment create --patient Patient/4711',
      'mooring enrolment create --patient Patient/4712 --new',
    ],
    exits: [4, 6, 7],
  })
}
