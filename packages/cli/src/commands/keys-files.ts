// Keys as files: made, copied out, taken over, sealed anew.

import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { equalBytes, toHex } from '@mooring/codec'
import { formatDidKey, formatPeerId } from '@mooring/crypto'
import { isThere } from '@mooring/node/durable-files'
import { makeFirstGuard, makeNewGuard } from '@mooring/node/first-guard'
import { findHomeSecrets, resealSecrets } from '@mooring/node/home-secrets'
import {
  createKeyPair,
  KEY_DUTIES,
  randomSeed,
  readKeyFile,
  readPublicHalf,
  replaceKeyFile,
  writeKeyFile,
  type FoundKey,
  type KeyDuty,
} from '@mooring/node/keys'
import { NodeError } from '@mooring/node/node-error'
import { newPassphraseFrom, passphraseFrom } from '@mooring/node/passphrase-source'
import { SeedLock } from '@mooring/node/seed-lock'
import { inStoppedHome } from '@mooring/node/stopped-home'
import { type Command, Option } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, homeOf } from '../context.ts'
import {
  type KeyFileOptions,
  type KeyHome,
  keyPathOf,
  openKeyHome,
  sealingLock,
} from '../key-files.ts'
import { governanceLock, homeLock } from '../keys-lock.ts'
import { createOutput, formatFields, type JsonDocument, type Output } from '../output.ts'

type FileOptions = KeyFileOptions & { output?: string }

type ExportOptions = FileOptions & {
  output: string
  public?: boolean
  move?: boolean
  newPassphraseFile?: string
}

type ImportOptions = FileOptions & { importPassphraseFile?: string }

type ChangeOptions = Omit<KeyFileOptions, 'type'> & {
  type: 'all' | 'governance' | 'node'
  newPassphraseFile?: string
}

const typeOption = () =>
  new Option('--type <duty>', 'which key').choices([...KEY_DUTIES]).makeOptionMandatory()

const passphraseOption = 'what opens the keys of the home'

function nameOf(duty: KeyDuty, { publicKey }: Pick<FoundKey, 'publicKey'>): string {
  if (duty === 'seal') return toHex(publicKey)
  return duty === 'transport' ? formatPeerId(publicKey) : formatDidKey(publicKey)
}

async function isEmpty(folder: string): Promise<boolean> {
  return !(await isThere(folder)) || (await readdir(folder)).length === 0
}

type Told = { schema: JsonDocument['schema']; duty: KeyDuty; file: string; more?: object }

async function tell(output: Output, { schema, duty, file, more = {} }: Told): Promise<void> {
  const found = await readPublicHalf(file, duty)
  const { form } = found
  const name = nameOf(duty, found)
  if (output.isJson) {
    output.json({ schema, duty, file, public: toHex(found.publicKey), name, form, ...more })
    return
  }
  output.text(
    formatFields([
      ['duty', duty],
      ['key', name],
      ['file', file],
      ['form', form],
    ]),
  )
}

