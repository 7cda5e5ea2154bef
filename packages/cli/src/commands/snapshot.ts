// Snapshots: taken, listed, checked from genesis, and made the beginning of a new home.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toHex } from '@mooring/codec'
import { genesisDigest } from '@mooring/ledger'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import {
  createSnapshotOffline,
  snapshotFile,
  startHomeFrom,
  startHomeFromFile,
  verifySnapshotFile,
} from '@mooring/node/offline'
import { readSnapshots } from '@mooring/node/snapshot-exchange'
import type { SnapshotSource } from '@mooring/node'
import type { Snapshot } from '@mooring/api'
import { type Command, Option } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import { type Context, homeOf } from '../context.ts'
import { type RemoteOptions, resolveEndpoint, withNode } from '../endpoint.ts'
import { inHomeOrNode, namesEndpoint, ownHome } from '../home-or-node.ts'
import {
  createOutput,
  formatBytes,
  formatCount,
  formatFields,
  formatTable,
  formatTime,
  type Output,
} from '../output.ts'
import { snapshotSourceOf } from '../snapshot-source.ts'
import { readTrustedGenesis } from './genesis.ts'

function addCreate(group: Command, context: Context): void {
  const command = remote(group.command('create')).description(
    'take a snapshot of the newest block: in a stopped home, or by the node that runs',
  )
  withHelp(command, {
    examples: ['mooring snapshot create', 'mooring snapshot create --endpoint 127.0.0.1:7421'],
    exits: [3, 4, 9, 11],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const snapshot = await inHomeOrNode<Snapshot>(context, options, {
      node: (client) => client.createSnapshot(),
      home: async (own) => {
        const { digest } = await createSnapshotOffline(own)
        const name = toHex(digest)
        const entry = (await readSnapshots(own.snapshotsDir)).find(
          (each) => toHex(each.digest) === name,
        )
        if (entry === undefined) throw new NodeError('snapshot_unknown', { height: 0 })
        return { ...entry, digest: name }
      },
    })
    if (output.isJson) output.json({ schema: 'mooring/snapshot/v1', ...snapshot })
    else output.text(formatSnapshot(snapshot))
  })
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list')).description(
    'the snapshots of a home, or of a node; members that have one of a height show one digest',
  )
  withHelp(command, {
    examples: ['mooring snapshot list', 'mooring snapshot list --endpoint 127.0.0.1:7431 --json'],
    exits: [3, 4],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const items = await listed(context, options)
    if (output.isJson) {
      output.json({ schema: 'mooring/snapshots/v1', items })
      return
    }
    if (items.length === 0) {
      output.text('no snapshot yet; take one:   mooring snapshot create')
      return
    }
    output.text(
      formatTable(items, [
        { title: 'height', value: ({ height }) => formatCount(height), align: 'right' },
        { title: 'digest', value: ({ digest }) => digest },
        { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
      ]),
    )
  })
}

/** The files of a home are read as they are, whether its node runs or not. */
async function listed(context: Context, options: RemoteOptions): Promise<Snapshot[]> {
  const own = namesEndpoint(context, options) ? null : await ownHome(context, options)
  if (own === null) {
    return withNode(context, options, async (client) => (await client.snapshots()).items)
  }
  const entries = await readSnapshots(own.snapshotsDir)
  return entries.map(({ digest, ...entry }) => ({ ...entry, digest: toHex(digest) }))
}

type VerifyOptions = RemoteOptions & { genesis?: string }

function addVerify(group: Command, context: Context): void {
  const command = group
    .command('verify')
    .description(
      'check a snapshot with the genesis alone: authorities, finality, every chunk, state',
    )
    .argument('<snapshot>', 'a file, or a height of the home')
    .option('--genesis <file>', 'genesis to trust, default that of the home')
  withHelp(command, {
    examples: [
      'mooring snapshot verify 12000',
      'mooring snapshot verify 12000.snapshot --genesis genesis.json',
    ],
    exits: [3, 6, 8],
  })
  command.action(async (name: string) => {
    const options = command.optsWithGlobals<VerifyOptions>()
    const output = createOutput(context, options)
    const home = homePaths(homeOf(context, options))
    const path = /^\d{1,15}$/.test(name)
      ? snapshotFile(home.snapshots, Number(name))
      : resolve(context.cwd, name)
    await requireFile(path)
    const genesisPath =
      options.genesis === undefined ? home.genesisFile : resolve(context.cwd, options.genesis)
    const genesis = await readTrustedGenesis(genesisPath, undefined)
    const trust = { genesis, genesisDigest: genesisDigest(genesis) }
    const { tip, manifest, bytes } = await verifySnapshotFile(path, trust)
    const { core } = manifest
    const digest = toHex(manifest.digest)
    if (output.isJson) {
      const { height } = tip
      output.json({ schema: 'mooring/snapshot-verification/v1', ok: true, height, digest, bytes })
      return
    }
    output.text(`${output.good('VERIFIED')}  the state after block ${formatCount(tip.height)}`)
    output.text(
      formatFields([
        ['digest', digest],
        ['block', `${toHex(tip.digest)}, ${formatTime(tip.time)}`],
        ['state root', toHex(tip.stateRoot)],
        ['values', formatCount(core.values)],
        ['blocks', `${formatCount(core.base.height + 1)} to ${formatCount(tip.height)}`],
        ['size', formatBytes(bytes)],
      ]),
    )
  })
}

