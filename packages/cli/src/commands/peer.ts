// Single peers: who may connect to this node beside the members, who may not, where each is dialled, and
// how well it is reached. All of it is asked over the admin socket and counts at once.

import type { AdminPeers } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { countArgument, durationArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, type Output } from '../output.ts'
import {
  describeBan,
  formatPeer,
  formatPeers,
  formatPings,
  formatProbe,
  isHost,
  rowsOf,
} from '../peer-text.ts'

type Peers = Client['admin']['peers']

type AddOptions = { address?: string[]; note?: string }

type BanOptions = { reason?: string; for?: number }

const NAMED = 'peer id, or the name of a member'

/** A member's name stands for its peer id; what is neither goes on as it is, and the node says so. */
function idsOf(names: readonly string[], peers: AdminPeers): string[] {
  const rows = rowsOf(peers)
  return names.map((name) => rows.find((row) => row.name === name)?.peerId ?? name)
}

type Work<T> = (peers: Peers, ids: string[]) => Promise<T>

/** Asks the node of the command; names on the line have become peer ids. */
async function ask<T>(
  context: Context,
  command: Command,
  names: readonly string[],
  work: Work<T>,
): Promise<{ answer: T; output: Output }> {
  const options = command.optsWithGlobals<RemoteOptions>()
  const output = createOutput(context, options)
  const answer = await withNode(context, options, async ({ admin }) => {
    const isNamed = names.every((name) => isHost(name) || name.startsWith('12D3KooW'))
    const ids = isNamed ? [...names] : idsOf(names, await admin.peers.list())
    return work(admin.peers, ids)
  })
  return { answer, output }
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list')).description(
    'everybody this node may speak with, and whom it has banned',
  )
  withHelp(command, { examples: ['mooring peer list', 'mooring peer list --json'], exits: [4, 5] })
  command.action(async () => {
    const { answer, output } = await ask(context, command, [], (peers) => peers.list())
    const { bans, allow } = answer
    if (output.isJson)
      output.json({ schema: 'mooring/peers/v1', allow, items: rowsOf(answer), bans })
    else output.text(formatPeers(answer, output))
  })
}

function addShow(group: Command, context: Context): void {
  const command = remote(group.command('show')).description('one of them').argument('<peer>', NAMED)
  withHelp(command, {
    examples: ['mooring peer show riverside', 'mooring peer show 12D3KooWKrV… --json'],
    exits: [4, 5, 6],
  })
  command.action(async (name: string) => {
    const { answer, output } = await ask(context, command, [], (peers) => peers.list())
    const [peerId = name] = idsOf([name], answer)
    const row = rowsOf(answer).find((each) => each.peerId === peerId)
    if (row === undefined) throw new NodeError('peer_unknown', { peer: name })
    if (output.isJson) output.json({ schema: 'mooring/peer/v1', ...row })
    else output.text(formatPeer(row))
  })
}

function addAdd(group: Command, context: Context): void {
  const command = remote(group.command('add'))
    .description('let a peer connect, or say where a member is to be dialled; kept over restarts')
    .argument('<peer>', NAMED)
    .option('--address <address...>', 'multiaddress to dial it at, instead of those it tells')
    .option('--note <text>', 'for whoever reads the list')
  withHelp(command, {
    examples: [
      'mooring peer add 12D3KooWKrV… --note "the newcomer in the south"',
      'mooring peer add riverside --address /ip4/203.0.113.7/tcp/7420',
    ],
    exits: [4, 5, 7],
  })
  command.action(async (name: string) => {
    const { address: addresses = [], note = '' } = command.opts<AddOptions>()
    const { answer, output } = await ask(context, command, [name], (peers, [peerId = name]) =>
      peers.add({ peerId, addresses, note }),
    )
    const [peerId = name] = idsOf([name], answer)
    if (output.isJson) output.json({ schema: 'mooring/peer-add/v1', peerId, addresses, note })
    else output.text(`${name} is on the local list`)
  })
}

function addRemove(group: Command, context: Context): void {
  const command = remote(group.command('remove'))
    .description('take a peer off the local list; a member stays a member')
    .argument('<peer>', NAMED)
  withHelp(command, {
    examples: ['mooring peer remove riverside', 'mooring peer remove riverside --json'],
    exits: [4, 5, 6],
  })
  command.action(async (name: string) => {
    const { answer, output } = await ask(context, command, [name], async (peers, [id = name]) => {
      await peers.remove(id)
      return id
    })
    if (output.isJson) output.json({ schema: 'mooring/peer-remove/v1', peerId: answer })
    else output.text(`${name} is off the local list`)
  })
}

