// Backups: made of a stopped home or by the node that runs, checked, listed, and made a home again.

import { genesisDigest, networkId } from '@mooring/ledger'
import { listBackups } from '@mooring/node/backup-folder'
import { readBackup } from '@mooring/node/backup-read'
import { nextRuns } from '@mooring/node/backup-schedule'
import { isThere } from '@mooring/node/durable-files'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import type { BackupManifest } from '@mooring/node'
import type { Backup, Backups } from '@mooring/api'
import type { Command } from 'commander'
import { resolve } from 'node:path'
import { remote, watchable, withHelp } from '../command-help.ts'
import { type Context, homeOf } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { inHomeOrNode, ownHome } from '../home-or-node.ts'
import {
  createOutput,
  formatBytes,
  formatCount,
  formatFields,
  formatTable,
  type Output,
} from '../output.ts'
import { addBackupCreate } from './backup-create.ts'
import { addBackupRestore } from './backup-restore.ts'
import { readTrustedGenesis } from './genesis.ts'

type VerifyOptions = RemoteOptions & { genesis?: string; peerId?: string }

function addVerify(group: Command, context: Context): void {
  const command = group
    .command('verify')
    .description('check every byte of a backup against its manifest, and who signed that')
    .argument('<file>', 'the backup')
    .option('--genesis <file>', 'genesis that it must be of, default that of the home')
    .option('--peer-id <id>', 'node that must have made it')
  withHelp(command, {
    examples: [
      'mooring backup verify backups/st-mary-moor-a1b2c3d4-20261120T033000Z-h1207.tar.zst',
      'mooring backup verify old.tar.zst --genesis genesis.json --json',
    ],
    exits: [3, 6, 8, 11, 13],
  })
  command.action(async (file: string) => {
    const options = command.optsWithGlobals<VerifyOptions>()
    const output = createOutput(context, options)
    const path = resolve(context.cwd, file)
    const manifest = await readBackup(path)
    const expected = await expectedNetwork(context, options)
    if (expected !== null && expected !== manifest.networkId) {
      throw new NodeError('backup_foreign', { found: manifest.networkId, expected })
    }
    const { peerId } = manifest
    if (options.peerId !== undefined && options.peerId !== peerId) {
      const detail = `it was made and signed by ${peerId}`
      throw new NodeError('backup_invalid', { path, detail })
    }
    if (output.isJson) {
      output.json({ schema: 'mooring/backup-verification/v1', ok: true, path, ...told(manifest) })
      return
    }
    output.text(`${output.good('VERIFIED')}  ${path}`)
    output.text(formatManifest(manifest))
  })
}

/** Null where nobody says which. */
async function expectedNetwork(context: Context, options: VerifyOptions): Promise<string | null> {
  const path =
    options.genesis === undefined
      ? homePaths(homeOf(context, options)).genesisFile
      : resolve(context.cwd, options.genesis)
  if (options.genesis === undefined && !(await isThere(path))) return null
  return networkId(genesisDigest(await readTrustedGenesis(path, undefined)))
}

function told({ files, entries, ...head }: BackupManifest) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return { ...head, entries, files: files.length, contentBytes: bytes }
}

function formatManifest(manifest: BackupManifest): string {
  const { entries, files, contentBytes } = told(manifest)
  const blobs = manifest.files.filter(({ path }) => path.startsWith('data/blobs/')).length
  return formatFields([
    ['made', `${manifest.createdAt} by ${manifest.node}, mooring ${manifest.mooring}`],
    ['signed by', manifest.peerId],
    ['network', `${manifest.networkId}, genesis ${manifest.genesisDigest}`],
    ['chain', `height ${formatCount(manifest.height)}, ${manifest.digest}`],
    ['state root', manifest.stateRoot],
    ['chain values', formatCount(entries.chain)],
    ['private values', formatCount(entries.records)],
    ['vault values', formatCount(entries.vault)],
    ['large shards', manifest.blobs === 's3' ? 'in their bucket' : formatCount(blobs)],
    ['keys', manifest.hasKeys ? 'in it, sealed under a passphrase' : 'not in it'],
    ['content', `${formatCount(files)} files, ${formatBytes(contentBytes)}`],
  ])
}

