// Key files: one key per duty, one file per key, readable by its owner alone. The seed is kept in
// plain text for now; `kdf` and `cipher` are null and say so, and a file that has them set is refused
// rather than misread.

import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import {
  formatDidKey,
  formatPeerId,
  type KeyPair,
  keyPairFromSeed,
  x25519PublicKey,
} from '@mooring/crypto'
import { NodeError } from './node-error.ts'

export const KEY_DUTIES = ['governance', 'consensus', 'transport', 'anchor', 'seal'] as const

export type KeyDuty = (typeof KEY_DUTIES)[number]

// Ed25519 for everything that signs; the seal key is X25519 and has the same two halves.
export type KeyRing = Readonly<Record<KeyDuty, KeyPair>>

const HEX_32 = /^[0-9a-f]{64}$/

type KeyFile = {
  version: 1
  type: KeyDuty
  public: string
  // What other people call the key: a peer id for transport, did:key for the rest that signs.
  name: string | null
  created: string
  kdf: null
  cipher: null
  seed: string
}

function isKeyFile(content: unknown): content is KeyFile {
  if (typeof content !== 'object' || content === null) return false
  const file: Partial<Record<keyof KeyFile, unknown>> = content
  return (
    file.version === 1 &&
    KEY_DUTIES.some((duty) => duty === file.type) &&
    isHex32(file.public) &&
    (file.name === null || typeof file.name === 'string') &&
    typeof file.created === 'string' &&
    file.kdf === null &&
    file.cipher === null &&
    isHex32(file.seed)
  )
}

const isHex32 = (text: unknown) => typeof text === 'string' && HEX_32.test(text)

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

// Never overwrites: a key that is gone is gone.
export async function writeKeyFile(
  path: string,
  duty: KeyDuty,
  keyPair: KeyPair,
  created: Date,
): Promise<void> {
  const content: KeyFile = {
    version: 1,
    type: duty,
    public: toHex(keyPair.publicKey),
    name: publicName(duty, keyPair.publicKey),
    created: created.toISOString(),
    kdf: null,
    cipher: null,
    seed: toHex(keyPair.seed),
  }
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function writeKeyRing(folder: string, keys: KeyRing, created: Date): Promise<void> {
  for (const duty of KEY_DUTIES) {
    await writeKeyFile(join(folder, keyFileName(duty)), duty, keys[duty], created)
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
      await writeKeyFile(path, duty, fresh[duty], created)
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

export async function readKeyFile(path: string, duty: KeyDuty): Promise<KeyPair> {
  const setting = duty === 'governance' ? '--governance-key <file>' : `[keys] ${duty} = "…"`
  const content = parseOwnJson(path, await readOwnFile(path, duty, setting))
  if (typeof content === 'object' && content !== null && 'kdf' in content && content.kdf !== null) {
    throw new NodeError('key_encrypted', { path })
  }
  if (!isKeyFile(content)) {
    throw new NodeError('key_malformed', { path, detail: 'it is not a key file of version 1' })
  }
  if (content.type !== duty) {
    throw new NodeError('key_malformed', {
      path,
      detail: `it holds the ${content.type} key, not the ${duty} key`,
    })
  }
  const keyPair = createKeyPair(duty, fromHex(content.seed))
  if (toHex(keyPair.publicKey) !== content.public) {
    throw new NodeError('key_malformed', { path, detail: 'its public key is not that of its seed' })
  }
  return keyPair
}
