// The keys folder of a home inside a backup: all of its files, sealed as one under a passphrase. What the
// files hold, encrypted or not, is the business of who reads them. Made where the passphrase is, which is
// never the API: a node that makes a backup is handed the sealed bytes.

import { randomFillSync } from 'node:crypto'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  bytes,
  bytesMax,
  CodecError,
  concatBytes,
  decode,
  encode,
  list,
  struct,
  text,
  uint,
  versioned,
} from '@mooring/codec'
import {
  AEAD_NONCE_BYTES,
  aeadOpen,
  aeadSeal,
  domainBytes,
  SCRYPT_COST,
  type ScryptCost,
  scryptKey,
} from '@mooring/crypto'
import { hasCode, writeNewFile } from './durable-files.ts'
import { NodeError } from './node-error.ts'

const FILE_BYTES_MAX = 256 * 1024
const FILES_MAX = 256
const SALT_BYTES = 32
/** Of a file below keys/: no dot at its beginning, one folder deep at most. */
const NAME = /^([A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\/)?[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/

const filesSchema = list(struct({ name: text(130), content: bytesMax(FILE_BYTES_MAX) }), FILES_MAX)
const costSchema = struct({ N: uint(), r: uint(), p: uint() })
const sealedSchema = versioned(1, {
  cost: costSchema,
  salt: bytes(SALT_BYTES),
  nonce: bytes(AEAD_NONCE_BYTES),
  sealed: bytesMax(FILE_BYTES_MAX * FILES_MAX),
})
export const SEALED_KEYS_BYTES_MAX = 2 * 1024 * 1024
const utf8 = new TextEncoder()

export interface KeyFolderFile {
  name: string
  content: Uint8Array
}

/** What is in the folder, one folder deep; the governance key is not asked for and comes along when it is there. */
export async function readKeyFolder(folder: string): Promise<KeyFolderFile[]> {
  const files: KeyFolderFile[] = []
  for (const found of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!found.isFile()) continue
    const path = join(found.parentPath, found.name)
    const name = path.slice(folder.length + 1)
    if (!NAME.test(name)) continue
    if ((await stat(path)).size <= FILE_BYTES_MAX)
      files.push({ name, content: await readFile(path) })
  }
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The keys of a home, those included that its configuration has elsewhere. @throws NodeError key_missing */
export async function readKeysOfHome(
  folder: string,
  keyPaths: Readonly<Record<'consensus' | 'transport' | 'anchor' | 'seal', string>>,
): Promise<KeyFolderFile[]> {
  const files = new Map((await readKeyFolder(folder)).map((file) => [file.name, file]))
  for (const [duty, path] of Object.entries(keyPaths)) {
    const isInside = path.startsWith(`${folder}/`)
    if (isInside && files.has(path.slice(folder.length + 1))) continue
    try {
      const name = `${duty}.json`
      files.set(name, { name, content: await readFile(path) })
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      // A signer may have that of votes; without the transport key nobody could restore.
      if (duty !== 'transport') continue
      throw new NodeError(
        'key_missing',
        { path, duty, setting: `[keys] ${duty}` },
        { cause: error },
      )
    }
  }
  return [...files.values()]
}

export async function writeKeyFolder(
  folder: string,
  files: readonly KeyFolderFile[],
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { name, content } of files) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeNewFile(path, content)
  }
}

export async function sealKeys(
  files: readonly KeyFolderFile[],
  passphrase: string,
  cost: ScryptCost = SCRYPT_COST,
): Promise<Uint8Array> {
  const salt = randomFillSync(new Uint8Array(SALT_BYTES))
  const nonce = randomFillSync(new Uint8Array(AEAD_NONCE_BYTES))
  const key = await scryptKey(utf8.encode(passphrase.normalize('NFKC')), salt, cost)
  const content = encode(filesSchema, [...files])
  const sealed = aeadSeal(key, nonce, boundTo(salt, cost), content)
  key.fill(0)
  content.fill(0)
  const encoded = encode(sealedSchema, { cost: { ...cost }, salt, nonce, sealed })
  if (encoded.length > SEALED_KEYS_BYTES_MAX) throw new RangeError('a folder of keys too large')
  return encoded
}

/** @throws NodeError backup_keys_sealed */
export async function openKeys(encoded: Uint8Array, passphrase: string): Promise<KeyFolderFile[]> {
  try {
    const { cost, salt, nonce, sealed } = decode(sealedSchema, encoded, SEALED_KEYS_BYTES_MAX)
    const key = await scryptKey(utf8.encode(passphrase.normalize('NFKC')), salt, cost)
    const content = aeadOpen(key, nonce, boundTo(salt, cost), sealed)
    if (content === undefined)
      throw new NodeError('backup_keys_sealed', { detail: 'The passphrase is another one' })
    const files = decode(filesSchema, content, SEALED_KEYS_BYTES_MAX)
    const strange = files.find(({ name }) => !NAME.test(name))
    if (strange === undefined) return files
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
  }
  throw new NodeError('backup_keys_sealed', {
    detail: 'What is in keys.sealed is no folder of keys',
  })
}

function boundTo(salt: Uint8Array, cost: ScryptCost): Uint8Array {
  return concatBytes(domainBytes('backup-keys'), salt, encode(costSchema, { ...cost }))
}
