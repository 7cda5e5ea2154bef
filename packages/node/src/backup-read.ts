// The reading of a backup, front to back: each entry is handed on as it comes, hashed, and compared with
// the manifest that ends the file. Only when `readBackup` has returned is anything in it to be believed.
//
// The file may come from anybody: what it decompresses to is bounded entry by entry, and an entry that is
// no part of a backup ends the reading.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { PassThrough, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { concatBytes, equalBytes } from '@mooring/codec'
import { CHUNK_OF_ENTRIES_BYTES_MAX, StorageError, storageErrorOf } from '@mooring/storage'
import { extract, type ExtractEvents } from 'tar-stream'
import {
  type BackupFile,
  type BackupHead,
  type BackupManifest,
  checkSignature,
  HEAD_PATH,
  invalid,
  isBackupPath,
  MANIFEST_PATH,
  parseHead,
  parseManifest,
  SIGNATURE_PATH,
} from './backup-format.ts'
import { NodeError } from './node-error.ts'

type Entry = ExtractEvents['entry'][1]

const MIB = 1024 * 1024
const SMALL_BYTES_MAX = 16 * MIB
const MANIFEST_BYTES_MAX = 512 * MIB
const BLOB_BYTES_MAX = 2 ** 40
const FILES_MAX = 10_000_000

export interface BackupEntry {
  path: string
  bytes: number
}

export interface BackupVisitor {
  /** Before anything else. */
  head?: (head: BackupHead) => void | Promise<void>
  /** Of everything but blobs: an entry as a whole. */
  file?: (entry: BackupEntry, content: Uint8Array) => void | Promise<void>
  /** A blob, in the order of its bytes. */
  blob?: (entry: BackupEntry, content: AsyncIterable<Uint8Array>) => Promise<void>
}

/**
 * All checks: form, digests, and the signature of the node that it names.
 * @throws NodeError backup_invalid, backup_newer
 */
export async function readBackup(
  path: string,
  visitor: BackupVisitor = {},
): Promise<BackupManifest> {
  try {
    return await readAll(path, visitor)
  } catch (error) {
    throw readable(path, error)
  }
}

/** Only what stands at its beginning, unsigned. @throws NodeError backup_invalid, backup_newer */
export async function readBackupHead(path: string): Promise<BackupHead> {
  try {
    for await (const entry of await entriesOf(path)) {
      if (entry.header.name !== HEAD_PATH) break
      return parseHead(path, await wholeOf(path, entry, SMALL_BYTES_MAX))
    }
  } catch (error) {
    throw readable(path, error)
  }
  throw invalid(path, 'it does not begin as a backup does')
}

async function readAll(path: string, visitor: BackupVisitor): Promise<BackupManifest> {
  const files: BackupFile[] = []
  let head: BackupHead | undefined
  let manifest: { parsed: BackupManifest; encoded: Uint8Array } | undefined
  let isSigned = false
  for await (const entry of await entriesOf(path)) {
    const { name } = entry.header
    if (isSigned) throw invalid(path, `there is more behind its signature: ${shown(name)}`)
    if (manifest !== undefined) {
      if (name !== SIGNATURE_PATH) throw invalid(path, 'its manifest is not signed')
      const signature = await wholeOf(path, entry, SMALL_BYTES_MAX)
      checkSignature(path, manifest.parsed, manifest.encoded, signature)
      isSigned = true
    } else if (name === MANIFEST_PATH) {
      const encoded = await wholeOf(path, entry, MANIFEST_BYTES_MAX)
      manifest = { parsed: parseManifest(path, encoded), encoded }
    } else if (head === undefined) {
      if (name !== HEAD_PATH) throw invalid(path, 'it does not begin as a backup does')
      const content = await wholeOf(path, entry, SMALL_BYTES_MAX)
      head = parseHead(path, content)
      await visitor.head?.(head)
      files.push(fileOf(name, content))
    } else files.push(await visit(path, entry, visitor))
    if (files.length > FILES_MAX) throw invalid(path, 'it has too many files')
  }
  if (head === undefined || manifest === undefined || !isSigned) {
    throw invalid(path, 'it ends before its signature')
  }
  checkFiles(path, manifest.parsed, files)
  if (!isSameHead(head, manifest.parsed))
    throw invalid(path, 'its beginning is not what was signed')
  return manifest.parsed
}