function addList(group: Command, context: Context): void {
  const command = watchable(group.command('list'))
    .description('the backups of a folder, as the beginning of each tells; verify checks one')
    .option('--dir <folder>', 'default: [backup] dir of the home')
  withHelp(command, {
    examples: ['mooring backup list', 'mooring backup list --dir /mnt/backups --json'],
    exits: [3, 11],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions & { dir?: string }>()
    const output = createOutput(context, options)
    const dir = await folderOf(context, options)
    const { items, unreadable } = await listBackups(dir)
    const shown = items.map(({ path, bytes, head, isScheduled }) => ({
      path,
      bytes,
      node: head.node,
      networkId: head.networkId,
      height: head.height,
      digest: head.digest,
      createdAt: head.createdAt,
      hasKeys: head.hasKeys,
      isScheduled,
    }))
    if (output.isJson) {
      output.json({ schema: 'mooring/backups/v1', dir, items: shown, unreadable })
      return
    }
    for (const { path, detail } of unreadable) output.note(`not readable: ${path}: ${detail}`)
    if (shown.length === 0) output.text(`no backup in ${dir}; make one:   mooring backup create`)
    else output.text(formatBackups(shown))
  })
}

async function folderOf(
  context: Context,
  options: RemoteOptions & { dir?: string },
): Promise<string> {
  if (options.dir !== undefined) return resolve(context.cwd, options.dir)
  const own = await ownHome(context, options)
  if (own === null) throw new NodeError('home_missing', { home: homeOf(context, options) })
  return own.backup.dir
}

function formatBackups(backups: readonly Backup[]): string {
  return formatTable(backups, [
    { title: 'made', value: ({ createdAt }) => createdAt },
    { title: 'node', value: ({ node }) => node },
    { title: 'height', value: ({ height }) => formatCount(height), align: 'right' },
    { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
    { title: 'keys', value: ({ hasKeys }) => (hasKeys ? 'sealed' : 'no') },
    { title: 'file', value: ({ path }) => path },
  ])
}

const NEXT_SHOWN = 3

type Schedule = Pick<Backups, 'schedule' | 'dir' | 'keep' | 'lastFailure'> & {
  last: { createdAt: string } | null
}

function addSchedule(group: Command, context: Context): void {
  const command = remote(group.command('schedule')).description(
    'when this node makes backups by itself, and how the last one went',
  )
  withHelp(command, {
    examples: ['mooring backup schedule', 'mooring backup schedule --json'],
    exits: [3, 4, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const own = await ownHome(context, options)
    const state = await inHomeOrNode<Schedule>(context, options, {
      node: (client) => client.admin.data.backups(),
      home: async ({ backup: { schedule, dir, keep }, name }) => {
        const { items } = await listBackups(dir)
        const last = items.find(({ head }) => head.node === name)
        return { schedule, dir, keep, last: last?.head ?? null, lastFailure: null }
      },
    })
    const { schedule, dir, keep, lastFailure } = state
    if (schedule === null) {
      throw new NodeError('backup_unscheduled', { home: own?.home ?? '' })
    }
    const next = nextRuns(schedule, context.now(), NEXT_SHOWN).map((time) => time.toISOString())
    const last = state.last?.createdAt ?? null
    if (output.isJson) {
      const document = { schedule, dir, keep, next, last, lastFailure }
      output.json({ schema: 'mooring/backup-schedule/v1', ...document })
      return
    }
    output.text(
      formatFields([
        ['schedule', schedule],
        ['next', next.join(', ')],
        ['folder', `${dir}, the newest ${keep} stay`],
        ['last', last ?? 'none yet'],
        ...failureFields(output, lastFailure),
      ]),
    )
  })
}

function failureFields(
  output: Output,
  failure: { at: string; code: string; detail: string } | null,
): [string, string][] {
  if (failure === null) return []
  return [['failed', output.bad(`${failure.at}: ${failure.detail} (${failure.code})`)]]
}

export function addBackup(program: Command, context: Context): void {
  const group = program
    .command('backup')
    .description('all that a home keeps but its votes, as one signed file')
  addBackupCreate(group, context)
  addVerify(group, context)
  addList(group, context)
  addBackupRestore(group, context)
  addSchedule(group, context)
  withHelp(group, {
    examples: ['mooring backup create', 'mooring backup list'],
    exits: [3, 4, 5, 6, 7, 8, 10, 11, 13],
  })
}
