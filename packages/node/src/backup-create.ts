// What goes into a backup, in the order of its entries: from the databases as they are at one moment, and
// from the files beside them.
//
// The databases are pinned in one turn, the chain last. A node writes what it learns from the chain (an
// anchor, an erasure) after the block is durable, so that a chain which is a moment newer is what a crash
// would have left too; one which is older would not be. A blob that goes while the backup runs was
// erased, and is left out; a shard in the vault that needs it is then missing, and made again.

import { type FileHandle, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { formatPeerId, type KeyPair } from '@mooring/crypto'
import {
  type Database,
  exportEntries,
  type PinnedDatabase,
  storageErrorOf,
  tipOf,
} from '@mooring/storage'
import {
  BACKUP_FORMAT,
  type BackupHead,
  type BackupManifest,
  backupName,
  chunkPath,
  type Compression,
  CONFIG_FILES,
  type DatabaseName,
  DATABASES,
  KEYS_PATH,
} from './backup-format.ts'
import { dropPartial } from './backup-folder.ts'
import { type BackupPart, writeBackup } from './backup-write.ts'
import { holdsFile } from './holds.ts'
import { openHomeDatabase } from './home-database.ts'
import { homePaths } from './home.ts'
import { readKeyFile } from './keys.ts'
import type { HomeOptions } from './load-options.ts'
import { NodeError } from './node-error.ts'
import { readVersion } from './version.ts'

export type OpenDatabases = Readonly<Record<DatabaseName, Pick<Database, 'pin'>>>

export interface BackupWish {
  /** Where it is to be; null: under a name of its own in the folder of backups. */
  path: string | null
  compression: Compression
  isScheduled: boolean
  /** Sealed; null: without keys. */
  keys: Uint8Array | null
  now: Date
  onBytes?: (bytes: number) => void
}

export interface MadeBackup {
  path: string
  bytes: number
  manifest: BackupManifest
}

export type BackupOptions = Pick<
  HomeOptions,
  | 'home'
  | 'name'
  | 'networkId'
  | 'genesisDigest'
  | 'genesisPath'
  | 'configPath'
  | 'storage'
  | 'blobs'
  | 'backup'
>

/** Of a stopped home; its transport key signs. @throws StorageError locked when its node runs */
export async function createBackupOffline(
  options: BackupOptions & Pick<HomeOptions, 'keyPaths' | 'lock'>,
  wish: BackupWish,
): Promise<MadeBackup> {
  const { home, storage, keyPaths, lock } = options
  const opened: Database[] = []
  const openOne = async (name: DatabaseName): Promise<Database> => {
    const database = await openHomeDatabase({ home, dataDir: storage.dir }, name)
    opened.push(database)
    return database
  }
  try {
    // The chain first: its lock is that of the home.
    const chain = await openOne('chain')
    const databases = { chain, records: await openOne('records'), vault: await openOne('vault') }
    const key = await readKeyFile(keyPaths.transport, 'transport', lock)
    return await createBackup({ ...options, key }, databases, wish)
  } finally {
    for (const database of opened) await database.close()
  }
}

export async function createBackup(
  options: BackupOptions & { key: KeyPair },
  databases: OpenDatabases,
  wish: BackupWish,
): Promise<MadeBackup> {
  const pinned = {
    vault: databases.vault.pin(),
    records: databases.records.pin(),
    chain: databases.chain.pin(),
  }
  try {
    const head = headOf(options, pinned.chain, wish)
    const path = wish.path ?? (await freePath(options, head, wish))
    await refuseExisting(path)
    const parts = partsOf(options, pinned, wish.keys)
    const { compression, onBytes } = wish
    const { key } = options
    const { minFreeBytes } = options.storage
    const write = { path, compression, minFreeBytes, head, key, ...(onBytes && { onBytes }) }
    const manifest = await writeBackup(write, parts)
    return { path, bytes: (await stat(path)).size, manifest }
  } finally {
    for (const each of Object.values(pinned)) await each.close()
  }
}

function headOf(
  { name, networkId, genesisDigest, key, blobs }: BackupOptions & { key: KeyPair },
  chain: PinnedDatabase,
  wish: BackupWish,
): BackupHead {
  const { height, digest, stateRoot } = tipOf(chain)
  return {
    format: BACKUP_FORMAT,
    mooring: readVersion(),
    networkId,
    genesisDigest: toHex(genesisDigest),
    node: name,
    peerId: formatPeerId(key.publicKey),
    height,
    digest: toHex(digest),
    stateRoot: toHex(stateRoot),
    createdAt: wish.now.toISOString(),
    hasKeys: wish.keys !== null,
    blobs: blobs.kind,
  }
}

async function freePath(
  { backup }: BackupOptions,
  head: BackupHead,
  { compression, isScheduled }: BackupWish,
): Promise<string> {
  try {
    await mkdir(backup.dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw storageErrorOf(error, 'the folder of backups cannot be made', backup.dir)
  }
  await dropPartial(backup.dir, head)
  return join(backup.dir, backupName(head, compression, isScheduled))
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await stat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw storageErrorOf(error, 'the place of the backup cannot be looked at', path)
  }
  throw new NodeError('file_exists', { path })
}

async function* partsOf(
  options: BackupOptions,
  pinned: Readonly<Record<DatabaseName, PinnedDatabase>>,
  keys: Uint8Array | null,
): AsyncGenerator<BackupPart> {
  yield* configParts(options)
  for (const name of DATABASES) {
    let number = 0
    for await (const { bytes, entries } of exportEntries(pinned[name])) {
      number += 1
      yield { path: chunkPath(name, number), bytes, entriesOf: name, entries }
    }
  }
  const { dir } = options.storage
  yield* fileParts(join(dir, 'uploads'), 'uploads')
  if (options.blobs.kind === 'local') yield* fileParts(options.blobs.directory, 'blobs')
  if (keys !== null) yield { path: KEYS_PATH, bytes: keys }
}

async function* configParts({
  home,
  configPath,
  genesisPath,
}: BackupOptions): AsyncGenerator<BackupPart> {
  const paths = homePaths(home)
  const sources: Record<(typeof CONFIG_FILES)[number], string> = {
    'mooring.toml': configPath ?? paths.configFile,
    'genesis.json': genesisPath,
    'join.txt': paths.joinFile,
    'holds.json': holdsFile(home),
  }
  for (const name of CONFIG_FILES) {
    const bytes = await readIfThere(sources[name])
    if (bytes !== null) yield { path: `config/${name}`, bytes }
  }
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw storageErrorOf(error, 'a file of the configuration cannot be read', path)
  }
}

const BLOB_NAME = /^[0-9a-f]{64}$/

async function* fileParts(folder: string, kind: 'blobs' | 'uploads'): AsyncGenerator<BackupPart> {
  for (const path of await blobFiles(folder)) {
    const file = await openIfThere(path)
    if (file === null) continue
    const name = path.slice(-64)
    try {
      const { size } = await file.stat()
      const stream = file.createReadStream({ autoClose: false })
      yield { path: `data/${kind}/${name}`, size, stream }
    } finally {
      await file.close()
    }
  }
}

/** <folder>/<two digits>/<64 digits> */
async function blobFiles(folder: string): Promise<string[]> {
  const files: string[] = []
  try {
    for (const shelf of (await readdir(folder)).toSorted()) {
      if (!/^[0-9a-f]{2}$/.test(shelf)) continue
      const names = (await readdir(join(folder, shelf))).filter((name) => BLOB_NAME.test(name))
      for (const name of names.toSorted()) files.push(join(folder, shelf, name))
    }
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isMissing) throw storageErrorOf(error, 'the files of shards cannot be listed', folder)
  }
  return files
}

/** Open, it stays as it is whatever becomes of its name. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw storageErrorOf(error, 'a shard cannot be read', path)
  }
}
