// Key files: one key per duty, one file per key, readable by its owner alone. A file is sealed under the
// passphrase of the home (seed-lock.ts), or lies open, as in a devnet; or it has the public half only,
// and a signer holds the rest. The public half is always readable: nobody needs a passphrase to look.

import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import {
  formatDidKey,
  formatPeerId,
  type KeyPair,
  keyPairFromSeed,
  x25519PublicKey,
} from '@mooring/crypto'
import { syncFolder, writeNewFile } from './durable-files.ts'
import { NodeError } from './node-error.ts'
import { noPassphrase, readSealedSeed, type SealedSeed, type SeedLock } from './seed-lock.ts'

export const KEY_DUTIES = ['governance', 'consensus', 'transport', 'anchor', 'seal'] as const

export type KeyDuty = (typeof KEY_DUTIES)[number]

// Ed25519 for everything that signs; the seal key is X25519 and has the same two halves.
export type KeyRing = Readonly<Record<KeyDuty, KeyPair>>

export type PublicHalf = Pick<KeyPair, 'publicKey'>

// How the secret half lies in its file: "elsewhere" is with a signer.
export type KeyForm = 'sealed' | 'plain' | 'elsewhere'

export type FoundKey = PublicHalf & { form: KeyForm; created: string }

const HEX_32 = /^[0-9a-f]{64}$/

type KeyHead = {
  version: 1
  type: KeyDuty
  public: string
  // What other people call the key: a peer id for transport, did:key for the rest that signs.
  name: string | null
  created: string
}

type KeyFile = KeyHead & ({ kdf: null; cipher: null; seed: string | null } | SealedSeed)

function readForm(content: unknown): KeyFile | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  const file: Partial<Record<keyof KeyFile, unknown>> = content
  const type = KEY_DUTIES.find((duty) => duty === file.type)
  const { name, created, public: half, seed } = file
  if (file.version !== 1 || type === undefined || !isHex32(half)) return undefined
  if (name !== null && typeof name !== 'string') return undefined
  if (typeof created !== 'string') return undefined
  const head: KeyHead = { version: 1, type, public: half, name, created }
  if (file.kdf === null && file.cipher === null) {
    return seed === null || isHex32(seed) ? { ...head, kdf: null, cipher: null, seed } : undefined
  }
  const sealed = readSealedSeed(file)
  return sealed && { ...head, ...sealed }
}

const isHex32 = (text: unknown): text is string => typeof text === 'string' && HEX_32.test(text)

export function createKeyPair(duty: KeyDuty, seed: Uint8Array): KeyPair {
  return duty === 'seal' ? { seed, publicKey: x25519PublicKey(seed) } : keyPairFromSeed(seed)
}

export function createKeyRing(seedOf: (duty: KeyDuty) => Uint8Array = randomSeed): KeyRing {
  const make = (duty: KeyDuty) => createKeyPair(duty, seedOf(duty))
  return {
    governance: make('governance'),
    consensus: make('consensus'),
    transport: make('transport'),
    anchor: make('anchor'),
    seal: make('seal'),
  }
}

