// The file with which a practitioner's device signs: one Ed25519 seed, readable by its owner alone.

import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CodecError, fromHex, toHex } from '@mooring/codec'
import { formatDidKey, type KeyPair, keyPairFromSeed } from '@mooring/crypto'
import { hasCode, writeNewFile } from '@mooring/node/durable-files'
import { NodeError } from '@mooring/node/node-error'
import type { Context } from './context.ts'
import { readInput } from './read-input.ts'

const TYPE = 'mooring/practitioner-key'
const FILE_BYTES_MAX = 64 * 1024
const OTHERS = 0o077

export async function makePractitionerFile(context: Context, path: string): Promise<KeyPair> {
  const keyPair = keyPairFromSeed(new Uint8Array(randomBytes(32)))
  const content = {
    type: TYPE,
    version: 1,
    key: formatDidKey(keyPair.publicKey),
    seed: toHex(keyPair.seed),
  }
  await writePrivate(context, path, `${JSON.stringify(content, null, 2)}\n`)
  return keyPair
}

export async function readPractitionerFile(context: Context, path: string): Promise<KeyPair> {
  await refuseOpen(context, path)
  const content = parse(
    path,
    new TextDecoder().decode(await readInput(context, path, FILE_BYTES_MAX)),
  )
  const { type, seed, key } = content
  if (type !== TYPE || typeof seed !== 'string') {
    throw unreadable(path, 'it is no key file of a practitioner')
  }
  const keyPair = keyPairFromSeed(seedOf(path, seed))
  if (key === formatDidKey(keyPair.publicKey)) return keyPair
  throw unreadable(path, 'its public key is not that of its seed')
}

// As the hospital gave it; the text of the credential, whatever is around it.
export async function readCredentialFile(context: Context, path: string): Promise<string> {
  return new TextDecoder().decode(await readInput(context, path, FILE_BYTES_MAX)).trim()
}

export async function isPractitionerFile(context: Context, path: string): Promise<boolean> {
  const text = await readFile(resolve(context.cwd, path), 'utf8').catch(() => '')
  return text.includes(TYPE)
}

export function unreadable(path: string, detail: string, cause?: unknown): NodeError {
  return new NodeError('practitioner_file_unreadable', { path, detail }, { cause })
}

export async function writePrivate(context: Context, path: string, text: string): Promise<void> {
  try {
    await writeNewFile(resolve(context.cwd, path), text)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    throw new NodeError('file_exists', { path }, { cause: error })
  }
}

function parse(path: string, text: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(text)
    if (typeof content === 'object' && content !== null) return { ...content }
  } catch (error) {
    throw unreadable(path, 'it is no JSON', error)
  }
  throw unreadable(path, 'it is no JSON object')
}

function seedOf(path: string, text: string): Uint8Array {
  try {
    const seed = fromHex(text)
    if (seed.length === 32) return seed
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw unreadable(path, 'its seed is not hexadecimal', error)
  }
  throw unreadable(path, 'its seed has not 32 bytes')
}

async function refuseOpen(context: Context, path: string): Promise<void> {
  const found = await stat(resolve(context.cwd, path)).catch(() => undefined)
  if (found !== undefined && (found.mode & OTHERS) !== 0) {
    throw unreadable(path, 'others on this computer may read it; take that right away: chmod 600')
  }
}
