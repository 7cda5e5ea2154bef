// The wallet itself: made, looked at, kept safe, made again.

import { toHex } from '@mooring/codec'
import { CryptoError, seedToWords, wordsToSeed } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { createWallet, afterRestore, WALLET_LABEL_BYTES_MAX, type Wallet } from '@mooring/records'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { writeNew } from '../grant-file.ts'
import {
  createOutput,
  formatAmount,
  formatFields,
  formatTable,
  formatTime,
  type Output,
} from '../output.ts'
import { readInput } from '../read-input.ts'
import {
  changePassphrase,
  makeWallet,
  openFile,
  readWallet,
  refuseExisting,
  type WalletOptions,
  walletPathOf,
  walletRandom,
} from '../wallet-session.ts'

type NewOptions = WalletOptions & { label: string }
type BackupOptions = WalletOptions & { words?: boolean; check?: string; output?: string }
type RestoreOptions = WalletOptions & { label: string; words?: string | true; file?: string }
type PassphraseOptions = WalletOptions & { newPassphraseFile?: string }

const WORDS_BYTES_MAX = 4_096

function usage(detail: string, command: string): NodeError {
  return new NodeError('usage', { detail, command: `patient ${command} ` })
}

function checkLabel(label: string, command: string): void {
  if (Buffer.byteLength(label) <= WALLET_LABEL_BYTES_MAX) return
  throw usage(`A label has at most ${WALLET_LABEL_BYTES_MAX} bytes.`, command)
}

