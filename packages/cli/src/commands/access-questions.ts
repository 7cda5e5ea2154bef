// What patients ask a hospital about accesses, what it answers, and what it accounts for.

import type { Accounting, Question } from '@mooring/api'
import { type Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatTable, type Output, shortDigest } from '../output.ts'

function addList(group: Command, context: Context): void {
  const command = remote(group.command('questions'))
    .description('what patients ask about accesses to their records')
    .option('--open', 'only what is not answered yet')
  withHelp(command, {
    examples: ['mooring access questions --open', 'mooring access questions --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { open?: boolean }>()
    const output = createOutput(context, options)
    const { items } = await withNode(context, options, (client) =>
      client.questions({ open: options.open === true }),
    )
    if (output.isJson) output.json({ schema: 'mooring/access-questions/v1', items })
    else if (items.length === 0) output.text('no patient has asked')
    else output.text(items.map(blockOf).join('\n\n'))
  })
}

function blockOf({ id, patient, access, reader, question, askedAt, by, answer }: Question): string {
  const who = `patient ${patient ?? '–'}${by === null ? '' : `, through ${by}`}`
  const about = `access ${shortDigest(access)} of ${reader ?? 'an unknown reader'}`
  const said = answer === null ? 'open' : `answered: ${JSON.stringify(answer)}`
  return `${id}  ${askedAt}\n  ${who}, about ${about}\n  ${JSON.stringify(question)}\n  ${said}`
}

function addAnswer(group: Command, context: Context): void {
  const command = remote(group.command('answer'))
    .description('answer a question of a patient, once')
    .argument('<question>', 'its id')
    .argument('<text>', 'the answer, which the patient reads as it is')
  withHelp(command, {
    examples: [
      'mooring access answer <question> "You were brought in unconscious."',
      'mooring access answer <question> "A colleague asked for advice." --json',
    ],
    exits: [4, 6, 7],
  })
  command.action(async (id: string, text: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const answered = await withNode(context, options, (client) => client.answerQuestion(id, text))
    if (output.isJson) output.json({ schema: 'mooring/question/v1', ...answered })
    else output.text(blockOf(answered))
  })
}

function addAccounting(group: Command, context: Context): void {
  const command = remote(group.command('accounting'))
    .description('what records of a patient were disclosed to other organisations')
    .requiredOption('--patient <reference>', 'whose: Patient/4711, or 4711')
  withHelp(command, {
    examples: [
      'mooring access accounting --patient Patient/4711',
      'mooring access accounting --patient 4711 --json > accounting.json',
    ],
    exits: [4, 6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { patient: string }>()
    const output = createOutput(context, options)
    const accounting = await withNode(context, options, (client) =>
      waitingFor(output.note, 'the holders', client.accounting(options.patient)),
    )
    if (output.isJson) output.json({ schema: 'mooring/accounting/v1', ...accounting })
    else printAccounting(accounting, output)
  })
}

function printAccounting({ items, silent }: Accounting, output: Output): void {
  if (items.length === 0) output.text('nothing was disclosed to others')
  else {
    output.text(
      formatTable(items, [
        { title: 'when', value: ({ time }) => time },
        { title: 'to', value: ({ recipient }) => recipient },
        { title: 'why', value: ({ purpose }) => purpose },
        { title: 'what', value: (item) => whatText(item) },
        { title: 'grant', value: ({ grant }) => (grant === null ? '–' : shortDigest(grant)) },
        { title: 'attested by', value: ({ holders }) => holders.join(', ') },
        { title: 'entry', value: ({ access }) => shortDigest(access) },
      ]),
    )
  }
  for (const member of silent) output.note(`${member} did not answer: its lines may be missing`)
}

function whatText({ purpose, records, unknown }: Accounting['items'][number]): string {
  if (purpose === 'BTG' && records.length + unknown === 0) return 'the emergency summary'
  const counts = new Map<string, number>()
  for (const { resourceType, class: recordClass } of records) {
    const name = resourceType ?? recordClass
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  if (unknown > 0) counts.set('not kept any more', unknown)
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).join(', ')
}

export function addQuestions(group: Command, context: Context): void {
  addList(group, context)
  addAnswer(group, context)
  addAccounting(group, context)
}
