// Makes a home: folders, one key per duty, a configuration that explains itself. Prints what the other
// members need to admit this node.

import { copyFile, chmod, readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { concatBytes, toHex } from '@mooring/codec'
import { domainBytes, encodeBase64url, formatDidKey, formatPeerId, sign } from '@mooring/crypto'
import { genesisDigest, networkId } from '@mooring/ledger'
import {
  createHome,
  createKeyRing,
  formatConfigFile,
  homePaths,
  type KeyRing,
  NodeError,
  readGenesisFile,
  writeKeyRing,
} from '@mooring/node'
import { type Command, Option } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import { createOutput, formatFields, type Output } from '../output.ts'

type InitOptions = GlobalOptions & {
  name?: string
  genesis?: string
  role: 'authority' | 'observer'
}

function nameOf(options: InitOptions): string {
  const name = options.name ?? hostname().split('.')[0]?.toLowerCase() ?? ''
  if (/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/.test(name)) return name
  throw new NodeError('usage', {
    detail: `The name "${name}" cannot be used: a-z, 0-9 and inner hyphens, 1 to 64 of them.`,
    command: 'init ',
  })
}

async function refuseUsedHome(home: string): Promise<void> {
  const paths = homePaths(home)
  for (const [folder, what] of [
    [paths.keys, 'keys'],
    [paths.guard, 'votes'],
    [paths.data, 'data'],
    [paths.config, 'a configuration'],
  ] as const) {
    const content = await readdir(folder).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    })
    if (content.length > 0) throw new NodeError('home_exists', { home, what })
  }
}

// Name and public keys by duty, signed with the governance key: the line to mail to a member.
function joinLine(name: string, keys: KeyRing): string {
  const publicKeys = Object.entries(keys).map(([duty, key]) => [duty, toHex(key.publicKey)])
  const body = JSON.stringify({ name, keys: Object.fromEntries(publicKeys) })
  const bytes = new TextEncoder().encode(body)
  const signature = sign(keys.governance, concatBytes(domainBytes('join-line'), bytes))
  return `mooring-join-1.${encodeBase64url(bytes)}.${encodeBase64url(signature)}`
}

type Made = {
  home: string
  name: string
  role: string
  network: string | null
  keys: KeyRing
  governanceFile: string
}

async function initialise(context: Context, options: InitOptions): Promise<Made> {
  const home = homeOf(context, options)
  const { role } = options
  const name = nameOf(options)
  const source = options.genesis === undefined ? undefined : resolve(context.cwd, options.genesis)
  const genesis = source === undefined ? undefined : await readGenesisFile(source)
  const network = genesis === undefined ? null : networkId(genesisDigest(genesis))
  await refuseUsedHome(home)

  const paths = await createHome(home)
  const keys = createKeyRing()
  await writeKeyRing(paths.keys, keys, context.now())
  if (source !== undefined) {
    await copyFile(source, paths.genesisFile)
    await chmod(paths.genesisFile, 0o444)
  }
  const settings = { 'node.name': name, 'node.role': role }
  const text = formatConfigFile(
    network === null ? settings : { ...settings, 'network.id': network },
  )
  await writeFile(paths.configFile, text, { mode: 0o600, flag: 'wx' })
  return { home, name, role, network, keys, governanceFile: join(paths.keys, 'governance.json') }
}

function report(output: Output, made: Made): void {
  const { home, name, role, network, keys, governanceFile } = made
  const peerId = formatPeerId(keys.transport.publicKey)
  const governance = formatDidKey(keys.governance.publicKey)
  const line = joinLine(name, keys)
  if (output.isJson) {
    const schema = 'mooring/init/v1'
    output.json({ schema, home, name, role, peerId, governance, network, joinLine: line })
    return
  }
  output.text(
    formatFields([
      ['home', home],
      ['name', `${name}  (${role})`],
      ['peer id', peerId],
      ['governance', governance],
      ['network', network ?? 'none yet: put genesis.json into config/'],
    ]),
  )
  output.text(`\nSend this line to a member:\n${line}`)
  output.note(`\nMove ${governanceFile} to offline storage now: the node never needs it.`)
}

export function addInit(program: Command, context: Context): void {
  const command = program
    .command('init')
    .description('make a home: keys, configuration; prints the line to send to the members')
    .option('--name <name>', 'name of the node, an authority uses its organisation id (host name)')
    .option('--genesis <file>', 'genesis file of the network')
    .addOption(
      new Option('--role <role>', 'whether it is to vote')
        .choices(['authority', 'observer'])
        .default('observer'),
    )
  withHelp(command, {
    examples: [
      'mooring init --name riverside --genesis genesis.json',
      'mooring --home /srv/mooring init --name st-mary --role authority',
    ],
    exits: [3, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<InitOptions>()
    report(createOutput(context, options), await initialise(context, options))
  })
}
