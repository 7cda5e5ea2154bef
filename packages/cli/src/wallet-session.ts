// A wallet in the hands of one command: found, opened with the passphrase, changed, saved.
//
// A command saves before it tells anybody what the new wallet knows: a one-time key that was used and is
// forgotten could never be revoked. A save is a whole new file in the place of the old one.

import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CodecError } from '@mooring/codec'
import { CryptoError } from '@mooring/crypto'
import { isThere, replaceFile } from '@mooring/node/durable-files'
import { lockFile } from '@mooring/node/file-lock'
import { NodeError } from '@mooring/node/node-error'
import {
  deriveWalletKey,
  hospitalIn,
  type OpenedWallet,
  openWallet,
  PASSPHRASE_CHARACTERS_MIN,
  RecordsError,
  sealWallet,
  type Wallet,
  type WalletHospital,
  type WalletKey,
} from '@mooring/records'
import type { Command } from 'commander'
import type { Context, GlobalOptions } from './context.ts'
import { readInput } from './read-input.ts'
import { readSecretFile } from './secret-prompt.ts'

export type WalletOptions = GlobalOptions & {
  wallet?: string
  passphraseFile?: string
  // Whom the holder of the wallet represents in this command.
  for?: string
}

export type SaveWallet = (wallet: Wallet) => Promise<void>

const FILE_BYTES_MAX = 128 * 1024 * 1024

// For a group of commands: understood anywhere on the line.
export function withWalletOptions(group: Command): Command {
  return group
    .option('--wallet <file>', 'the wallet (MOORING_WALLET, ~/.mooring/wallet.json)')
    .option('--passphrase-file <file>', 'its passphrase (MOORING_WALLET_PASSPHRASE_FILE)')
    .option('--for <name>', 'act for somebody whom the holder of the wallet represents')
}

export const walletRandom = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

export function walletPathOf(context: Context, options: WalletOptions): string {
  const chosen = options.wallet ?? nonEmpty(context.env['MOORING_WALLET'])
  const home = context.env['HOME'] ?? homedir()
  return resolve(context.cwd, chosen ?? join(home, '.mooring', 'wallet.json'))
}

// Opens, and holds the wallet against every other program until `work` is done.
export async function withWallet<T>(
  context: Context,
  options: WalletOptions,
  work: (wallet: Wallet, save: SaveWallet) => Promise<T>,
): Promise<T> {
  const path = walletPathOf(context, options)
  // A wallet that is not there has no folder to put a lock in.
  await readWalletFile(context, path)
  const unlock = await lockWallet(path)
  try {
    const { wallet, key } = await openAt(context, options, path)
    return await work(wallet, (next) => replaceFile(path, sealed(next, key)))
  } finally {
    await unlock()
  }
}

// For commands that change nothing: a save of another program leaves the one file or the other.
export async function readWallet(context: Context, options: WalletOptions): Promise<Wallet> {
  const { wallet } = await openAt(context, options, walletPathOf(context, options))
  return wallet
}

// In a place where there is none yet.
export async function makeWallet(
  context: Context,
  options: WalletOptions,
  wallet: Wallet,
): Promise<string> {
  const path = walletPathOf(context, options)
  const key = await newKey(context, options, path)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const unlock = await lockWallet(path)
  try {
    if (await isThere(path)) throw new NodeError('wallet_exists', { path })
    await replaceFile(path, sealed(wallet, key))
  } finally {
    await unlock()
  }
  return path
}

// Fails early, before anybody has typed a passphrase.
export async function refuseExisting(context: Context, options: WalletOptions): Promise<void> {
  const path = walletPathOf(context, options)
  if (await isThere(path)) throw new NodeError('wallet_exists', { path })
}

export async function changePassphrase(
  context: Context,
  options: WalletOptions,
  newPassphraseFile: string | undefined,
): Promise<string> {
  const path = walletPathOf(context, options)
  await readWalletFile(context, path)
  const unlock = await lockWallet(path)
  try {
    const { wallet } = await openAt(context, options, path)
    const passphraseFile = newPassphraseFile ?? null
    const passphrase = await newPassphrase(context, { path, passphraseFile })
    const key = await deriveWalletKey(passphrase, walletRandom, context.passphraseCost)
    await replaceFile(path, sealed(wallet, key))
  } finally {
    await unlock()
  }
  return path
}

