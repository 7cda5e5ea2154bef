// For whoever looks for a reason: more in the log, and everything worth seeing as one file to hand on.

import { createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBundle } from '@mooring/node/bundle'
import { homeParts, NEVER_IN_A_BUNDLE, shownOptions } from '@mooring/node/bundle-sources'
import { runChecks } from '@mooring/node/checks'
import { homeChecks } from '@mooring/node/home-checks'
import { loadHomeOptions } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { createRedaction } from '@mooring/node/redact-text'
import { type Command, Option } from 'commander'
import { durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, configOf, homeOf, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { namesEndpoint } from '../home-or-node.ts'
import { stampOf } from '../leaving-traces.ts'
import { createOutput, formatBytes } from '../output.ts'
import { readVersion } from './version.ts'

type BundleOptions = RemoteOptions & {
  output?: string
  redact: boolean
  since: number
  profile: number
  offline?: boolean
}

/** Of a node that does not run: what its home tells. */
async function offlineBundle(
  context: Context,
  options: BundleOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const home = homeOf(context, options)
  const sources = { home, configPath: configOf(context, options), flags: {}, env: context.env }
  const own = await loadHomeOptions(sources)
  const ground = { sources, now: () => context.now().getTime(), isMending: false }
  const parts = [
    { name: 'checks.json', read: () => runChecks(homeChecks(ground)) },
    ...homeParts(own),
  ]
  return createBundle(parts, {
    node: own.name,
    version: readVersion(),
    madeAt: context.now().toISOString(),
    leftOut: [...NEVER_IN_A_BUNDLE, { what: 'status, metrics, log', why: 'the node does not run' }],
    redact: options.redact
      ? createRedaction({ home: own.home, hostname: hostname(), options: shownOptions(own) })
      : null,
  })
}

async function bundlePieces(
  context: Context,
  options: BundleOptions,
): Promise<AsyncIterable<Uint8Array>> {
  if (options.offline === true) return offlineBundle(context, options)
  try {
    const query = {
      sinceMs: options.since,
      profileMs: options.profile,
      isRedacted: options.redact,
    }
    const answer = await withNode(context, options, ({ admin }) => admin.seeing.bundle(query))
    if (answer.body === null) throw new NodeError('answer_incomplete', { detail: 'no archive' })
    return Readable.fromWeb(answer.body)
  } catch (error) {
    const isAway = error instanceof NodeError && error.code === 'endpoint_unreachable'
    if (!isAway || namesEndpoint(context, options)) throw error
    return offlineBundle(context, options)
  }
}

function addBundle(group: Command, context: Context): void {
  const command = remote(group.command('bundle'))
    .description('what somebody who helps from afar needs to see, as one archive without secrets')
    .option('-o, --output <file>', 'where to put it (mooring-bundle-<time>.tar.gz)')
    .option('--no-redact', 'keep addresses, names of computers and identifiers')
    .addOption(
      new Option('--since <duration>', 'log lines of so long')
        .argParser(durationArgument)
        .default(86_400_000, '24h'),
    )
    .addOption(
      new Option('--profile <duration>', 'what the processor does for so long')
        .argParser(durationArgument)
        .default(0, 'none'),
    )
    .option('--offline', 'of the home, whether a node runs or not')
  withHelp(command, {
    examples: [
      'mooring debug bundle',
      'mooring debug bundle -o help.tar.gz --since 2h --profile 10s',
      'tar -xzOf help.tar.gz mooring/manifest.json     what is in it, and what is not',
    ],
    exits: [4, 5, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<BundleOptions>()
    const output = createOutput(context, options)
    const name = options.output ?? `mooring-bundle-${stampOf(context.now())}.tar.gz`
    const path = resolve(context.cwd, name)
    if (existsSync(path)) throw new NodeError('file_exists', { path })
    const pieces = await waitingFor(output.note, 'the bundle', bundlePieces(context, options))
    const bytes = await writeBundle(path, pieces)
    if (output.isJson) {
      output.json({ schema: 'mooring/bundle-file/v1', path, bytes, redacted: options.redact })
      return
    }
    output.text(`${path}  ${formatBytes(bytes)}`)
    if (!options.redact) output.note('It names computers and identifiers: give it to nobody else.')
  })
}

/** Never half a file under its name; one that is there is not overwritten. */
async function writeBundle(path: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const partial = `${path}.partial`
  const file = createWriteStream(partial, { flags: 'wx', mode: 0o600 })
  try {
    await pipeline(Readable.from(pieces), file)
    await rename(partial, path)
    return file.bytesWritten
  } catch (error) {
    const isOfAnother = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isOfAnother) await rm(partial, { force: true })
    throw error
  }
}

function addLogLevel(group: Command, context: Context): void {
  const command = remote(group.command('log-level'))
    .description('how much a node that runs logs, as a whole or by module; until it starts again')
    .argument('[level]', 'such as debug, or info,p2p=debug; what it is when left out')
  withHelp(command, {
    examples: ['mooring debug log-level', 'mooring debug log-level info,p2p=debug'],
    exits: [4, 5],
  })
  command.action(async (level: string | undefined) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const answer = await withNode(context, options, ({ admin }) =>
      level === undefined ? admin.seeing.logLevel() : admin.seeing.setLogLevel(level),
    )
    if (output.isJson) output.json({ schema: 'mooring/log-level/v1', ...answer })
    else output.text(answer.level)
  })
}

export function addDebug(program: Command, context: Context): void {
  const group = program.command('debug').description('for whoever looks for a reason')
  addBundle(group, context)
  addLogLevel(group, context)
  withHelp(group, {
    examples: ['mooring debug bundle', 'mooring debug log-level info,p2p=debug'],
    exits: [4, 5, 7],
  })
}
