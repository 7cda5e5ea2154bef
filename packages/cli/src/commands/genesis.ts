// The genesis of the network: shown for people, or raw; from the home, from a file, or from a node.

import { resolve } from 'node:path'
import { toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import {
  formatGenesisJson,
  type Genesis,
  genesisDigest,
  networkId,
  parseGenesisJson,
  termsDigest,
} from '@mooring/ledger'
import { homePaths } from '@mooring/node/home'
import { readGenesisFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { readFounder, readTerms } from '../founding-files.ts'
import { createOutput, formatFields, formatTable, formatTime, type Output } from '../output.ts'
import type { Result } from '../program.ts'
import { addDiff } from './genesis-diff.ts'
import { addBuild, addNew, addSign } from './genesis-found.ts'

type ShowOptions = RemoteOptions & { file?: string; raw?: boolean }

function describe(output: Output, genesis: Genesis): void {
  const digest = genesisDigest(genesis)
  const { networkName, protocolVersion, time, parameters, organisations } = genesis
  if (output.isJson) {
    output.json({
      schema: 'mooring/genesis/v1',
      networkId: networkId(digest),
      digest: toHex(digest),
      genesis: JSON.parse(formatGenesisJson(genesis)),
    })
    return
  }
  output.text(
    formatFields([
      ['network', `${networkName}  ${networkId(digest)}`],
      ['digest', toHex(digest)],
      ['protocol', `v${protocolVersion}`],
      ['time', formatTime(time)],
      ['parameters', ''],
      ...Object.entries(parameters).map(([name, value]) => [`  ${name}`, String(value)] as const),
    ]),
  )
  output.text('')
  output.text(
    formatTable(organisations, [
      { title: 'organisation', value: ({ organisation }) => organisation.id },
      { title: 'name', value: ({ organisation }) => organisation.name },
      { title: 'roles', value: ({ organisation }) => organisation.roles.join(',') },
      {
        title: 'governance key',
        value: ({ organisation }) => formatDidKey(organisation.keys.governance),
      },
    ]),
  )
}

async function find(context: Context, options: ShowOptions): Promise<Genesis> {
  if (options.file !== undefined) return readGenesisFile(resolve(context.cwd, options.file))
  const { genesisFile } = homePaths(homeOf(context, options))
  const isAsked = options.endpoint !== undefined || context.env['MOORING_ENDPOINT'] !== undefined
  if (!isAsked) {
    try {
      return await readGenesisFile(genesisFile)
    } catch (error) {
      if (!(error instanceof NodeError && error.code === 'genesis_missing')) throw error
    }
  }
  return withNode(context, options, async (client) => parseGenesisJson(await client.genesis()))
}

function addShow(parent: Command, context: Context): void {
  const command = remote(parent.command('show'))
    .description('show the genesis of a home, a file or a node')
    .option('--file <file>', 'a genesis file; default: the one of the home, else the node is asked')
    .option('--raw', 'print the file itself, to be kept as genesis.json')
  withHelp(command, {
    examples: [
      'mooring genesis show',
      'mooring genesis show --file genesis.json',
      'mooring genesis show --raw > genesis.json',
    ],
    exits: [3, 4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ShowOptions>()
    const output = createOutput(context, options)
    const genesis = await find(context, options)
    if (options.raw === true) output.text(formatGenesisJson(genesis))
    else describe(output, genesis)
  })
}

type VerifyOptions = GlobalOptions & {
  digest?: string
  file?: string
  terms?: string
  entry?: string
}

/** What its founders signed must be what it has. */
async function refuseUnfounded(
  context: Context,
  { terms, entry }: VerifyOptions,
  { genesis, path }: { genesis: Genesis; path: string },
): Promise<void> {
  if (terms !== undefined) {
    const { networkName, time, parameters } = genesis
    const signed = toHex(termsDigest(await readTerms(context, terms)))
    const found = toHex(termsDigest({ networkName, time, parameters }))
    if (signed !== found)
      throw new NodeError('genesis_other', { source: path, digest: found, expected: signed })
  }
  if (entry === undefined) return
  const { organisation, signature } = (await readFounder(context, entry)).entry
  const mine = genesis.organisations.find((each) => each.organisation.id === organisation.id)
  if (mine !== undefined && toHex(mine.signature) === toHex(signature)) return
  throw new NodeError('founding_entry_missing', { path, entry, organisation: organisation.id })
}

function addVerify(parent: Command, context: Context): void {
  const command = parent
    .command('verify')
    .description('check a genesis file: form, parameters, keys, signatures of the founders')
    .argument('[file]', 'genesis file; default: the one of the home')
    .option('--digest <hex>', 'the digest it must have')
    .option('--terms <file>', 'the terms that it must have been founded under')
    .option('--entry <file>', 'an entry that it must have as it was signed')
    .option('--file <file>', 'the same as the argument')
  withHelp(command, {
    examples: [
      'mooring genesis verify genesis.json',
      'mooring genesis verify genesis.json --digest a1b2…',
      'mooring genesis verify genesis.json --terms terms.json --entry st-mary.entry.json',
    ],
    exits: [3, 8],
  })
  command.action(async (argument: string | undefined) => {
    const options = command.optsWithGlobals<VerifyOptions>()
    const output = createOutput(context, options)
    const file = argument ?? options.file
    const path =
      file === undefined
        ? homePaths(homeOf(context, options)).genesisFile
        : resolve(context.cwd, file)
    const genesis = await readGenesisFile(path)
    const digest = toHex(genesisDigest(genesis))
    if (options.digest !== undefined && options.digest.toLowerCase() !== digest) {
      const detail = `its digest is ${digest}, expected ${options.digest}.`
      throw new NodeError('proof_invalid', { step: 0, name: 'genesis', detail })
    }
    await refuseUnfounded(context, options, { genesis, path })
    const organisations = genesis.organisations.length
    const network = networkId(genesisDigest(genesis))
    if (output.isJson) {
      output.json({ schema: 'mooring/genesis-verification/v1', ok: true, digest, network, path })
      return
    }
    output.text(`${output.good('VERIFIED')}  ${network}, signed by ${organisations} founders`)
    output.text(`digest    ${digest}`)
  })
}

export function addGenesis(program: Command, context: Context, result: Result): void {
  const group = program.command('genesis').description('the file a network starts from')
  addNew(group, context)
  addSign(group, context)
  addBuild(group, context)
  addShow(group, context)
  addVerify(group, context)
  addDiff(group, context, result)
  withHelp(group, {
    examples: ['mooring genesis show', 'mooring genesis new --name coast-hospitals'],
    exits: [3, 4, 8],
  })
}

// A genesis from a file of the network, whose digest must be `digest` when that is given.
export async function readTrustedGenesis(path: string, digest: string | undefined) {
  const genesis = await readGenesisFile(path)
  const actual = toHex(genesisDigest(genesis))
  if (digest !== undefined && digest.toLowerCase() !== actual) {
    const detail = `${path} has digest ${actual}, and --genesis-digest says ${digest}.`
    throw new NodeError('proof_invalid', { step: 0, name: 'genesis', detail })
  }
  return genesis
}
