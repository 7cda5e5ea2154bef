// Who belongs to the network, and how that came about.

import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { formatEpochs, formatMember, formatMembers } from '../change-text.ts'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput } from '../output.ts'

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list')).description(
    'its organisations: role, connection, height',
  )
  withHelp(command, {
    examples: ['mooring member list', 'mooring member list --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { items } = await withNode(context, options, (client) => client.members())
    if (output.isJson) output.json({ schema: 'mooring/members/v1', items })
    else output.text(formatMembers(items))
  })
}

function addShow(group: Command, context: Context): void {
  const command = remote(group.command('show'))
    .description('one organisation, with its keys by duty')
    .argument('<organisation>', 'its id')
  withHelp(command, {
    examples: ['mooring member show st-mary', 'mooring member show st-mary --json'],
    exits: [4, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { items } = await withNode(context, options, (client) => client.members())
    const member = items.find((each) => each.id === id)
    if (member === undefined) throw new NodeError('member_unknown', { organisation: id })
    if (output.isJson) output.json({ schema: 'mooring/member/v1', ...member })
    else output.text(formatMember(member))
  })
}

function addHistory(group: Command, context: Context): void {
  const command = remote(group.command('history')).description(
    'epochs, newest first, and the change that ended each',
  )
  withHelp(command, {
    examples: ['mooring member history', 'mooring member history --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const { items } = await withNode(context, options, (client) => client.epochs())
    if (output.isJson) output.json({ schema: 'mooring/epochs/v1', items })
    else output.text(formatEpochs(items))
  })
}

export function addMember(program: Command, context: Context): void {
  const group = program.command('member').description('the organisations of the network')
  addList(group, context)
  addShow(group, context)
  addHistory(group, context)
  withHelp(group, { examples: ['mooring member list'], exits: [4, 6] })
}
