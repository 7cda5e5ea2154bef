// 32 random bytes that never leave this node: what it keeps of patients is named and sealed with keys that
// follow from them (at-rest.ts). Made once; a node that lost them opens none of it again. Sealed on the
// disk where the keys beside it are (seed-lock.ts).

import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import { syncFolder, writeNewFile } from './durable-files.ts'
import { homePaths } from './home.ts'
import { parseOwnJson } from './keys.ts'
import { NodeError } from './node-error.ts'
import { noPassphrase, readSealedSeed, type SeedLock } from './seed-lock.ts'

const SECRET = /^[0-9a-f]{64}\n$/
const HEAD = { type: 'records', public: '', name: '', created: '' }

export interface SecretPlace {
  home: string
  lock?: SeedLock
}

export function recordsSecretPath(home: string): string {
  return join(homePaths(home).keys, 'records.secret')
}

/** The one of the home. */
export function loadRecordsSecret({ home, lock }: SecretPlace): Promise<Uint8Array> {
  return loadLocalSecret(recordsSecretPath(home), lock)
}

export async function loadLocalSecret(path: string, lock = noPassphrase()): Promise<Uint8Array> {
  const text = await readOwn(path)
  if (text === undefined) {
    const secret = new Uint8Array(randomBytes(32))
    await keepLocalSecret(path, secret, lock.isUsed ? lock : null)
    return secret
  }
  return readSecret(path, text, lock)
}

/** Undefined when there is none. */
export async function findLocalSecret(
  path: string,
  lock: SeedLock,
): Promise<Uint8Array | undefined> {
  const text = await readOwn(path)
  return text === undefined ? undefined : readSecret(path, text, lock)
}

async function readSecret(path: string, text: string, lock: SeedLock): Promise<Uint8Array> {
  if (SECRET.test(text)) return fromHex(text.trimEnd())
  if (!text.startsWith('{')) {
    throw new NodeError('key_malformed', { path, detail: 'it is not 64 hex digits and a newline' })
  }
  const content = parseOwnJson(path, text)
  const sealed =
    typeof content === 'object' && content !== null ? readSealedSeed(content) : undefined
  if (sealed === undefined) throw new NodeError('key_encrypted', { path })
  return lock.open(sealed, HEAD, path)
}

async function readOwn(path: string): Promise<string | undefined> {
  try {
    const mode = (await stat(path)).mode & 0o777
    if ((mode & 0o077) !== 0) {
      throw new NodeError('key_open', { path, mode: mode.toString(8).padStart(4, '0') })
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Sealed when there is a lock. A crash leaves the whole secret, or what was there before. */
export async function keepLocalSecret(
  path: string,
  secret: Uint8Array,
  lock: SeedLock | null,
): Promise<void> {
  const sealed = lock && { version: 1, type: HEAD.type, ...(await lock.seal(secret, HEAD)) }
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  const text = sealed === null ? toHex(secret) : JSON.stringify(sealed, null, 2)
  await writeNewFile(temporary, `${text}\n`)
  await rename(temporary, path)
  await syncFolder(dirname(path))
}