function addBan(group: Command, context: Context): void {
  const command = remote(group.command('ban'))
    .description('cut peers off, members or not, and let them in no more')
    .argument('<peers...>', `${NAMED}, or the address of a computer`)
    .option('--reason <text>', 'for whoever reads the list')
    .addOption(new Option('--for <duration>', 'end by itself (never)').argParser(durationArgument))
  withHelp(command, {
    examples: [
      'mooring peer ban riverside --reason "its machine was stolen"',
      'mooring peer ban 203.0.113.7 --for 1h',
    ],
    exits: [4, 5, 7],
  })
  command.action(async (names: string[]) => {
    const { reason = '', for: forMs = null } = command.opts<BanOptions>()
    const { answer, output } = await ask(context, command, names, async (peers, targets) => {
      const { bans } = await peers.ban({ targets, reason, forMs })
      return bans.filter(({ target }) => targets.includes(target))
    })
    if (output.isJson) output.json({ schema: 'mooring/peer-ban/v1', bans: answer })
    else {
      const lines = answer.map((ban) => `banned ${ban.name ?? ban.target}  ${describeBan(ban)}`)
      output.text(lines.join('\n'))
      const members = answer.flatMap((ban) => ban.name ?? [])
      if (members.length > 0) output.note(`without ${members.join(', ')} a quorum may be missing`)
    }
  })
}

function addUnban(group: Command, context: Context): void {
  const command = remote(group.command('unban'))
    .description('let peers in again')
    .argument('[peers...]', `${NAMED}, or the address of a computer`)
    .option('--all', 'all that are banned')
  withHelp(command, {
    examples: ['mooring peer unban riverside', 'mooring peer unban --all'],
    exits: [4, 5, 6],
  })
  command.action(async (names: string[]) => {
    const isAll = command.opts<{ all?: boolean }>().all === true
    if (names.length === 0 && !isAll)
      throw new NodeError('usage', { detail: 'Name whom, or --all.', command: 'peer unban ' })
    const { answer, output } = await ask(context, command, names, async (peers, ids) => {
      const targets = isAll ? (await peers.list()).bans.map(({ target }) => target) : ids
      if (targets.length > 0) await peers.unban(targets)
      return targets
    })
    if (output.isJson) output.json({ schema: 'mooring/peer-unban/v1', lifted: answer })
    else
      output.text(answer.length === 0 ? 'nobody was banned' : `lifted ${answer.length} of the bans`)
  })
}

function addConnect(group: Command, context: Context, verb: 'connect' | 'disconnect'): void {
  const isConnect = verb === 'connect'
  const command = remote(group.command(verb))
    .description(
      isConnect
        ? 'dial a peer now, whatever the pace says'
        : 'close the connection; the node makes it again by itself',
    )
    .argument('<peer>', NAMED)
  withHelp(command, {
    examples: [`mooring peer ${verb} riverside`, `mooring peer ${verb} 12D3KooWKrV… --json`],
    exits: [4, 5, 6, 7],
  })
  command.action(async (name: string) => {
    const { answer, output } = await ask(context, command, [name], (peers, [id = name]) =>
      isConnect ? peers.connect(id) : peers.disconnect(id),
    )
    if (isConnect && !answer.connected) {
      throw new NodeError('peer_not_reached', { peer: name, detail: answer.detail ?? 'no reason' })
    }
    if (output.isJson) output.json({ schema: `mooring/peer-${verb}/v1`, ...answer })
    else output.text(isConnect ? `${name} is connected` : `the connection with ${name} is closed`)
  })
}

function addPing(group: Command, context: Context): void {
  const command = remote(group.command('ping'))
    .description('round trips over the connection with a peer')
    .argument('<peer>', NAMED)
    .addOption(new Option('--count <count>', '1 to 20').argParser(countArgument).default(4, '4'))
  withHelp(command, {
    examples: ['mooring peer ping riverside', 'mooring peer ping riverside --count 10 --json'],
    exits: [4, 5, 6, 7],
  })
  command.action(async (name: string) => {
    const { count } = command.opts<{ count: number }>()
    const { answer, output } = await ask(context, command, [name], (peers, [id = name]) =>
      peers.ping(id, count),
    )
    if (output.isJson) output.json({ schema: 'mooring/peer-ping/v1', ...answer })
    else output.text(formatPings(answer.roundTripsMs))
  })
}

function addProbe(group: Command, context: Context): void {
  const command = remote(group.command('probe'))
    .description('the way to a peer step by step, from where the node is: where does it end?')
    .argument('<peer>', NAMED)
  withHelp(command, {
    examples: ['mooring peer probe riverside', 'mooring peer probe 12D3KooWKrV… --json'],
    exits: [4, 5, 6, 7],
  })
  command.action(async (name: string) => {
    const { answer, output } = await ask(context, command, [name], (peers, [id = name]) =>
      peers.probe(id),
    )
    if (!answer.ok) {
      const rows = formatProbe(answer, output).split('\n')
      throw new NodeError('peer_not_reached', { peer: name, detail: rows.at(-1) ?? '' }, { rows })
    }
    if (output.isJson) output.json({ schema: 'mooring/peer-probe/v1', ...answer })
    else output.text(formatProbe(answer, output))
  })
}

export function addPeer(program: Command, context: Context): void {
  const group = program.command('peer').description('single peers: connections, bans, addresses')
  addList(group, context)
  addShow(group, context)
  addAdd(group, context)
  addRemove(group, context)
  addBan(group, context)
  addUnban(group, context)
  addConnect(group, context, 'connect')
  addConnect(group, context, 'disconnect')
  addPing(group, context)
  addProbe(group, context)
  withHelp(group, {
    examples: ['mooring peer list', 'mooring peer probe riverside', 'mooring peer ban 203.0.113.7'],
    exits: [4, 5, 6, 7],
  })
}
