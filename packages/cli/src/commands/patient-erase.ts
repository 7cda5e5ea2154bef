// What a patient wants gone from a hospital, or put right there.

import type { Client } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { printAmendments, printErasure, printErasures } from '../erasure-text.ts'
import { createOutput } from '../output.ts'
import { chosenHospital, withHospital } from '../patient-client.ts'
import { readWallet, type WalletOptions } from '../wallet-session.ts'

type PlaceOptions = RemoteOptions & WalletOptions & { at?: string }
type EraseOptions = PlaceOptions & { withdraw?: boolean; list?: boolean }
type AmendOptions = PlaceOptions & { list?: boolean }

const EXITS = [3, 4, 5, 6, 7, 8, 10]

async function atHospital<T>(
  context: Context,
  options: PlaceOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const wallet = await readWallet(context, options)
  const hospital = chosenHospital(wallet, options.at, options)
  return withHospital(context, { wallet, hospital }, options, work)
}

const usage = (detail: string, command: string) => new NodeError('usage', { detail, command })

function addErase(group: Command, context: Context): void {
  const command = remote(group.command('erase'))
    .description('have a record erased; where the law keeps it, no grant opens it any more')
    .argument('[record]', 'its id')
    .option('--at <hospital>', 'where it is, if the wallet knows several')
    .option('--withdraw', 'keep it after all, and let grants open it again')
    .option('--list', 'what was erased or restricted')
  withHelp(command, {
    examples: [
      'mooring patient erase <record>',
      'mooring patient erase <record> --withdraw',
      'mooring patient erase --list',
    ],
    exits: EXITS,
  })
  command.action(async (record?: string) => {
    const options = command.optsWithGlobals<EraseOptions>()
    const output = createOutput(context, options)
    if (options.list === true) {
      const { items } = await atHospital(context, options, (client) => client.ownErasures())
      printErasures(output, items)
      return
    }
    if (record === undefined) throw usage('Name a record, or --list.', 'patient erase ')
    const erasure = await atHospital(context, options, (client) =>
      options.withdraw === true
        ? client.liftRestriction(record)
        : waitingFor(output.note, 'the tombstone', client.requestErasure(record)),
    )
    printErasure(output, erasure)
  })
}

function addAmend(group: Command, context: Context): void {
  const command = remote(group.command('amend'))
    .description('ask that a record be corrected, and see the answers')
    .argument('[record]', 'its id')
    .argument('[request]', 'what is wrong, and what would be right')
    .option('--at <hospital>', 'where it is, if the wallet knows several')
    .option('--list', 'what was asked, and the answers')
  withHelp(command, {
    examples: [
      'mooring patient amend <record> "The dose is 5 mg, not 50."',
      'mooring patient amend --list',
    ],
    exits: EXITS,
  })
  command.action(async (record?: string, request?: string) => {
    const options = command.optsWithGlobals<AmendOptions>()
    const output = createOutput(context, options)
    if (options.list === true) {
      const { items } = await atHospital(context, options, (client) => client.ownAmendments())
      printAmendments(output, items)
      return
    }
    if (record === undefined || request === undefined)
      throw usage('Name a record and say what is wrong with it, or --list.', 'patient amend ')
    const asked = await atHospital(context, options, (client) =>
      client.requestAmendment(record, request),
    )
    printAmendments(output, [asked])
  })
}

export function addPatientErase(group: Command, context: Context): void {
  addErase(group, context)
  addAmend(group, context)
}
