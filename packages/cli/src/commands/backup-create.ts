// `backup create`: the command reads a stopped home itself; a node that runs is asked, and the command waits
// until it is done. Keys are sealed here, under a passphrase that the node never hears.

import { copyFile, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Backup, Backups } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { encodeBase64url } from '@mooring/crypto'
import { createBackupOffline } from '@mooring/node/backup-create'
import { readKeyFolder, readKeysOfHome, sealKeys } from '@mooring/node/backup-keys'
import { hasCode, isThere, syncFolder } from '@mooring/node/durable-files'
import { homePaths } from '@mooring/node/home'
import { NodeError } from '@mooring/node/node-error'
import type { Compression } from '@mooring/node'
import { type Command, Option } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import { type Context, homeOf } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { inHomeOrNode, ownHome } from '../home-or-node.ts'
import { createOutput, formatBytes, formatCount, formatFields, type Output } from '../output.ts'
import { passphraseForKeys } from '../keys-passphrase.ts'

const POLL_MS = 200
const LINE_MS = 5_000
const UNFINISHED = /[.]tar([.](zst|gz))?[.]partial$/

type CreateOptions = RemoteOptions & {
  output?: string
  includeKeys?: boolean
  passphraseFile?: string
  compress: Compression
}

export function addBackupCreate(group: Command, context: Context): void {
  const command = remote(group.command('create'))
    .description('make a backup: of a stopped home, or by the node that runs and goes on running')
    .option('-o, --output <file>', 'where to put it (a name of its own in [backup] dir)')
    .option('--include-keys', 'with the keys, sealed under a passphrase')
    .option('--passphrase-file <file>', 'passphrase for them; default: asked at the terminal')
    .addOption(
      new Option('--compress <how>', 'how to compress it')
        .choices(['zstd', 'gzip', 'none'])
        .default('zstd'),
    )
  withHelp(command, {
    examples: [
      'mooring backup create',
      'mooring backup create -o /mnt/backups/st-mary.tar.zst',
      'mooring backup create --include-keys --passphrase-file backup.pass',
    ],
    exits: [3, 4, 6, 7, 11],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<CreateOptions>()
    const output = createOutput(context, options)
    const path = options.output === undefined ? null : resolve(context.cwd, options.output)
    const keys = await sealedKeys(context, options)
    const { compress: compression } = options
    const made = await inHomeOrNode<Backup>(context, options, {
      home: async (own) => {
        const wish = { path, compression, keys, isScheduled: false, now: context.now() }
        const backup = await createBackupOffline(own, wish)
        const { node, networkId, height, digest, createdAt, hasKeys } = backup.manifest
        const place = { path: backup.path, bytes: backup.bytes, isScheduled: false }
        return { ...place, node, networkId, height, digest, createdAt, hasKeys }
      },
      node: async (client) => {
        const sealed = keys === null ? {} : { keys: encodeBase64url(keys) }
        const backup = await askNode(client, output, { compression, ...sealed })
        return path === null ? backup : await movedTo(backup, path)
      },
    })
    report(output, made)
    if (path !== null) await tellUnfinished(output, dirname(path))
  })
}

async function sealedKeys(context: Context, options: CreateOptions): Promise<Uint8Array | null> {
  if (options.includeKeys !== true) return null
  const folder = homePaths(homeOf(context, options)).keys
  const own = await ownHome(context, options)
  const files =
    own === null ? await readKeyFolder(folder) : await readKeysOfHome(folder, own.keyPaths)
  const passphrase = await passphraseForKeys(context, options.passphraseFile, { isNew: true })
  return await sealKeys(files, passphrase, context.passphraseCost)
}

async function askNode(
  client: Client,
  output: Output,
  wish: { compression: Compression; keys?: string },
): Promise<Backup> {
  let state: Backups = await client.admin.data.beginBackup(wish)
  const since = state.running?.since
  let toldAt = performance.now()
  while (state.running !== null && state.running.since === since) {
    await pause(POLL_MS)
    state = await client.admin.data.backups()
    if (state.running === null || performance.now() - toldAt < LINE_MS) continue
    toldAt = performance.now()
    output.note(`the node backs up: ${formatBytes(state.running.bytes)} so far`)
  }
  const { last, lastFailure } = state
  if (lastFailure !== null) {
    throw new NodeError('backup_failed', { detail: lastFailure.detail })
  }
  if (last === null) throw new NodeError('backup_failed', { detail: 'The node tells of none' })
  return last
}

/** The node writes into its own folder; what was asked for elsewhere is moved by who asked. */
async function movedTo(backup: Backup, path: string): Promise<Backup> {
  if (await isThere(path)) throw new NodeError('file_exists', { path })
  if (!(await isThere(backup.path))) {
    throw new NodeError('file_missing', { path: `${backup.path} (on the computer of the node)` })
  }
  try {
    await rename(backup.path, path)
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error
    await moveToDisk(backup.path, path)
  }
  return { ...backup, path }
}

/** To another disk: it is whole there before it goes here. */
async function moveToDisk(from: string, to: string): Promise<void> {
  const partial = `${to}.partial`
  try {
    await copyFile(from, partial)
    const file = await open(partial, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, to)
  } finally {
    await rm(partial, { force: true })
  }
  await syncFolder(dirname(to))
  await rm(from)
}

/** What a power cut ended has no name to be found by, and may be large. The node cleans its own folder itself. */
async function tellUnfinished(output: Output, folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!UNFINISHED.test(name)) continue
    output.note(`unfinished: ${join(folder, name)}; remove it, unless a backup is made there now`)
  }
}

function report(output: Output, made: Backup): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/backup-created/v1', ...made })
    return
  }
  const { path, bytes, height, digest, hasKeys } = made
  output.text(
    formatFields([
      ['backup', path],
      ['size', formatBytes(bytes)],
      ['chain', `height ${formatCount(height)}, ${digest}`],
      ['keys', hasKeys ? 'in it, sealed under the passphrase' : 'not in it: keep them elsewhere'],
    ]),
  )
  output.note(`check it:   mooring backup verify ${path}`)
}
