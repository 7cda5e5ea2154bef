// Protocol versions: the one in force, the one to come, and who is ready for it.

import type { Change, Network } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import type { Command } from 'commander'
import { formatWaiting, shortId } from '../change-text.ts'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatFields } from '../output.ts'
import { addProtocol } from './change-propose.ts'

function formatReadiness({ acks, acksNeeded }: Change, { authorities }: Network): string {
  const away = authorities.filter((name) => !acks.includes(name))
  const rest = away.length === 0 ? '' : `, not yet ${away.join(', ')}`
  return `${acks.length}/${authorities.length} ready, ${acksNeeded} needed${rest}`
}

type Upgrade = { network: Network; open: Change[]; scheduled: Change | null; height: number }

function formatUpgrade({ network, open, scheduled, height }: Upgrade): string {
  const { protocolVersion, scheduledProtocol, softwareProtocol } = network
  const fields: [string, string][] = [
    ['in force', `v${protocolVersion}`],
    ['this node', `speaks up to v${softwareProtocol}`],
  ]
  if (scheduledProtocol !== null) {
    const { version, height: from, change } = scheduledProtocol
    fields.push([
      'scheduled',
      `v${version} at height ${from}, in ${Math.max(0, from - height)} blocks (change ${shortId(change)})`,
    ])
    if (scheduled !== null) fields.push(['  ready', formatReadiness(scheduled, network)])
  }
  for (const change of open) {
    fields.push(
      ['proposed', `${change.summary} (change ${shortId(change.id)})`],
      ['  ready', formatReadiness(change, network)],
      ['  waits for', formatWaiting(change)],
    )
  }
  if (scheduledProtocol === null && open.length === 0) fields.push(['scheduled', 'nothing'])
  return formatFields(fields)
}

async function ask(client: Client): Promise<Upgrade> {
  const [network, { items }, { chain }] = await Promise.all([
    client.network(),
    client.changes({ status: 'open' }),
    client.status(),
  ])
  const open = items.filter(({ kind }) => kind === 'protocol')
  const { scheduledProtocol } = network
  const scheduled =
    scheduledProtocol === null ? null : await client.change(scheduledProtocol.change)
  return { network, open, scheduled, height: chain.height }
}

function addStatus(group: Command, context: Context): void {
  const command = remote(group.command('status')).description(
    'the protocol version in force, the next one, and who is ready',
  )
  withHelp(command, {
    examples: ['mooring upgrade status', 'mooring upgrade status --json'],
    exits: [4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const upgrade = await withNode(context, options, ask)
    if (!output.isJson) {
      output.text(formatUpgrade(upgrade))
      return
    }
    const { network, ...rest } = upgrade
    const { protocolVersion, scheduledProtocol, softwareProtocol } = network
    const schema = 'mooring/upgrade/v1'
    output.json({ schema, protocolVersion, softwareProtocol, scheduledProtocol, ...rest })
  })
}

export function addUpgrade(program: Command, context: Context): void {
  const group = program.command('upgrade').description('protocol versions of the network')
  addStatus(group, context)
  addProtocol(group, 'propose', context)
  withHelp(group, { examples: ['mooring upgrade status'], exits: [3, 4, 5, 6, 7, 9, 13] })
}
