// Makes a home: folders, one key per duty, a configuration that explains itself. Prints, and keeps beside
// the configuration, the line that the other members need to admit this organisation.

import { readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { CodecError, toHex } from '@mooring/codec'
import { formatDidKey, formatPeerId } from '@mooring/crypto'
import {
  formatGenesisJson,
  type Genesis,
  genesisDigest,
  networkId,
  type Organisation,
  signAdmission,
} from '@mooring/ledger'
import { formatConfigFile } from '@mooring/node/config-file'
import { makeFirstGuard } from '@mooring/node/first-guard'
import { createHome, homePaths, type HomePaths } from '@mooring/node/home'
import {
  createKeyRing,
  keyFileName,
  randomSeed,
  writeKeyRing,
  type KeyRing,
} from '@mooring/node/keys'
import { keepLocalSecret, recordsSecretPath } from '@mooring/node/local-secret'
import { NodeError } from '@mooring/node/node-error'
import { PROFILES, type Profile } from '@mooring/node/option-kinds'
import { resolveOptions } from '@mooring/node/resolve-options'
import { type Command, Option } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import { formatJoinLine } from '../join-line.ts'
import { newLock, passphraseFileOf } from '../keys-lock.ts'
import { type NetworkSource, readNetworkSource, type SourceOptions } from '../network-source.ts'
import { createOutput, formatFields, type Output } from '../output.ts'

export type InitOptions = GlobalOptions &
  SourceOptions & {
    name?: string
    displayName?: string
    legalGroup?: string
    network?: string
    // The older spelling of --network.
    genesis?: string
    address?: string[]
    peer?: string[]
    role: 'authority' | 'observer'
    profile?: Profile
    passphraseFile?: string
    // False when --no-encrypt was given.
    encrypt: boolean
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

function organisationOf(name: string, keys: KeyRing, options: InitOptions): Organisation {
  const { displayName = name, legalGroup = displayName } = options
  const { governance, consensus, transport, anchor, seal } = keys
  return {
    id: name,
    name: displayName,
    legalGroup,
    roles: ['observer'],
    keys: {
      governance: governance.publicKey,
      consensus: consensus.publicKey,
      transport: transport.publicKey,
      anchor: anchor.publicKey,
      seal: seal.publicKey,
      issuer: null,
    },
  }
}

function joinLineOf(genesis: Genesis, keys: KeyRing, options: InitOptions): string {
  const digest = genesisDigest(genesis)
  const organisation = organisationOf(nameOf(options), keys, options)
  try {
    return formatJoinLine({
      genesisDigest: digest,
      admission: signAdmission(digest, organisation, keys.governance),
      addresses: options.address ?? [],
    })
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new NodeError('usage', { detail: `${error.message}.`, command: 'init ' })
  }
}

// Keys of a real node are sealed, whoever makes them; those of a trial may lie open.
async function lockFor(context: Context, options: InitOptions, profile: Profile) {
  if (options.encrypt) return newLock(context, await passphraseFileOf(context, options))
  if (profile === 'prod') throw new NodeError('keys_must_be_sealed', { profile })
  return null
}

function profileOf(context: Context, { profile }: InitOptions): Profile {
  const { values } = resolveOptions({
    flags: profile === undefined ? {} : { 'node.profile': profile },
    env: context.env,
    file: null,
  })
  return values.node.profile
}

async function keepSource(paths: HomePaths, { genesis, ca }: NetworkSource): Promise<void> {
  await writeFile(paths.genesisFile, formatGenesisJson(genesis), { flag: 'wx', mode: 0o444 })
  if (ca !== null) await writeFile(join(paths.config, 'ca.pem'), ca, { mode: 0o644 })
}

type Made = {
  home: string
  name: string
  role: string
  network: string | null
  // Of its genesis, as far as nobody has told by another way which network it is.
  digestToCompare: string | null
  keys: KeyRing
  governanceFile: string
  joinLine: string | null
}

export async function initialise(context: Context, options: InitOptions): Promise<Made> {
  const home = homeOf(context, options)
  const { role } = options
  const name = nameOf(options)
  const file = options.network ?? options.genesis
  const source = file === undefined ? undefined : await readNetworkSource(context, file, options)
  const genesis = source?.genesis
  const digest = genesis === undefined ? null : genesisDigest(genesis)
  const network = digest === null ? null : networkId(digest)
  const digestToCompare = digest === null || source?.isTold === true ? null : toHex(digest)
  await refuseUsedHome(home)
  const profile = profileOf(context, options)
  const lock = await lockFor(context, options, profile)
  const keys = createKeyRing()
  const joinLine = genesis === undefined ? null : joinLineOf(genesis, keys, options)

  const created = context.now()
  // Before the home is made: a passphrase that is missing or too short leaves nothing behind.
  await lock?.prepare()
  const paths = await createHome(home)
  await writeKeyRing(paths.keys, keys, { created, lock })
  await keepLocalSecret(recordsSecretPath(home), randomSeed(), lock)
  await makeFirstGuard(paths.guard)
  if (source !== undefined) await keepSource(paths, source)
  const peers = [...new Set([...(source?.peers ?? []), ...(options.peer ?? [])])]
  const settings = {
    'node.name': name,
    'node.role': role,
    ...(profile === 'prod' ? {} : { 'node.profile': profile }),
    ...(options.passphraseFile === undefined
      ? {}
      : { 'keys.passphrase_file': resolve(context.cwd, options.passphraseFile) }),
    ...(network === null ? {} : { 'network.id': network }),
    ...(options.address === undefined ? {} : { 'p2p.announce': options.address }),
    ...(peers.length === 0 ? {} : { 'p2p.peers': peers }),
  }
  if (joinLine !== null) await writeFile(paths.joinFile, `${joinLine}\n`, { flag: 'wx' })
  const text = formatConfigFile(settings)
  await writeFile(paths.configFile, text, { mode: 0o600, flag: 'wx' })
  const governanceFile = join(paths.keys, keyFileName('governance'))
  return { home, name, role, network, digestToCompare, keys, governanceFile, joinLine }
}

export function noteDigest(output: Output, { digestToCompare }: Made): void {
  if (digestToCompare === null) return
  output.note(
    `The file itself says that the digest is ${digestToCompare}: compare it with a member.`,
  )
}

function report(output: Output, made: Made): void {
  const { home, name, role, network, keys, governanceFile, joinLine } = made
  const peerId = formatPeerId(keys.transport.publicKey)
  const governance = formatDidKey(keys.governance.publicKey)
  if (output.isJson) {
    const schema = 'mooring/init/v1'
    output.json({ schema, home, name, role, peerId, governance, network, joinLine })
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
  noteDigest(output, made)
  if (joinLine === null) {
    output.note('\nTo join a network, give its genesis: only then is there a line to send.')
  } else output.text(`\nSend this line to a member:\n${joinLine}`)
  output.note(`\nMove ${governanceFile} to offline storage now: the node never needs it.`)
}

const addressesOf = (word: string, previous: string[] | undefined) => [...(previous ?? []), word]

export function addInit(program: Command, context: Context): void {
  const command = program
    .command('init')
    .description('make a home: keys, configuration; prints the line to send to the members')
    .option('--name <name>', 'name of the node, an authority uses its organisation id (host name)')
    .option('--network <source>', 'the network to join: bundle or genesis, a file or an address')
    .option('--genesis-digest <hex>', 'the digest that its genesis must have')
    .option('--signer <key>', 'key that must have signed the bundle')
    .option('--display-name <text>', 'name that people read (the name)')
    .option('--legal-group <text>', 'owner; organisations of one owner share it (display name)')
    .addOption(
      new Option(
        '--address <multiaddr>',
        'where the others reach this node; several: repeat',
      ).argParser(addressesOf),
    )
    .addOption(
      new Option(
        '--peer <multiaddr>',
        'address of a member, ends in /p2p/<peer id>; repeat',
      ).argParser(addressesOf),
    )
    .addOption(
      new Option('--role <role>', 'whether it is to vote, once the members let it')
        .choices(['authority', 'observer'])
        .default('observer'),
    )
    .addOption(new Option('--profile <profile>', 'what the node is for (prod)').choices(PROFILES))
    .option('--passphrase-file <file>', 'seals the keys; the configuration will name it')
    .option('--no-encrypt', 'leave the keys open; only with profile devnet or test')
    .addOption(new Option('--genesis <file>').hideHelp())
  withHelp(command, {
    examples: [
      'mooring init --name riverside --network bundle.json --passphrase-file /run/secrets/passphrase',
      'mooring --home /srv/mooring init --name st-mary --role authority',
      'mooring --home /tmp/trial init --name trial --profile test --no-encrypt',
    ],
    exits: [3, 5, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<InitOptions>()
    report(createOutput(context, options), await initialise(context, options))
  })
}