// Opens a wallet file anywhere, for a restore.
export async function openFile(
  context: Context,
  options: WalletOptions,
  path: string,
): Promise<OpenedWallet> {
  return openAt(context, options, path)
}

// The entry of the wallet for a hospital and, with --for, for whom it represents there.
export function hospitalOf(
  wallet: Wallet,
  organisation: string,
  { for: patient = '' }: Pick<WalletOptions, 'for'> = {},
): WalletHospital {
  const found = hospitalIn(wallet, organisation, patient)
  if (found !== undefined) return found
  const own = wallet.hospitals.filter((each) => each.patient === patient)
  const known = own.map((each) => each.organisation).join(', ') || 'no hospital'
  throw new NodeError('wallet_without_hospital', { organisation, known })
}

async function openAt(
  context: Context,
  options: WalletOptions,
  path: string,
): Promise<OpenedWallet> {
  const file = await readWalletFile(context, path)
  const passphrase = await passphraseOf(context, options, path)
  const opened = await openBytes(file, passphrase, path)
  if (!('code' in opened)) return opened
  if (opened.code === 'passphrase_wrong') throw new NodeError('passphrase_wrong', { path })
  throw new NodeError('wallet_damaged', { path, detail: 'its ciphertext is not what was sealed' })
}

async function openBytes(file: Uint8Array, passphrase: string, path: string) {
  try {
    return await openWallet(file, passphrase)
  } catch (error) {
    const isFile =
      error instanceof RecordsError || error instanceof CryptoError || error instanceof CodecError
    if (!isFile) throw error
    if (error.code === 'unknown_version')
      throw new NodeError('wallet_newer', { path }, { cause: error })
    throw new NodeError('wallet_damaged', { path, detail: error.message }, { cause: error })
  }
}

function sealed(wallet: Wallet, key: WalletKey): string {
  try {
    return sealWallet(wallet, key, walletRandom)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new NodeError('wallet_full', { detail: error.message }, { cause: error })
  }
}

async function readWalletFile(context: Context, path: string): Promise<Uint8Array> {
  try {
    return await readInput(context, path, FILE_BYTES_MAX)
  } catch (error) {
    const isMissing = error instanceof NodeError && error.code === 'file_missing'
    if (isMissing) throw new NodeError('wallet_missing', { path }, { cause: error })
    throw error
  }
}

async function passphraseOf(
  context: Context,
  options: WalletOptions,
  path: string,
): Promise<string> {
  const file = passphraseFileOf(context, options)
  if (file !== undefined) return readSecretFile(context, file)
  if (context.askSecret === undefined) throw new NodeError('passphrase_missing', { path })
  return context.askSecret(`Passphrase of ${path}: `)
}

async function newKey(context: Context, options: WalletOptions, path: string): Promise<WalletKey> {
  const passphraseFile = passphraseFileOf(context, options) ?? null
  const passphrase = await newPassphrase(context, { path, passphraseFile })
  return deriveWalletKey(passphrase, walletRandom, context.passphraseCost)
}

async function newPassphrase(
  context: Context,
  { path, passphraseFile }: { path: string; passphraseFile: string | null },
): Promise<string> {
  if (passphraseFile !== null) return longEnough(await readSecretFile(context, passphraseFile))
  if (context.askSecret === undefined) throw new NodeError('passphrase_missing', { path })
  const typed = longEnough(await context.askSecret(`New passphrase for ${path}: `))
  if ((await context.askSecret('The same again: ')) === typed) return typed
  throw new NodeError('passphrase_differs')
}

function longEnough(passphrase: string): string {
  const characters = Array.from(passphrase).length
  if (characters >= PASSPHRASE_CHARACTERS_MIN) return passphrase
  throw new NodeError('passphrase_short', { characters, least: PASSPHRASE_CHARACTERS_MIN })
}

function passphraseFileOf(context: Context, options: WalletOptions): string | undefined {
  return options.passphraseFile ?? nonEmpty(context.env['MOORING_WALLET_PASSPHRASE_FILE'])
}

const nonEmpty = (text: string | undefined) => (text === '' ? undefined : text)

async function lockWallet(path: string): Promise<() => Promise<void>> {
  const lock = await lockFile(path)
  if ('release' in lock) return lock.release
  throw new NodeError('wallet_in_use', { path, pid: lock.heldBy })
}
