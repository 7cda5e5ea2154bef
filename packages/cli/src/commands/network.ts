// The network as a whole, and how this home belongs to it.

import { readFile } from 'node:fs/promises'
import type { Network } from '@mooring/api'
import { genesisDigest, networkId } from '@mooring/ledger'
import { homePaths } from '@mooring/node/home'
import { readGenesisFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, homeOf } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatFields, type Output } from '../output.ts'
import { addInvite, addJoin } from './network-bundles.ts'

type InfoOptions = RemoteOptions & { joinLine?: boolean }

// Null when this home was not made to join a network.
async function readJoinLine(context: Context, options: InfoOptions): Promise<string | null> {
  try {
    return (await readFile(homePaths(homeOf(context, options)).joinFile, 'utf8')).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function formatProtocol({ protocolVersion, scheduledProtocol }: Network): string {
  if (scheduledProtocol === null) return `v${protocolVersion}`
  const { version, height } = scheduledProtocol
  return `v${protocolVersion}, next v${version} at height ${height}`
}

function print(output: Output, network: Network, joinLine: string | null): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/network/v1', ...network, joinLine })
    return
  }
  const { authorities, quorum, parameters } = network
  output.text(
    formatFields([
      ['network', `${network.name}  ${network.networkId}`],
      ['genesis', network.genesisDigest],
      ['epoch', String(network.epoch)],
      ['protocol', formatProtocol(network)],
      ['authorities', `${authorities.join(', ')}  (quorum ${quorum} of ${authorities.length})`],
      ['parameters', ''],
      ...Object.entries(parameters).map(([name, value]) => [`  ${name}`, String(value)] as const),
    ]),
  )
  if (joinLine !== null) output.text(`\nJoin line of this home:\n${joinLine}`)
}

function addInfo(group: Command, context: Context): void {
  const command = remote(group.command('info'))
    .description('what all members agree on, and the join line of this home')
    .option('--join-line', 'print the join line alone; asks no node')
  withHelp(command, {
    examples: ['mooring network info', 'mooring network info --join-line > riverside.txt'],
    exits: [3, 4, 6],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<InfoOptions>()
    const output = createOutput(context, options)
    const joinLine = await readJoinLine(context, options)
    if (options.joinLine !== true) {
      print(output, await withNode(context, options, (client) => client.network()), joinLine)
      return
    }
    if (joinLine === null) throw new NodeError('join_line_missing')
    const { genesisFile } = homePaths(homeOf(context, options))
    const network = networkId(genesisDigest(await readGenesisFile(genesisFile)))
    if (output.isJson) output.json({ schema: 'mooring/join-line/v1', network, joinLine })
    else output.text(joinLine)
  })
}

export function addNetwork(program: Command, context: Context): void {
  const group = program.command('network').description('the network as a whole')
  addInfo(group, context)
  addInvite(group, context)
  addJoin(group, context)
  withHelp(group, { examples: ['mooring network info'], exits: [3, 4, 6] })
}
