// The access log of a node: who asked for records, what for, and what came of it. Names of patients are not
// in it; with --open the custodian shows the audit events of patients whose keys it hosts.

import { ACCESS_OUTCOMES, type Access, type AccessOutcome } from '@mooring/api/access-answers'
import type { AccessFilter, Client } from '@mooring/api/client'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { type Column, createOutput, formatCount, formatTable, shortDigest } from '../output.ts'
import { upTo } from '../pages.ts'
import { addActs } from './access-acts.ts'
import { addQuestions } from './access-questions.ts'

interface ListOptions extends RemoteOptions {
  limit: number
  reader?: string
  custodian?: string
  outcome?: AccessOutcome
  open?: boolean
}

const COLUMNS: Column<Access>[] = [
  { title: 'time', value: ({ time }) => time },
  { title: 'reader', value: ({ organisation }) => organisation },
  { title: 'custodian', value: ({ custodian }) => custodian ?? '–' },
  { title: 'purpose', value: ({ purpose }) => purpose ?? '–' },
  { title: 'what happened', value: (access) => outcomeText(access) },
  { title: 'records', value: ({ records }) => formatCount(records), align: 'right' },
  { title: 'block', value: (access) => placeText(access), align: 'right' },
  { title: 'entry', value: ({ id }) => shortDigest(id) },
]

export function addAccess(program: Command, context: Context): void {
  const group = program.command('access').description('who asked for records, and what came of it')
  withHelp(group, {
    examples: ['mooring access list', 'mooring access list --outcome refused'],
    exits: [4],
  })
  addList(group, context)
  addActs(group, context)
  addQuestions(group, context)
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list'))
    .description('the access log of the node, newest first')
    .addOption(new Option('--limit <count>', 'how many').argParser(countArgument).default(50, '50'))
    .option('--reader <organisation>', 'only what this organisation asked')
    .option('--custodian <organisation>', 'only about records of this custodian')
    .addOption(new Option('--outcome <word>', 'only what came to this').choices(ACCESS_OUTCOMES))
    .option('--open', 'with the audit events of patients whose keys this custodian hosts')
  withHelp(command, {
    examples: [
      'mooring access list',
      'mooring access list --outcome refused',
      'mooring access list --custodian st-mary --open --json',
    ],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ListOptions>()
    const output = createOutput(context, options)
    const items = await withNode(context, options, (client) => newest(client, options))
    if (output.isJson) output.json({ schema: 'mooring/access-list/v1', items })
    else if (items.length === 0) output.text('nobody has asked for records here')
    else output.text([formatTable(items, COLUMNS), ...events(items)].join('\n\n'))
  })
}

function newest(client: Client, options: ListOptions): Promise<Access[]> {
  const { reader, custodian, outcome, open, limit } = options
  const filter: AccessFilter = {
    ...(reader !== undefined && { organisation: reader }),
    ...(custodian !== undefined && { custodian }),
    ...(outcome !== undefined && { outcome }),
    ...(open === true && { open }),
  }
  return upTo(limit, (page) => client.accessList({ ...filter, ...page }))
}

function outcomeText({ outcome, code, times }: Access): string {
  const how = code === null ? outcome : `${outcome} ${code}`
  return times > 1 ? `${how} × ${formatCount(times)}` : how
}

function placeText({ height, status }: Access): string {
  return height === null ? status : formatCount(height)
}

function events(items: readonly Access[]): string[] {
  return items.flatMap(({ id, event }) =>
    event === null ? [] : [`entry ${shortDigest(id)}\n${JSON.stringify(event, null, 2)}`],
  )
}