async function visit(path: string, entry: Entry, visitor: BackupVisitor): Promise<BackupFile> {
  const { name } = entry.header
  if (!isBackupPath(name)) throw invalid(path, `it has a part that is none: ${shown(name)}`)
  const isBlob = name.startsWith('data/blobs/') || name.startsWith('data/uploads/')
  if (!isBlob) {
    const isChunk = name.startsWith('data/')
    const content = await wholeOf(
      path,
      entry,
      isChunk ? CHUNK_OF_ENTRIES_BYTES_MAX : SMALL_BYTES_MAX,
    )
    await visitor.file?.({ path: name, bytes: content.length }, content)
    return fileOf(name, content)
  }
  const bytes = sizeOf(path, entry, BLOB_BYTES_MAX)
  const hash = createHash('sha256')
  const hashed = hashing(entry, hash)
  if (visitor.blob === undefined) for await (const _ of hashed) continue
  else await visitor.blob({ path: name, bytes }, hashed)
  return { path: name, bytes, sha256: hash.digest('hex') }
}

async function* chunksOf(entry: Entry): AsyncGenerator<Uint8Array> {
  for await (const chunk of entry) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('an entry of a tar file is bytes')
    yield chunk
  }
}

async function* hashing(
  entry: Entry,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunksOf(entry)) {
    hash.update(chunk)
    yield chunk
  }
}

function fileOf(path: string, content: Uint8Array): BackupFile {
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { path, bytes: content.length, sha256 }
}

function checkFiles(path: string, { files }: BackupManifest, found: readonly BackupFile[]): void {
  for (const [index, expected] of files.entries()) {
    const file = found[index]
    if (file?.path !== expected.path) throw invalid(path, `${expected.path} is missing`)
    if (file.bytes !== expected.bytes || file.sha256 !== expected.sha256) {
      throw invalid(path, `${expected.path} is not what was backed up`)
    }
  }
  if (found.length > files.length) throw invalid(path, 'it has more files than its manifest')
}

function isSameHead(head: BackupHead, manifest: BackupManifest): boolean {
  const { entries: _entries, files: _files, ...rest } = manifest
  return JSON.stringify(head) === JSON.stringify(rest)
}

function sizeOf(path: string, entry: Entry, bytesMax: number): number {
  const { name, size, type } = entry.header
  if (type !== 'file' || size === undefined || size > bytesMax) {
    throw invalid(path, `${shown(name)} is too large, or no file`)
  }
  return size
}

async function wholeOf(path: string, entry: Entry, bytesMax: number): Promise<Uint8Array> {
  const size = sizeOf(path, entry, bytesMax)
  const chunks: Uint8Array[] = []
  for await (const chunk of chunksOf(entry)) chunks.push(chunk)
  const content = concatBytes(...chunks)
  if (content.length !== size) throw invalid(path, `${shown(entry.header.name)} is cut short`)
  return content
}

/** The bytes tell how it is compressed, whatever the name says. */
async function entriesOf(path: string): Promise<AsyncIterable<Entry>> {
  const first = await firstBytes(path)
  const tar = extract()
  const file = createReadStream(path)
  const plain = decompressor(first)
  const fail = (error: Error): void => {
    tar.destroy(error)
  }
  file.on('error', fail)
  plain.on('error', fail)
  tar.on('close', () => {
    file.destroy()
    plain.destroy()
  })
  file.pipe(plain).pipe(tar)
  return tar
}

function decompressor(first: Uint8Array): Transform {
  if (equalBytes(first, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))) return createZstdDecompress()
  if (first[0] === 0x1f && first[1] === 0x8b) return createGunzip()
  return new PassThrough()
}

async function firstBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(4), 0, 4, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (isMissing) throw new NodeError('file_missing', { path }, { cause: error })
    throw storageErrorOf(error, 'the backup cannot be read', path)
  }
}

/** A name from the file, harmless in a sentence. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80))
}

function readable(path: string, error: unknown): unknown {
  if (error instanceof NodeError || error instanceof StorageError) return error
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if ('syscall' in error) return storageErrorOf(error, 'the backup cannot be read', path)
  const isDamage =
    /^(ZSTD|Z_|ERR_|E?UNEXPECTED)/.test(code) || /tar|header|end of data/i.test(error.message)
  if (!isDamage) return error
  const detail = 'it is damaged or cut short'
  return new NodeError('backup_invalid', { path, detail }, { cause: error })
}
