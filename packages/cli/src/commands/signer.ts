// The program that has the consensus key, apart from the node that votes with it; and how it is.

import { chmod, copyFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import { genesisDigest, networkId } from '@mooring/ledger'
import { formatConfigFile } from '@mooring/node/config-file'
import { createHome, homePaths } from '@mooring/node/home'
import { readConfigFile, readGenesisFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { openLog } from '@mooring/node/open-log'
import { startSigner, type RunningSigner } from '@mooring/node/signer'
import {
  askSigner,
  findSigner,
  loadSignerOptions,
  type SignerOptions,
} from '@mooring/node/signer-options'
import type { SignerInfo } from '@mooring/node'
import type { Command } from 'commander'
import { watchable, withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { addOptionFlags, flagsOf } from '../option-flags.ts'
import { createOutput, formatFields, formatTime, type JsonDocument } from '../output.ts'

const SETTINGS = [
  'signer.',
  'keys.consensus',
  'keys.passphrase_file',
  'consensus.signer_state',
  'network.',
  'log.file',
]

type ServeOptions = GlobalOptions & { rejoin?: boolean; check?: boolean }

function announce(context: Context, options: SignerOptions, signer: RunningSigner): void {
  const { networkId: network, name } = options
  const { address } = signer
  const key = formatDidKey(signer.publicKey)
  if (options.log.format === 'json' || context.stdout.isTTY !== true) {
    const time = context.now().toISOString()
    const fields = { level: 'info', time, name, network, address, key }
    context.stdout.write(`${JSON.stringify({ ...fields, message: 'signer started' })}\n`)
    return
  }
  context.stdout.write(`mooring signer  ${network}  ${name}  ${key}  ${address}\n`)
}

async function serve(context: Context, options: SignerOptions, rejoin: boolean): Promise<void> {
  const stopped = Promise.withResolvers<null>()
  const forget = context.onInterrupt(() => stopped.resolve(null))
  // The signal that has a node read its certificates again; a signer does for every connection, and must not end by it.
  const keepOn = context.onReload?.(() => undefined)
  const logger = openLog(options)
  try {
    const signer = await startSigner(options, logger, { rejoin })
    announce(context, options, signer)
    const failure = await Promise.race([
      stopped.promise,
      signer.failed.then((error) => ({ error })),
    ])
    await signer.close()
    if (failure !== null) throw failure.error
  } finally {
    forget()
    keepOn?.()
    logger.close()
  }
}

function sourcesOf(context: Context, given: GlobalOptions) {
  return {
    home: homeOf(context, given),
    configPath: configOf(context, given),
    flags: flagsOf(given),
    env: context.env,
    askSecret: context.askSecret,
  }
}

type InitOptions = GlobalOptions & { name: string; genesis: string; passphraseFile?: string }

// No key yet: one is taken over, or made, by the commands for keys.
async function makeSignerHome(context: Context, options: InitOptions) {
  const home = homeOf(context, options)
  const { name, passphraseFile } = options
  const source = resolve(context.cwd, options.genesis)
  const network = networkId(genesisDigest(await readGenesisFile(source)))
  if (await readConfigFile(homePaths(home).configFile)) {
    throw new NodeError('home_exists', { home, what: 'a configuration' })
  }
  const paths = await createHome(home)
  await copyFile(source, paths.genesisFile)
  await chmod(paths.genesisFile, 0o444)
  const text = formatConfigFile({
    'node.name': name,
    'network.id': network,
    ...(passphraseFile === undefined
      ? {}
      : { 'keys.passphrase_file': resolve(context.cwd, passphraseFile) }),
  })
  await writeFile(paths.configFile, text, { mode: 0o600, flag: 'wx' })
  return { home, name, network }
}

function addInit(group: Command, context: Context): void {
  const command = group
    .command('init')
    .description('make the home of a signer; its key comes by keys import, or keys new')
    .requiredOption('--genesis <file>', 'genesis file of the network for which it signs')
    .option('--name <name>', 'name of the signer', 'signer')
    .option('--passphrase-file <file>', 'what opens its key; the configuration will name it')
  withHelp(command, {
    examples: [
      'mooring --home /srv/signer signer init --genesis genesis.json',
      'mooring --home /srv/signer signer init --genesis genesis.json --passphrase-file secret',
    ],
    exits: [3, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<InitOptions>()
    const output = createOutput(context, options)
    const made = await makeSignerHome(context, options)
    if (output.isJson) return output.json({ schema: 'mooring/signer-home/v1', ...made })
    output.text(formatFields(Object.entries(made)))
    output.note(`\nIts key:   mooring --home ${made.home} keys import <file> --type consensus`)
  })
}

function addServe(group: Command, context: Context): void {
  const command = group
    .command('serve')
    .description('sign votes with the consensus key of this home until SIGTERM or Ctrl-C')
    .option('--check', 'check key, genesis and certificates, and end')
    .option('--rejoin', 'begin a new guard; sign nothing before the third view from then')
  addOptionFlags(command, ({ name }) => SETTINGS.some((setting) => name.startsWith(setting)))
  withHelp(command, {
    examples: [
      'mooring --home /srv/signer signer serve',
      'mooring --home /srv/signer signer serve --signer-listen unix:/run/mooring/signer.sock',
      'mooring --home /srv/signer signer serve --check',
    ],
    exits: [3, 5, 10, 11, 12, 13],
  })
  command.action(async () => {
    const given = command.optsWithGlobals<ServeOptions>()
    const options = await loadSignerOptions(sourcesOf(context, given))
    if (given.check !== true) return serve(context, options, given.rejoin === true)
    const output = createOutput(context, given)
    const { name, networkId: network, address, key } = options
    const publicKey = formatDidKey(key.publicKey)
    if (output.isJson) {
      const schema = 'mooring/signer-check/v1'
      return output.json({ schema, ok: true, name, network, address: address.text, key: publicKey })
    }
    output.text(
      formatFields([
        ['signer', name],
        ['network', network],
        ['key', publicKey],
        ['listens at', address.text],
      ]),
    )
    output.text(output.good('OK'))
  })
}

function fieldsOf(address: string, info: SignerInfo): [string, string][] {
  const { marks } = info
  const votes = `notarize ${marks.notarized}, nullify ${marks.nullified}, finalize ${marks.finalized}`
  return [
    ['signer', address],
    ['version', info.version],
    ['network', networkId(info.network)],
    ['key', info.keys[0] === undefined ? '–' : formatDidKey(info.keys[0])],
    ['next key', info.keys[1] === undefined ? '–' : formatDidKey(info.keys[1])],
    ['guard', info.memory === 'whole' ? 'knows every vote' : `${info.memory}: lets views go by`],
    ['signed up to', `epoch ${marks.epoch}, view: ${votes}`],
    ['since', formatTime(info.startedAt)],
    ['signed', String(info.signed)],
    ['refused', String(info.refused)],
  ]
}

function documentOf(address: string, info: SignerInfo): JsonDocument {
  const { version, memory, marks, signed, refused } = info
  return {
    schema: 'mooring/signer-status/v1',
    address,
    version,
    network: networkId(info.network),
    keys: info.keys.map((key) => toHex(key)),
    memory,
    marks: { ...marks },
    startedAt: new Date(info.startedAt).toISOString(),
    signed,
    refused,
  }
}

function addStatus(group: Command, context: Context): void {
  const command = watchable(group.command('status')).description(
    'what the signer of this home has signed; with --endpoint, another one',
  )
  withHelp(command, {
    examples: [
      'mooring --home /srv/signer signer status',
      'mooring signer status --endpoint unix:/run/mooring/signer.sock --json',
    ],
    exits: [3, 4],
  })
  command.action(async () => {
    const given = command.optsWithGlobals<GlobalOptions>()
    const output = createOutput(context, given)
    const { endpoint } = given
    const sources = sourcesOf(context, given)
    if (endpoint !== undefined && !/^(unix:|tls:)/.test(endpoint)) {
      const detail = 'A signer is at unix:<path> or tls://<host>:<port>.'
      throw new NodeError('usage', { detail, command: 'signer status ' })
    }
    const flags = endpoint === undefined ? {} : { 'keys.signer': endpoint }
    const address = await findSigner({ ...sources, flags: { ...sources.flags, ...flags } })
    const info = await askSigner(address)
    if (output.isJson) return output.json(documentOf(address.text, info))
    output.text(formatFields(fieldsOf(address.text, info)))
  })
}

export function addSigner(program: Command, context: Context): void {
  const group = program
    .command('signer')
    .description('votes are signed by another program, with a guard of its own')
  addInit(group, context)
  addServe(group, context)
  addStatus(group, context)
  withHelp(group, {
    examples: ['mooring --home /srv/signer signer serve', 'mooring signer status'],
    exits: [3, 4, 5, 7, 10, 11, 12, 13],
  })
}