type FetchCommand = RemoteOptions & { height?: number }

function addFetch(group: Command, context: Context): void {
  const command = remote(group.command('fetch'))
    .description(
      'make the chain of a home that has none: from the APIs of nodes, or from a snapshot file',
    )
    .argument('[source...]', 'addresses of nodes, or one file; default: the endpoint')
    .addOption(new Option('--height <height>', 'of this height only').argParser(countArgument))
  withHelp(command, {
    examples: [
      'mooring --home ./new snapshot fetch 10.0.0.1:7421 10.0.0.2:7421',
      'mooring --home ./new snapshot fetch 12000.snapshot',
    ],
    exits: [3, 4, 6, 7, 8, 11],
  })
  command.action(async (sources: string[]) => {
    const options = command.optsWithGlobals<FetchCommand>()
    const output = createOutput(context, options)
    const own = await ownHome(context, options)
    if (own === null) throw new NodeError('home_missing', { home: homeOf(context, options) })
    const file = sources.length === 1 ? await asFile(context, sources[0] ?? '') : null
    const onChunk = everyFewSeconds(output, 'reading', 'chunks')
    const onBytes = everyFewSeconds(output, 'fetching', 'bytes')
    const tip =
      file === null
        ? await startHomeFrom(own, await sourcesOf(context, options, sources), {
            height: options.height ?? null,
            onChunk,
            onProgress: ({ bytes, bytesTotal }) => onBytes(bytes, bytesTotal),
            onBad: (source, reason) => output.note(`${source} gave no good snapshot: ${reason}`),
          })
        : await startHomeFromFile(own, file, { onChunk })
    const { height } = tip
    if (output.isJson) {
      output.json({ schema: 'mooring/snapshot-start/v1', height, digest: toHex(tip.digest) })
      return
    }
    output.text(`the home begins after block ${formatCount(height)}; the node follows from there`)
    output.note(`start it:   mooring --home ${own.home} start`)
  })
}

async function sourcesOf(
  context: Context,
  options: FetchCommand,
  names: readonly string[],
): Promise<SnapshotSource[]> {
  const { url } = await resolveEndpoint(context, options)
  return (names.length > 0 ? names : [url]).map((name) => {
    const address = /^(https?:\/\/|unix:)/.test(name) ? name : `http://${name}`
    return snapshotSourceOf(name, address, options.timeout)
  })
}

async function asFile(context: Context, name: string): Promise<string | null> {
  const path = resolve(context.cwd, name)
  try {
    return (await stat(path)).isFile() ? path : null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

async function requireFile(path: string): Promise<void> {
  try {
    await stat(path)
  } catch (error) {
    throw new NodeError('file_missing', { path }, { cause: error })
  }
}

const LINE_MS = 5_000

function everyFewSeconds(output: Output, verb: string, unit: string) {
  let toldAt = performance.now()
  return (done: number, total: number): void => {
    if (performance.now() - toldAt < LINE_MS) return
    toldAt = performance.now()
    output.note(`${verb}: ${done} of ${total} ${unit}`)
  }
}

function formatSnapshot({ height, digest, bytes }: Snapshot): string {
  return formatFields([
    ['snapshot', `height ${formatCount(height)}`],
    ['digest', digest],
    ['size', formatBytes(bytes)],
  ])
}

export function addSnapshot(program: Command, context: Context): void {
  const group = program.command('snapshot').description('the state at a height, as a file')
  addCreate(group, context)
  addList(group, context)
  addVerify(group, context)
  addFetch(group, context)
  withHelp(group, {
    examples: ['mooring snapshot list', 'mooring snapshot verify 12000'],
    exits: [3, 4, 6, 7, 8, 9, 11],
  })
}