function addNew(group: Command, context: Context): void {
  const command = group
    .command('new')
    .description('make a wallet, and show the words that make it again')
    .option('--label <text>', 'what to call it; it leaves the file never', 'my wallet')
  withHelp(command, {
    examples: [
      'mooring patient new',
      'mooring patient new --wallet ada.json --passphrase-file passphrase.txt',
    ],
    exits: [3, 6, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<NewOptions>()
    const output = createOutput(context, options)
    checkLabel(options.label, 'new')
    await refuseExisting(context, options)
    const seed = walletRandom(32)
    const file = await makeWallet(context, options, {
      ...newWallet(context, options.label, seed),
    })
    if (output.isJson) {
      output.json({ schema: 'mooring/wallet-file/v1', file, label: options.label })
      return
    }
    output.text(formatWords(seed))
    output.note(
      `wallet written to ${file}\nWrite these words on paper now. Whoever has them has the wallet;` +
        ' without them a lost wallet is lost.\nCheck the paper:   mooring patient backup --check -',
    )
  })
}

function newWallet(context: Context, label: string, seed: Uint8Array): Wallet {
  const createdAt = context.now().getTime()
  return createWallet({ label, createdAt, seed, deviceSecret: walletRandom(32) })
}

// Numbered, four in a row; what is shown can be given back as it is.
function formatWords(seed: Uint8Array): string {
  const words = seedToWords(seed).map((word, index) => `${String(index + 1).padStart(2)} ${word}`)
  const rows = [0, 4, 8, 12, 16, 20].map((first) => words.slice(first, first + 4))
  return rows
    .map((row) =>
      row
        .map((each) => each.padEnd(14))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

function addShow(group: Command, context: Context): void {
  const command = group.command('show').description('what is in the wallet; never its secrets')
  withHelp(command, {
    examples: ['mooring patient show', 'mooring patient show --wallet ada.json --json'],
    exits: [3, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions>()
    const output = createOutput(context, options)
    const wallet = await readWallet(context, options)
    const file = walletPathOf(context, options)
    const { label, createdAt, seed, genesis, hospitals, grants } = wallet
    const network = genesis === null ? null : networkId(genesis.digest)
    const kind = seed === null ? 'device' : 'patient'
    const shown = { label, kind, createdAt: formatTime(createdAt), network }
    const counts = { hospitals: hospitals.length, grants: grants.length }
    if (output.isJson) output.json({ schema: 'mooring/wallet/v1', file, ...shown, ...counts })
    else
      output.text(
        formatFields([
          ['wallet', file],
          ['label', label],
          ['kind', seed === null ? 'of a device: it signs by delegation' : 'has the seed'],
          ['made', shown.createdAt],
          ['network', network ?? 'none yet'],
          ['hospitals', formatAmount(counts.hospitals, 'hospital')],
          ['grants', formatAmount(counts.grants, 'grant')],
        ]),
      )
  })
}

function addBackup(group: Command, context: Context): void {
  const command = group
    .command('backup')
    .description('keep the wallet safe: its words on paper, or a sealed copy')
    .option('--words', 'show the words again')
    .option('--check <file>', 'whether words that were written down are right; - for stdin')
    .option('-o, --output <file>', 'a copy, sealed with the same passphrase')
  withHelp(command, {
    examples: [
      'mooring patient backup --words',
      'mooring patient backup --check -          type the words, then Ctrl-D',
      'mooring patient backup -o /media/stick/wallet.json',
    ],
    exits: [3, 5, 6, 7, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<BackupOptions>()
    const { words, check, output: copy } = options
    const asked = [words, check, copy].filter((each) => each !== undefined)
    if (asked.length !== 1) throw usage('Give one of --words, --check and --output.', 'backup')
    const output = createOutput(context, options)
    if (copy !== undefined) {
      await copyWallet(context, { ...options, output: copy }, output)
      return
    }
    const { seed } = await readWallet(context, options)
    if (seed === null) throw new NodeError('wallet_of_device', { what: 'A paper with words' })
    if (check === undefined) {
      if (output.isJson) output.json({ schema: 'mooring/words/v1', words: seedToWords(seed) })
      else output.text(formatWords(seed))
      return
    }
    const typed = await readWords(context, check)
    if (toHex(typed) !== toHex(seed)) throw new NodeError('words_differ')
    if (output.isJson) output.json({ schema: 'mooring/words-checked/v1', right: true })
    else output.text(output.good('the words are right'))
  })
}

// The file as it is: who restores it needs the passphrase of today.
async function copyWallet(
  context: Context,
  options: WalletOptions & { output: string },
  output: Output,
): Promise<void> {
  const path = walletPathOf(context, options)
  await readWallet(context, options)
  const text = new TextDecoder().decode(await readInput(context, path))
  await writeNew(context, options.output, text)
  if (output.isJson) output.json({ schema: 'mooring/wallet-file/v1', file: options.output })
  else output.note(`copy written to ${options.output}; the same passphrase opens it`)
}

function addRestore(group: Command, context: Context): void {
  const command = group
    .command('restore')
    .description('make a wallet again, from its words or from a copy')
    .option('--words [file]', 'from the words: asked for, or in a file; - for stdin')
    .option('--file <copy>', 'from a copy, with the passphrase that it had')
    .option('--label <text>', 'what to call it', 'my wallet')
  withHelp(command, {
    examples: [
      'mooring patient restore --words',
      'mooring patient restore --words - < words.txt',
      'mooring patient restore --file /media/stick/wallet.json',
    ],
    exits: [3, 5, 6, 7, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RestoreOptions>()
    const { words, file: copy, label } = options
    if ((words === undefined) === (copy === undefined)) {
      throw usage('Give one of --words and --file.', 'restore')
    }
    checkLabel(label, 'restore')
    const output = createOutput(context, options)
    await refuseExisting(context, options)
    const found =
      copy === undefined
        ? await fromWords(context, label, words === true ? undefined : words)
        : (await openFile(context, options, copy)).wallet
    const wallet = afterRestore(found, context.now().getTime())
    const file = await makeWallet(context, options, wallet)
    const { hospitals } = wallet
    if (output.isJson) {
      output.json({
        schema: 'mooring/wallet-file/v1',
        file,
        label: wallet.label,
        hospitals: hospitals.length,
      })
      return
    }
    output.note(`wallet written to ${file}`)
    if (hospitals.length === 0) {
      output.note('Hospitals are known to it again after:   mooring patient enrol <ticket>')
    }
  })
}

async function fromWords(
  context: Context,
  label: string,
  file: string | undefined,
): Promise<Wallet> {
  const seed = await readWords(context, file)
  return newWallet(context, label, seed)
}

async function readWords(context: Context, file: string | undefined): Promise<Uint8Array> {
  const typed =
    file === undefined
      ? await askWords(context)
      : new TextDecoder().decode(await readInput(context, file, WORDS_BYTES_MAX))
  try {
    return wordsToSeed(typed.replaceAll(/\b\d{1,2}\b[.)]?/g, ' '))
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const detail = error.message.replace(/^\w+: /, '')
    throw new NodeError('words_wrong', { detail }, { cause: error })
  }
}

async function askWords(context: Context): Promise<string> {
  if (context.askSecret !== undefined) return context.askSecret('The 24 words, on one line: ')
  throw usage('There is no terminal to type the words at: name a file, or - for stdin.', 'restore')
}

function addPassphrase(group: Command, context: Context): void {
  const command = group
    .command('passphrase')
    .description('seal the wallet with another passphrase')
    .option('--new-passphrase-file <file>', 'the new one, instead of typing it')
  withHelp(command, {
    examples: [
      'mooring patient passphrase',
      'mooring patient passphrase --new-passphrase-file new.txt',
    ],
    exits: [3, 5, 6, 8, 10],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<PassphraseOptions>()
    const output = createOutput(context, options)
    const file = await changePassphrase(context, options, options.newPassphraseFile)
    if (output.isJson) output.json({ schema: 'mooring/wallet-file/v1', file })
    else output.note(`${file} opens with the new passphrase; copies keep the old one`)
  })
}

function addHospitals(group: Command, context: Context): void {
  const command = group
    .command('hospitals')
    .description('where the wallet is enrolled, and by which key each knows it')
  withHelp(command, {
    examples: ['mooring patient hospitals', 'mooring patient hospitals --json'],
    exits: [3, 5, 6, 8],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<WalletOptions>()
    const output = createOutput(context, options)
    const { hospitals } = await readWallet(context, options)
    const items = hospitals.map((each) => ({
      organisation: each.organisation,
      name: each.name,
      patient: each.patient,
      endpoint: each.endpoint,
      patientKey: toHex(each.patientKey),
      enrolledAt: formatTime(each.enrolledAt),
      isOwn: each.access === null,
      receipts: each.receipts?.receipts.records.length ?? 0,
    }))
    if (output.isJson) output.json({ schema: 'mooring/wallet-hospitals/v1', items })
    else if (items.length === 0) output.text('no hospital yet')
    else
      output.text(
        formatTable(items, [
          { title: 'hospital', value: ({ organisation }) => organisation },
          { title: 'for', value: ({ patient }) => (patient === '' ? 'myself' : patient) },
          { title: 'address', value: ({ endpoint }) => endpoint },
          { title: 'receipts', value: ({ receipts }) => String(receipts), align: 'right' },
          { title: 'since', value: ({ enrolledAt }) => enrolledAt },
        ]),
      )
  })
}

export function addWalletCommands(group: Command, context: Context): void {
  addNew(group, context)
  addShow(group, context)
  addHospitals(group, context)
  addBackup(group, context)
  addRestore(group, context)
  addPassphrase(group, context)
}
