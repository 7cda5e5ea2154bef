// `backup restore`: a new home from a backup, which observes before it votes; or, for somebody new, a home
// with keys of its own that begins with the chain of the backup.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  type KeySource,
  readBackupGenesis,
  restoreBackup,
  restoreChain,
} from '@mooring/node/backup-restore'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, type GlobalOptions, homeOf } from '../context.ts'
import { passphraseForKeys } from '../keys-passphrase.ts'
import { createOutput, formatCount, formatFields } from '../output.ts'
import { initialise, noteDigest } from './init.ts'

type RestoreOptions = GlobalOptions & {
  keys?: string
  passphraseFile?: string
  newIdentity?: boolean
  genesisDigest?: string
  name?: string
  encrypt: boolean
}

export function addBackupRestore(group: Command, context: Context): void {
  const command = group
    .command('restore')
    .description('make a new home of a backup; its node observes first, and votes later')
    .argument('<file>', 'the backup')
    .option('--keys <folder>', 'keys of that node, where the backup has none')
    .option('--passphrase-file <file>', 'passphrase of the keys in the backup')
    .option('--new-identity', 'with new keys, for somebody new: the chain alone is taken')
    .option('--genesis-digest <hex>', 'with --new-identity: the network it must be of')
    .option('--name <name>', 'name of who is new')
    .option('--no-encrypt', 'do not seal the new keys; only with [node] profile devnet or test')
  withHelp(command, {
    examples: [
      'mooring --home /srv/new backup restore st-mary.tar.zst --keys /media/safe/keys',
      'mooring --home /srv/new backup restore st-mary.tar.zst --passphrase-file backup.pass',
      'mooring --home /srv/lab backup restore st-mary.tar.zst --new-identity --name lab',
    ],
    exits: [3, 5, 6, 7, 8, 11, 13],
  })
  command.action(async (file: string) => {
    const options = command.optsWithGlobals<RestoreOptions>()
    const path = resolve(context.cwd, file)
    if (options.newIdentity === true) await restoreForSomebodyNew(context, options, path)
    else await restore(context, options, path)
  })
}

async function restore(context: Context, options: RestoreOptions, path: string): Promise<void> {
  const output = createOutput(context, options)
  const home = homeOf(context, options)
  const keys: KeySource =
    options.keys === undefined
      ? { from: 'backup', passphrase: await passphraseIfAsked(context, options) }
      : { from: 'folder', folder: resolve(context.cwd, options.keys) }
  const { manifest, changed } = await restoreBackup({ path, home, keys })
  const { node, networkId, height, digest, createdAt } = manifest
  if (output.isJson) {
    const document = { home, node, networkId, height, digest, createdAt }
    output.json({ schema: 'mooring/restore/v1', ...document, observesFirst: true, changed })
    return
  }
  output.text(
    formatFields([
      ['home', home],
      ['node', `${node}, ${networkId}`],
      ['chain', `height ${formatCount(height)}, as of ${createdAt}`],
      ['votes', 'none: it observes first, and votes when no forgotten vote can matter'],
    ]),
  )
  for (const { name, was, is } of changed)
    output.note(`${name} was ${was}, and is ${is} now: all of it is in the home`)
  output.note('Make sure that the node this was a backup of never runs again.')
  output.note(`start it:   mooring --home ${home} start`)
}

/** Where a backup has no keys none is asked for: that it has none is found out first. */
async function passphraseIfAsked(
  context: Context,
  { passphraseFile }: RestoreOptions,
): Promise<string | null> {
  if (passphraseFile === undefined && context.askSecret === undefined) return null
  return await passphraseForKeys(context, passphraseFile, { isNew: false })
}

async function restoreForSomebodyNew(
  context: Context,
  options: RestoreOptions,
  path: string,
): Promise<void> {
  const output = createOutput(context, options)
  if (options.name === undefined) {
    const detail = 'Who is new needs a name: --name <name>.'
    throw new NodeError('usage', { detail, command: 'backup restore ' })
  }
  const folder = await mkdtemp(join(tmpdir(), 'mooring-restore-'))
  try {
    const genesis = join(folder, 'genesis.json')
    await writeFile(genesis, await readBackupGenesis(path))
    const { name, ...rest } = options
    const made = await initialise(context, { ...rest, name, network: genesis, role: 'observer' })
    const { manifest } = await restoreChain({ path, home: made.home })
    const { home, joinLine } = made
    const { networkId, height, digest } = manifest
    if (output.isJson) {
      const document = { home, name, networkId, height, digest, joinLine }
      output.json({ schema: 'mooring/restore-new/v1', ...document })
      return
    }
    output.text(
      formatFields([
        ['home', home],
        ['name', `${name}, with keys of its own`],
        ['chain', `height ${formatCount(height)}`],
        ['records', 'none: they belong to the keys of who made the backup'],
      ]),
    )
    noteDigest(output, made)
    if (joinLine !== null) output.text(`\nSend this line to a member:\n${joinLine}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
