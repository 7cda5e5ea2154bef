// One file that a newcomer joins by: `invite` makes it from a member's home, `join` takes it into the
// newcomer's. Neither asks a node.

import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CodecError, equalBytes, toHex } from '@mooring/codec'
import { encodeBase58, formatPeerId } from '@mooring/crypto'
import {
  type BundleHints,
  formatBundleJson,
  formatGenesisJson,
  type Genesis,
  genesisDigest,
  networkId,
  signAdmission,
  signBundle,
} from '@mooring/ledger'
import { setInConfig } from '@mooring/node/edit-config'
import { homePaths } from '@mooring/node/home'
import { readKeyFile } from '@mooring/node/keys'
import { readGenesisFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { OPTION_ENTRIES } from '@mooring/node/options'
import { type Command, Option } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { readFounder } from '../founding-files.ts'
import { governanceKeyPath } from '../governance.ts'
import { writeNew } from '../grant-file.ts'
import { keyPaths, readKeyStates } from '../home-keys.ts'
import { formatJoinLine } from '../join-line.ts'
import { governanceLock, type GovernanceLockOptions, homeLock } from '../keys-lock.ts'
import {
  type NetworkSource,
  readNetworkSource,
  type SourceOptions,
  sourceOptions,
} from '../network-source.ts'
import { createOutput, formatFields, type Output } from '../output.ts'
import { ownEntry, ownValues } from '../own-entry.ts'
import { readInput } from '../read-input.ts'
import { readConfigText, replaceConfig } from './config-edit.ts'

const CA_BYTES_MAX = 64 * 1024

const all = (word: string, previous: string[] | undefined) => [...(previous ?? []), word]

type InviteOptions = GlobalOptions & {
  passphraseFile?: string
  peer?: string[]
  entry?: string[]
  ca?: string
  output: string
}

export function addInvite(group: Command, context: Context): void {
  const command = group
    .command('invite')
    .description('make the one file by which a newcomer joins: genesis, addresses, CA, signed')
    .addOption(
      new Option('--peer <multiaddr>', 'one more address of a member, with its peer id').argParser(
        all,
      ),
    )
    .addOption(
      new Option('--entry <file>', 'take the addresses of a founder from its entry').argParser(all),
    )
    .option('--ca <file>', 'certificate authority of the APIs, as PEM')
    .option('--passphrase-file <file>', 'opens the anchor key, which signs')
    .option('-o, --output <file>', 'where the bundle goes', 'bundle.json')
  withHelp(command, {
    examples: [
      'mooring --home /srv/mooring network invite -o bundle.json',
      'mooring network invite --ca keys/tls/ca.pem --peer /dns4/county.example/tcp/7420/p2p/12D3KooW…',
    ],
    exits: [3, 5, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<InviteOptions>()
    const output = createOutput(context, options)
    const genesis = await readGenesisFile(homePaths(homeOf(context, options)).genesisFile)
    const anchorPath = (await keyPaths(context, options)).anchor
    const anchor = await readKeyFile(anchorPath, 'anchor', await homeLock(context, options))
    const organisation = await signerOf(context, options, { genesis, key: anchor.publicKey })
    const hints = await hintsOf(context, options)
    const text = bounded(() =>
      formatBundleJson(signBundle({ genesis, hints, organisation }, anchor)),
    )
    await writeNew(context, options.output, text)
    const digest = genesisDigest(genesis)
    const { peers, ca } = hints
    if (output.isJson) {
      const schema = 'mooring/invitation/v1'
      const signer = { organisation, key: encodeBase58(anchor.publicKey) }
      const more = { peers, hasCa: ca !== null, signer }
      output.json({
        schema,
        file: options.output,
        network: networkId(digest),
        digest: toHex(digest),
        ...more,
      })
      return
    }
    output.text(
      formatFields([
        ['bundle', options.output],
        ['network', networkId(digest)],
        ['digest', toHex(digest)],
        ['addresses', peers.length === 0 ? 'none: name some with --peer' : String(peers.length)],
        ['signed by', `${organisation}  ${encodeBase58(anchor.publicKey)}`],
      ]),
    )
    output.note(`\nNothing in it is secret. Tell the newcomer the digest by another way:
  mooring init --name <organisation> --network ${options.output} --genesis-digest ${toHex(digest)}`)
  })
}

async function signerOf(
  context: Context,
  options: GlobalOptions,
  { genesis, key }: { genesis: Genesis; key: Uint8Array },
): Promise<string> {
  const founder = genesis.organisations.find(({ organisation }) =>
    equalBytes(organisation.keys.anchor, key),
  )
  return founder?.organisation.id ?? (await ownValues(context, options)).node.name
}

function withId(address: string, key: Uint8Array): string {
  return /\/p2p\/[^/]+$/.test(address) ? address : `${address}/p2p/${formatPeerId(key)}`
}

/** Where this node says that it listens, where it finds the others, and what is named here. */
async function hintsOf(context: Context, options: InviteOptions): Promise<BundleHints> {
  const { p2p } = await ownValues(context, options)
  const states = await readKeyStates(context, options)
  const transport = states.find(({ duty }) => duty === 'transport')?.current
  const own = transport == null ? [] : p2p.announce.map((each) => withId(each, transport.publicKey))
  const founders: string[] = []
  for (const path of options.entry ?? []) {
    const { entry, addresses } = await readFounder(context, path)
    const key = entry.organisation.keys.transport
    founders.push(...addresses.map((address) => withId(address, key)))
  }
  const peers = [...new Set([...own, ...p2p.peers, ...founders, ...(options.peer ?? [])])]
  const ca = options.ca === undefined ? null : await readInput(context, options.ca, CA_BYTES_MAX)
  return { peers, ca: ca === null ? null : new TextDecoder().decode(ca) }
}

function bounded(work: () => string): string {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    const detail = `${error.message}.`
    throw new NodeError('usage', { detail, command: 'network invite ' }, { cause: error })
  }
}

type JoinOptions = GlobalOptions &
  GovernanceLockOptions &
  SourceOptions & {
    displayName?: string
    legalGroup?: string
    address?: string[]
    governanceKey?: string
  }

export function addJoin(group: Command, context: Context): void {
  const command = sourceOptions(
    group
      .command('join')
      .description('take a network into a home that has keys: genesis, addresses, join line')
      .argument('<bundle>', 'file or http(s) address of a bundle, or of a genesis'),
  )
    .option('--display-name <text>', 'name that people read (the name)')
    .option('--legal-group <text>', 'owner; organisations of one owner share it (display name)')
    .addOption(
      new Option(
        '--address <multiaddr>',
        'where the others reach this node; several: repeat',
      ).argParser(all),
    )
    .option('--governance-key <file>', 'key that signs the join line (keys/governance.json)')
    .option('--passphrase-file <file>', 'opens the key')
  withHelp(command, {
    examples: [
      'mooring --home /srv/mooring network join bundle.json --genesis-digest a1b2…',
      'mooring network join https://st-mary.example/bundle.json --genesis-digest a1b2…',
    ],
    exits: [3, 4, 5, 7, 8, 13],
  })
  command.action(async (source: string) => {
    const options = command.optsWithGlobals<JoinOptions>()
    const output = createOutput(context, options)
    const found = await readNetworkSource(context, source, options)
    await refuseOtherNetwork(context, options, found.genesis)
    const place = await placeOf(context, options, found.genesis)
    await takeNetwork(context, options, found)
    const joinLine = place.isFounder ? null : await makeJoinLine(context, options, found.genesis)
    report(output, found, { ...place, joinLine })
  })
}

async function refuseOtherNetwork(
  context: Context,
  options: GlobalOptions,
  genesis: Genesis,
): Promise<void> {
  const home = homeOf(context, options)
  let present: Genesis
  try {
    present = await readGenesisFile(homePaths(home).genesisFile)
  } catch (error) {
    if (error instanceof NodeError && error.code === 'genesis_missing') return
    throw error
  }
  const [ours, theirs] = [genesisDigest(present), genesisDigest(genesis)]
  if (equalBytes(ours, theirs)) return
  const data = { home, ours: networkId(ours), theirs: networkId(theirs) }
  throw new NodeError('network_other', data)
}

async function placeOf(context: Context, options: GlobalOptions, genesis: Genesis) {
  const { node } = await ownValues(context, options)
  const states = await readKeyStates(context, options)
  const transport = states.find(({ duty }) => duty === 'transport')?.current
  if (transport == null) {
    const path = (await keyPaths(context, options)).transport
    throw new NodeError('founding_key_missing', { duty: 'transport', path })
  }
  const founder = genesis.organisations.find(({ organisation }) =>
    equalBytes(organisation.keys.transport, transport.publicKey),
  )
  return { isFounder: founder !== undefined, name: founder?.organisation.id ?? node.name }
}

async function takeNetwork(
  context: Context,
  options: JoinOptions,
  { genesis, peers, ca }: NetworkSource,
): Promise<void> {
  const home = homeOf(context, options)
  const { genesisFile, config } = homePaths(home)
  const values = await ownValues(context, options)
  const states = await readKeyStates(context, options)
  const transport = states.find(({ duty }) => duty === 'transport')?.current
  const own = transport == null ? '' : formatPeerId(transport.publicKey)
  const others = peers.filter((address) => !address.endsWith(`/p2p/${own}`))
  const path = configOf(context, options) ?? homePaths(home).configFile
  let text = await readConfigText(path, home)
  const settings: Record<string, unknown> = {
    'network.id': networkId(genesisDigest(genesis)),
    'p2p.peers': [...new Set([...values.p2p.peers, ...others])],
    ...(options.address === undefined ? {} : { 'p2p.announce': options.address }),
  }
  for (const [name, value] of Object.entries(settings)) {
    const entry = OPTION_ENTRIES.find((each) => each.name === name)
    if (entry !== undefined) text = setInConfig(text, entry, value)
  }
  await keepGenesis(genesisFile, formatGenesisJson(genesis))
  if (ca !== null) await writeFile(join(config, 'ca.pem'), ca, { mode: 0o644 })
  await replaceConfig(path, text)
}

/** What is there is the same: another one was refused. */
async function keepGenesis(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o444 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  await chmod(path, 0o444)
}

async function makeJoinLine(
  context: Context,
  options: JoinOptions,
  genesis: Genesis,
): Promise<string> {
  const lock = await governanceLock(context, options)
  const governance = await readKeyFile(governanceKeyPath(context, options), 'governance', lock)
  const organisation = await ownEntry(context, options, {
    governance: governance.publicKey,
    role: 'observer',
  })
  const digest = genesisDigest(genesis)
  const admission = signAdmission(digest, organisation, governance)
  const addresses = options.address ?? []
  const line = bounded(() => formatJoinLine({ genesisDigest: digest, admission, addresses }))
  const { joinFile } = homePaths(homeOf(context, options))
  await writeFile(joinFile, `${line}\n`, { mode: 0o600 })
  return line
}

function signedBy(signer: string | null, isTold: boolean): string {
  const compare = isTold ? '' : ': compare the digest with a member'
  if (signer === null) return `nobody${compare}`
  return isTold ? signer : `${signer}, by its own word${compare}`
}

function report(
  output: Output,
  { genesis, peers, ca, signer, isTold }: NetworkSource,
  { name, isFounder, joinLine }: { name: string; isFounder: boolean; joinLine: string | null },
): void {
  const digest = genesisDigest(genesis)
  const network = networkId(digest)
  if (output.isJson) {
    const schema = 'mooring/joined/v1'
    const more = { peers, hasCa: ca !== null, signer, isFounder, joinLine }
    output.json({ schema, network, digest: toHex(digest), name, ...more })
    return
  }
  output.text(
    formatFields([
      ['network', `${genesis.networkName}  ${network}`],
      ['digest', toHex(digest)],
      ['signed by', signedBy(signer, isTold)],
      ['addresses', String(peers.length)],
    ]),
  )
  if (joinLine === null) output.text(`\n${name} is a founder. Start it:   mooring start`)
  else output.text(`\nSend this line to a member, then start:   mooring start\n${joinLine}`)
}