function addNew(group: Command, context: Context): void {
  const command = group
    .command('new')
    .description('make a key; never in the place of one that is there')
    .addOption(typeOption())
    .option('-o, --output <file>', 'write it there instead of into the home')
    .option('--passphrase-file <file>', passphraseOption)
    .option('--no-encrypt', 'leave it open; only with profile devnet or test')
  withHelp(command, {
    examples: [
      'mooring keys new --type governance -o /media/usb/governance.json',
      'mooring --home /srv/signer keys new --type consensus',
    ],
    exits: [3, 5, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<FileOptions>()
    const keyHome = await openKeyHome(context, options)
    const duty = options.type
    const inHome = keyPathOf(keyHome, options)
    const file = options.output === undefined ? inHome : resolve(context.cwd, options.output)
    if (await isThere(file)) throw new NodeError('key_exists', { path: file })
    const lock = await sealingLock(context, keyHome, options)
    const key = createKeyPair(duty, randomSeed())
    await writeKeyFile(file, duty, key, { created: context.now(), lock })
    const isFirst = duty === 'consensus' && file === inHome && (await isEmpty(keyHome.guardDir))
    if (isFirst) await makeFirstGuard(keyHome.guardDir)
    await tell(createOutput(context, options), { schema: 'mooring/key-made/v1', duty, file })
  })
}

async function copyOut(
  context: Context,
  options: ExportOptions,
  keyHome: KeyHome,
): Promise<string> {
  const { type: duty, newPassphraseFile: named } = options
  const source = keyPathOf(keyHome, options)
  const file = resolve(context.cwd, options.output)
  if (await isThere(file)) throw new NodeError('file_exists', { path: file })
  const { publicKey, created: made } = await readPublicHalf(source, duty)
  const created = new Date(made)
  if (options.public === true) {
    await writeKeyFile(file, duty, { publicKey, seed: null }, { created })
    return file
  }
  const from =
    duty === 'governance'
      ? await governanceLock(context, options)
      : await homeLock(context, options)
  const key = await readKeyFile(source, duty, from)
  const passphrase = { file: named === undefined ? null : resolve(context.cwd, named), env: {} }
  const { askSecret, passphraseCost } = context
  const lock = new SeedLock(newPassphraseFrom({ ...passphrase, askSecret }), passphraseCost)
  await writeKeyFile(file, duty, key, { created, lock })
  if (options.move === true) {
    await replaceKeyFile(source, duty, { publicKey, seed: null }, { created })
  }
  return file
}

function addExport(group: Command, context: Context): void {
  const command = group
    .command('export')
    .description('copy a key into a file, under a passphrase of its own')
    .addOption(typeOption())
    .requiredOption('-o, --output <file>', 'where the copy is written; nothing is overwritten')
    .option('--public', 'the public half alone')
    .option('--next', 'the key that comes next')
    .option('--move', 'leave the public half behind alone; for the consensus key, to a signer')
    .option('--passphrase-file <file>', passphraseOption)
    .option('--new-passphrase-file <file>', 'what is to open the copy')
  withHelp(command, {
    examples: [
      'mooring keys export --type consensus --move -o /media/usb/consensus.json',
      'mooring keys export --type anchor --public -o anchor.pub.json',
    ],
    exits: [3, 5, 7, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ExportOptions>()
    const keyHome = await openKeyHome(context, options)
    const isMoved = options.move === true
    if (isMoved && (options.type !== 'consensus' || options.public === true)) {
      const detail = 'Only the whole consensus key moves to a signer.'
      throw new NodeError('usage', { detail, command: 'keys export ' })
    }
    const file = isMoved
      ? await inStoppedHome(keyHome, () => copyOut(context, options, keyHome))
      : await copyOut(context, options, keyHome)
    const output = createOutput(context, options)
    const more = { moved: isMoved }
    await tell(output, { schema: 'mooring/key-exported/v1', duty: options.type, file, more })
    if (!isMoved) return
    output.note(`\nIn the home of the signer:   mooring keys import ${file} --type consensus`)
    output.note('Here, under [keys]:   signer = "unix:<path>"   and then: mooring start')
  })
}

// A key that was used elsewhere may have voted: nobody here knows what.
async function takeOver(
  context: Context,
  options: ImportOptions,
  keyHome: KeyHome,
  source: string,
) {
  const { type: duty, importPassphraseFile: named } = options
  const target = keyPathOf(keyHome, options)
  const { publicKey, form, created: made } = await readPublicHalf(source, duty)
  const present = (await isThere(target)) ? await readPublicHalf(target, duty) : null
  if (present !== null) {
    if (present.form !== 'elsewhere' || form === 'elsewhere')
      throw new NodeError('key_exists', { path: target })
    if (!equalBytes(present.publicKey, publicKey)) {
      const [found, expected] = [nameOf(duty, { publicKey }), nameOf(duty, present)]
      throw new NodeError('key_foreign', { path: source, found, expected })
    }
  }
  const created = new Date(made)
  if (form === 'elsewhere') {
    await replaceKeyFile(target, duty, { publicKey, seed: null }, { created })
    return target
  }
  const file = named === undefined ? null : resolve(context.cwd, named)
  const { askSecret, passphraseCost } = context
  const from = new SeedLock(passphraseFrom({ file, env: {}, askSecret }), passphraseCost)
  const key = await readKeyFile(source, duty, from)
  const lock = await sealingLock(context, keyHome, options)
  const isVoting = duty === 'consensus' && options.next !== true
  if (isVoting && !(await isEmpty(keyHome.guardDir))) {
    await makeNewGuard(keyHome.guardDir, keyHome.marksPath)
  }
  await replaceKeyFile(target, duty, key, { created, lock })
  return target
}

function addImport(group: Command, context: Context): void {
  const command = group
    .command('import')
    .description('take a key over from a file; never in the place of another one')
    .argument('<file>', 'what keys export wrote')
    .addOption(typeOption())
    .option('--next', 'as the key that comes next')
    .option('--passphrase-file <file>', passphraseOption)
    .option('--import-passphrase-file <file>', 'what opens the file')
    .option('--no-encrypt', 'leave it open; only with profile devnet or test')
  withHelp(command, {
    examples: [
      'mooring --home /srv/signer keys import /media/usb/consensus.json --type consensus',
      'mooring keys import half.json --type consensus --next',
    ],
    exits: [3, 5, 6, 7, 10],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<ImportOptions>()
    const keyHome = await openKeyHome(context, options)
    const source = resolve(context.cwd, word)
    if (!(await isThere(source))) throw new NodeError('file_missing', { path: source })
    const file = await inStoppedHome(keyHome, () => takeOver(context, options, keyHome, source))
    const output = createOutput(context, options)
    await tell(output, { schema: 'mooring/key-imported/v1', duty: options.type, file })
    if (options.type === 'consensus' && options.next !== true) {
      output.note('\nNothing else may vote with this key from now on.')
    }
  })
}

function addChangePassphrase(group: Command, context: Context): void {
  const command = group
    .command('change-passphrase')
    .description(
      'seal the keys of the home, and what else is secret there, under another passphrase',
    )
    .addOption(
      new Option('--type <which>', 'all of them, the governance key alone, or those of the node')
        .choices(['all', 'governance', 'node'])
        .default('all'),
    )
    .option('--passphrase-file <file>', 'what opens them now')
    .option('--new-passphrase-file <file>', 'what is to open them')
  withHelp(command, {
    examples: [
      'mooring keys change-passphrase',
      'mooring keys change-passphrase --passphrase-file old --new-passphrase-file new',
    ],
    exits: [3, 5, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<ChangeOptions>()
    const output = createOutput(context, options)
    const keyHome = await openKeyHome(context, options)
    const { home, paths } = keyHome
    const { newPassphraseFile: named } = options
    const newFile = named === undefined ? null : resolve(context.cwd, named)
    const changed = await inStoppedHome(keyHome, async () => {
      const found = await findHomeSecrets(home, paths)
      const isChosen = (what: KeyDuty | 'records') =>
        options.type === 'all' || (options.type === 'governance') === (what === 'governance')
      const secrets = found.filter(({ what }) => isChosen(what))
      const from = await homeLock(context, options)
      const { askSecret, passphraseCost } = context
      const ask = newPassphraseFrom({ file: newFile, env: {}, askSecret })
      const to = new SeedLock(ask, passphraseCost)
      const { sealedBefore } = await resealSecrets(home, secrets, { from, to })
      return { files: secrets.map(({ path }) => path), sealedBefore }
    })
    if (output.isJson) return output.json({ schema: 'mooring/passphrase-changed/v1', ...changed })
    for (const file of changed.files) output.text(file)
    output.text(
      output.good(`sealed anew: ${changed.files.length} files in ${homeOf(context, options)}`),
    )
    output.note('\nOlder copies of these files still open with the older passphrase.')
    if (newFile !== null)
      output.note(`Let the node find it, under [keys]:   passphrase_file = "${newFile}"`)
  })
}

export function addKeyFiles(group: Command, context: Context): void {
  addNew(group, context)
  addExport(group, context)
  addImport(group, context)
  addChangePassphrase(group, context)
}
