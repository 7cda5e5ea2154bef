// Alarms: what an operator must act on, for as long as it lasts.

import type { Status } from '@mooring/api'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatAge, type Output } from '../output.ts'

type Alarm = Status['alarms'][number]

function formatAlarms(alarms: readonly Alarm[], output: Output, now: Date): string {
  if (alarms.length === 0) return output.good('No alarm is raised.')
  return alarms
    .map(({ code, mor, severity, detail, since, acknowledged }) => {
      const head = `${severity}  ${code} (${mor ?? '–'})  since ${formatAge(since, now)}`
      const noted = acknowledged === null ? '' : `\n  noted: ${acknowledged}`
      return `${output.bad(head)}\n  ${detail}${noted}`
    })
    .join('\n')
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list')).description('those that are raised now')
  withHelp(command, {
    examples: ['mooring alarm list', 'mooring alarm list --json'],
    exits: [4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { alarms } = await withNode(context, options, (client) => client.status())
    if (output.isJson) output.json({ schema: 'mooring/alarms/v1', items: alarms })
    else output.text(formatAlarms(alarms, output, context.now()))
  })
}

function addAck(group: Command, context: Context): void {
  const command = remote(group.command('ack'))
    .description('say that somebody has taken note of one; it stays raised while its cause does')
    .argument('<code>', 'of the alarm, as in "alarm list"')
    .option('--note <text>', 'for the others: who does what about it')
  withHelp(command, {
    examples: [
      'mooring alarm ack disk_low --note "disk ordered, arrives Thursday"',
      'mooring alarm ack authorities_missing',
    ],
    exits: [4, 5, 6],
  })
  command.action(async (code: string) => {
    const options = command.optsWithGlobals<RemoteOptions & { note?: string }>()
    const output = createOutput(context, options)
    const noted = await withNode(context, options, ({ admin }) =>
      admin.seeing.acknowledge(code, options.note ?? ''),
    )
    if (output.isJson) output.json({ schema: 'mooring/alarm-ack/v1', ...noted })
    else output.text(`noted: ${noted.code}${noted.again ? ' (again)' : ''}`)
  })
}

export function addAlarm(program: Command, context: Context): void {
  const group = program.command('alarm').description('what an operator must act on')
  addList(group, context)
  addAck(group, context)
  withHelp(group, {
    examples: ['mooring alarm list', 'mooring alarm ack disk_low'],
    exits: [4, 5, 6],
  })
}