export function randomSeed(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

export function keyFileName(duty: KeyDuty): string {
  return `${duty}.json`
}

function publicName(duty: KeyDuty, publicKey: Uint8Array): string | null {
  if (duty === 'seal') return null
  return duty === 'transport' ? formatPeerId(publicKey) : formatDidKey(publicKey)
}

async function contentOf(head: KeyHead, seed: Uint8Array | null, lock: SeedLock | null) {
  if (seed === null) return { ...head, kdf: null, cipher: null, seed: null }
  if (lock === null) return { ...head, kdf: null, cipher: null, seed: toHex(seed) }
  return { ...head, ...(await lock.seal(seed, boundHead(head))) }
}

const boundHead = (head: KeyHead) => ({ ...head, name: head.name ?? '' })

// Never overwrites: a key that is gone is gone. Without a lock the file lies open; without a seed it has
// the public half only.
export async function writeKeyFile(
  path: string,
  duty: KeyDuty,
  key: PublicHalf & { seed: Uint8Array | null },
  { created, lock = null }: { created: Date; lock?: SeedLock | null },
): Promise<void> {
  const head: KeyHead = {
    version: 1,
    type: duty,
    public: toHex(key.publicKey),
    name: publicName(duty, key.publicKey),
    created: created.toISOString(),
  }
  const content = await contentOf(head, key.seed, lock)
  await writeNewFile(path, `${JSON.stringify(content, null, 2)}\n`)
}

/** In the place of what is there, in one step. */
export async function replaceKeyFile(
  path: string,
  duty: KeyDuty,
  key: PublicHalf & { seed: Uint8Array | null },
  how: { created: Date; lock?: SeedLock | null },
): Promise<void> {
  const draft = `${path}.new`
  await rm(draft, { force: true })
  await writeKeyFile(draft, duty, key, how)
  await rename(draft, path)
  await syncFolder(dirname(path))
}

export async function writeKeyRing(
  folder: string,
  keys: KeyRing,
  how: { created: Date; lock?: SeedLock | null },
): Promise<void> {
  for (const duty of KEY_DUTIES) {
    await writeKeyFile(join(folder, keyFileName(duty)), duty, keys[duty], how)
  }
}

// The keys of a folder, those that are missing taken from `fresh`.
export async function keepKeyRing(folder: string, fresh: KeyRing, created: Date): Promise<KeyRing> {
  const keep = async (duty: KeyDuty): Promise<KeyPair> => {
    const path = join(folder, keyFileName(duty))
    try {
      return await readKeyFile(path, duty)
    } catch (error) {
      if (!(error instanceof NodeError && error.code === 'key_missing')) throw error
      await writeKeyFile(path, duty, fresh[duty], { created })
      return fresh[duty]
    }
  }
  return {
    governance: await keep('governance'),
    consensus: await keep('consensus'),
    transport: await keep('transport'),
    anchor: await keep('anchor'),
    seal: await keep('seal'),
  }
}

/** The text of a file that nobody else on this computer may read; `setting` says where it may be. */
export async function readOwnFile(path: string, what: string, setting: string): Promise<string> {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0) {
      throw new NodeError('key_open', { path, mode: (mode & 0o777).toString(8).padStart(4, '0') })
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new NodeError('key_missing', { path, duty: what, setting }, { cause: error })
    }
    throw error
  }
}

/** The JSON of a file that holds a secret. */
export function parseOwnJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No cause: it would carry a piece of the file, and the file is a key.
    throw new NodeError('key_malformed', { path, detail: 'it is not JSON' })
  }
}

async function readForms(path: string, duty: KeyDuty): Promise<KeyFile> {
  const setting = duty === 'governance' ? '--governance-key <file>' : `[keys] ${duty} = "…"`
  const content = parseOwnJson(path, await readOwnFile(path, duty, setting))
  const file = readForm(content)
  if (file === undefined) {
    const isSealed = typeof content === 'object' && content !== null && 'kdf' in content
    if (isSealed && content.kdf !== null) throw new NodeError('key_encrypted', { path })
    throw new NodeError('key_malformed', { path, detail: 'it is not a key file of version 1' })
  }
  if (file.type === duty) return file
  const detail = `it holds the ${file.type} key, not the ${duty} key`
  throw new NodeError('key_malformed', { path, detail })
}

/** What can be seen of a key without its passphrase. */
export async function readPublicHalf(path: string, duty: KeyDuty): Promise<FoundKey> {
  const { public: half, seed, kdf, created } = await readForms(path, duty)
  const form = seed === null ? 'elsewhere' : kdf === null ? 'plain' : 'sealed'
  return { publicKey: fromHex(half), form, created }
}

export async function readKeyFile(
  path: string,
  duty: KeyDuty,
  lock: SeedLock = noPassphrase(),
): Promise<KeyPair> {
  const file = await readForms(path, duty)
  if (file.seed === null) throw new NodeError('key_elsewhere', { path, duty })
  const seed = file.kdf === null ? fromHex(file.seed) : await lock.open(file, boundHead(file), path)
  const keyPair = createKeyPair(duty, seed)
  if (toHex(keyPair.publicKey) !== file.public) {
    throw new NodeError('key_malformed', { path, detail: 'its public key is not that of its seed' })
  }
  return keyPair
}
