// The writing of a backup: entries one after the other through the compressor into a file beside the
// place, which gets its name when all of it is on the disk. Each entry is hashed as it goes by; nothing is
// held in memory but a chunk.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PassThrough, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { KeyPair } from '@mooring/crypto'
import { storageErrorOf } from '@mooring/storage'
import { pack, type Pack } from 'tar-stream'
import {
  type BackupFile,
  type BackupHead,
  type BackupManifest,
  type Compression,
  type DatabaseName,
  encodeJson,
  HEAD_PATH,
  MANIFEST_PATH,
  SIGNATURE_PATH,
  signManifest,
} from './backup-format.ts'

import { syncFolder } from './durable-files.ts'
import { freeBytesOf } from './free-space.ts'
import { NodeError } from './node-error.ts'

const ZSTD_LEVEL = 3
const FILE_MODE = 0o600

export type BackupPart =
  | { path: string; bytes: Uint8Array; entriesOf?: DatabaseName; entries?: number }
  | { path: string; size: number; stream: AsyncIterable<Uint8Array> }

export interface WriteOptions {
  /** Where it is to be; nothing may be there. */
  path: string
  compression: Compression
  head: BackupHead
  key: KeyPair
  /** So much stays free on the disk of the backup. */
  minFreeBytes: number
  /** Told of every entry. */
  onBytes?: (bytes: number) => void
}

/** @throws StorageError; then nothing is left. */
export async function writeBackup(
  { path, compression, minFreeBytes, ...written }: WriteOptions,
  parts: AsyncIterable<BackupPart>,
): Promise<BackupManifest> {
  const partial = `${path}.partial`
  const tar = pack()
  const writing = pipeline(
    tar,
    compressor(compression),
    createWriteStream(partial, { mode: FILE_MODE, flush: true }),
  )
  // Heard below, with whatever the entries have to say.
  writing.catch(() => undefined)
  try {
    const manifest = await Promise.race([
      writeParts(tar, written, withRoom(parts, dirname(path), minFreeBytes)),
      writing.then(() => Promise.reject(new Error('the file of the backup was closed'))),
    ])
    tar.finalize()
    await writing
    await rename(partial, path)
    await syncFolder(dirname(path))
    return manifest
  } catch (error) {
    tar.destroy()
    await writing.catch(() => undefined)
    await rm(partial, { force: true })
    if (error instanceof NodeError) throw error
    throw storageErrorOf(error, 'the backup cannot be written', path)
  }
}

/** A node whose disk its own backup has filled stops: that part is not begun. */
async function* withRoom(
  parts: AsyncIterable<BackupPart>,
  folder: string,
  minFreeBytes: number,
): AsyncGenerator<BackupPart> {
  for await (const part of parts) {
    const bytes = 'bytes' in part ? part.bytes.length : part.size
    if ((await freeBytesOf(folder)) - bytes < minFreeBytes) {
      throw new NodeError('backup_no_room', { folder, minFreeBytes })
    }
    yield part
  }
}

async function writeParts(
  tar: Pack,
  { head, key, onBytes }: Pick<WriteOptions, 'head' | 'key' | 'onBytes'>,
  parts: AsyncIterable<BackupPart>,
): Promise<BackupManifest> {
  const files: BackupFile[] = []
  const entries = { chain: 0, records: 0, vault: 0 }
  const mtime = new Date(head.createdAt)
  const put = async (part: BackupPart): Promise<void> => {
    const { path } = part
    const file =
      'bytes' in part
        ? await putEntry(tar, { path, size: part.bytes.length, mtime }, [part.bytes])
        : await putEntry(tar, { path, size: part.size, mtime }, part.stream)
    files.push(file)
    onBytes?.(file.bytes)
  }
  await put({ path: HEAD_PATH, bytes: encodeJson(head) })
  for await (const part of parts) {
    await put(part)
    if ('entriesOf' in part && part.entriesOf !== undefined) {
      entries[part.entriesOf] += part.entries ?? 0
    }
  }
  const manifest: BackupManifest = { ...head, entries, files }
  const encoded = encodeJson(manifest)
  const signature = encodeJson(signManifest(encoded, key))
  await putEntry(tar, { path: MANIFEST_PATH, size: encoded.length, mtime }, [encoded])
  await putEntry(tar, { path: SIGNATURE_PATH, size: signature.length, mtime }, [signature])
  return manifest
}

async function putEntry(
  tar: Pack,
  { path, size, mtime }: { path: string; size: number; mtime: Date },
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<BackupFile> {
  const hash = createHash('sha256')
  const written = Promise.withResolvers<void>()
  written.promise.catch(() => undefined)
  const sink = tar.entry({ name: path, size, mode: FILE_MODE, mtime }, (error) => {
    if (error instanceof Error) written.reject(error)
    else written.resolve()
  })
  for await (const chunk of chunks) {
    hash.update(chunk)
    if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), written.promise])
  }
  sink.end(null)
  await written.promise
  return { path, bytes: size, sha256: hash.digest('hex') }
}

function compressor(compression: Compression): Transform {
  switch (compression) {
    case 'zstd':
      return createZstdCompress({
        params: {
          [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
          [constants.ZSTD_c_checksumFlag]: 1,
        },
      })
    case 'gzip':
      return createGzip()
    case 'none':
      return new PassThrough()
  }
}
