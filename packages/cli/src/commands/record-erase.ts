// What a custodian does about records that are to go, to stay, or to be corrected.

import type { Erasure } from '@mooring/api'
import { ERASURE_REASONS } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { printAmendments, printErasure, printErasures } from '../erasure-text.ts'
import { createOutput } from '../output.ts'
import { upTo } from '../pages.ts'

const ID = 'of the record'
const NAME_ONE = 'Name a --reason, or --withdraw.'
const ERASURES_MAX = 100_000

type EraseOptions = RemoteOptions & { reason?: Erasure['reason']; withdraw?: boolean }

function addErase(group: Command, context: Context): void {
  const command = remote(group.command('erase'))
    .description('erase a record here and at all holders, for good')
    .argument('<id>', ID)
    .addOption(
      new Option('--reason <code>', 'why; it stands on the chain').choices([...ERASURE_REASONS]),
    )
    .option('--withdraw', 'the patient wants it kept after all: grants open it again')
  withHelp(command, {
    examples: [
      'mooring record erase <id> --reason entered_in_error',
      'mooring record erase <id> --reason patient_request',
      'mooring record erase <id> --withdraw',
    ],
    exits: [4, 6, 7],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<EraseOptions>()
    const output = createOutput(context, options)
    const { reason, withdraw } = options
    if ((reason === undefined) === (withdraw === undefined))
      throw new NodeError('usage', { detail: NAME_ONE, command: 'record erase ' })
    const erasure = await withNode(context, options, (client) =>
      reason === undefined
        ? client.withdrawErasure(id)
        : waitingFor(output.note, 'the tombstone', client.eraseRecord(id, reason)),
    )
    printErasure(output, erasure)
  })
}

function addErasures(group: Command, context: Context): void {
  const command = remote(group.command('erasures'))
    .description('what is erased or restricted, and who has signed that it is gone')
    .argument('[id]', 'only of this record')
  withHelp(command, {
    examples: ['mooring record erasures', 'mooring record erasures <id> --json'],
    exits: [4, 6],
  })
  command.action(async (id?: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    if (id !== undefined) {
      printErasure(output, await withNode(context, options, (client) => client.erasure(id)))
      return
    }
    const items = await withNode(context, options, (client) =>
      upTo(ERASURES_MAX, (page) => client.erasures(page)),
    )
    printErasures(output, items)
  })
}

function addHold(group: Command, context: Context): void {
  const command = remote(group.command('hold'))
    .description('a legal hold: nobody erases this record')
    .argument('<id>', ID)
    .requiredOption('--reason <text>', 'which court or inquiry')
  withHelp(command, {
    examples: [
      'mooring record hold <id> --reason "inquiry 7/2026"',
      'mooring record hold <id> --reason "district court, 12 C 4/26" --json',
    ],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions & { reason: string }>()
    const output = createOutput(context, options)
    const hold = await withNode(context, options, (client) => client.holdRecord(id, options.reason))
    if (output.isJson) output.json({ schema: 'mooring/legal-hold/v1', ...hold })
    else output.text(`held since ${hold.since}: ${hold.reason}`)
  })
}

function addRelease(group: Command, context: Context): void {
  const command = remote(group.command('release'))
    .description('end a legal hold; what the patient asked for meanwhile is judged anew')
    .argument('<id>', ID)
  withHelp(command, {
    examples: ['mooring record release <id>', 'mooring record release <id> --json'],
    exits: [4, 6, 7],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { erasure, ...released } = await withNode(context, options, (client) =>
      waitingFor(output.note, 'the release', client.releaseRecord(id)),
    )
    if (output.isJson) {
      output.json({ schema: 'mooring/released/v1', ...released, erasure })
      return
    }
    output.note('the record is not held any more')
    if (erasure !== null) printErasure(output, erasure)
  })
}

function addAmendments(group: Command, context: Context): void {
  const amendments = group
    .command('amendments')
    .description('what patients want corrected in their records')
  const list = remote(amendments.command('list'))
    .description('requests without an answer, oldest first')
    .option('--all', 'also those that are answered')
  withHelp(list, {
    examples: ['mooring record amendments list', 'mooring record amendments list --all'],
    exits: [4],
  })
  list.action(async () => {
    const options = list.optsWithGlobals<RemoteOptions & { all?: boolean }>()
    const all = options.all === true
    const { items } = await withNode(context, options, (client) => client.amendments({ all }))
    printAmendments(createOutput(context, options), items)
  })
  for (const [name, outcome] of [
    ['accept', 'accepted'],
    ['refuse', 'refused'],
  ] as const) {
    const command = remote(amendments.command(name))
      .description(`${name} a request; the patient sees the reason`)
      .argument('<request>', 'its id')
      .requiredOption('--reason <text>', 'why, or how')
    if (outcome === 'accepted') {
      command.option('--with <id>', 'record that corrects it, submitted before')
    }
    withHelp(command, {
      examples: [
        `mooring record amendments ${name} <request> --reason "…"`,
        outcome === 'accepted'
          ? 'mooring record amendments accept <request> --reason "…" --with <id>'
          : 'mooring record amendments refuse <request> --reason "It is right." --json',
      ],
      exits: [4, 6, 7],
    })
    command.action(async (id: string) => {
      const options = command.optsWithGlobals<RemoteOptions & { reason: string; with?: string }>()
      const { reason, with: correction } = options
      const answer = { outcome, reason, ...(correction === undefined ? {} : { correction }) }
      const answered = await withNode(context, options, (client) =>
        client.answerAmendment(id, answer),
      )
      printAmendments(createOutput(context, options), [answered])
    })
  }
  withHelp(amendments, {
    examples: [
      'mooring record amendments list',
      'mooring record amendments refuse <request> --reason "It is right."',
    ],
    exits: [4, 6, 7],
  })
}

export function addErasing(group: Command, context: Context): void {
  addErase(group, context)
  addErasures(group, context)
  addHold(group, context)
  addRelease(group, context)
  addAmendments(group, context)
}
