// A new home from a backup. Everything is written into a folder inside the home first; only when the end
// of the backup has been reached, its signature holds and the chain opens, does it move to its places. A
// restore that was cut short leaves that folder, which the next one throws away.
//
// A restored home has no guard: whatever the old one voted after the backup, or somewhere else, is not in
// it. It is marked, so that its node begins a guard whose memory is lost: it observes first, and votes
// only when nothing that was forgotten can matter (consensus/rejoin.ts). Nothing in a backup can undo that.
//
// A home of a new identity takes the chain alone: records and shards belong to the keys that sealed them,
// and stay behind. It has a guard already, which was made with its keys.

import { chmod, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import { formatPeerId } from '@mooring/crypto'
import {
  type Genesis,
  genesisDigest,
  genesisState,
  networkId,
  parseGenesisJson,
} from '@mooring/ledger'
import {
  ChainStore,
  type Database,
  importEntries,
  markForRejoin,
  openDatabase,
  storageErrorOf,
} from '@mooring/storage'
import {
  type BackupHead,
  type BackupManifest,
  type DatabaseName,
  DATABASES,
  invalid,
  KEYS_PATH,
} from './backup-format.ts'
import { type KeyFolderFile, openKeys, readKeyFolder, writeKeyFolder } from './backup-keys.ts'
import { type BackupEntry, readBackup } from './backup-read.ts'
import { hasCode, replaceFile, syncFolder } from './durable-files.ts'
import { createHome, homePaths } from './home.ts'
import { NodeError } from './node-error.ts'
import { type ChangedPlace, withOwnPlaces } from './restored-places.ts'
import { readHeader } from './stores.ts'

/** Where the keys of the restored home come from. */
export type KeySource =
  | { from: 'folder'; folder: string }
  | { from: 'backup'; passphrase: string | null }

export interface RestoreOptions {
  path: string
  home: string
  onBytes?: (bytes: number) => void
}

export interface Restored {
  manifest: BackupManifest
  genesis: Genesis
}

const STAGING = 'restoring'

/** @throws NodeError backup_invalid, restore_target_used, backup_keys_sealed, backup_keys_missing */
export async function restoreBackup(
  options: RestoreOptions & { keys: KeySource },
): Promise<Restored & { changed: ChangedPlace[] }> {
  const { home, path } = options
  await refuseUsed(home)
  return await inStaging(home, async (staging) => {
    const staged = await stage(options, staging, DATABASES)
    const keys = await keysFor(path, options.keys, staged)
    checkKeys(path, staged.manifest, keys)
    await writeKeyFolder(join(staging, 'keys'), keys)
    const names = keys.map(({ name }) => name)
    const changed = await setOwnPlaces(join(staging, 'config', 'mooring.toml'), names)
    const paths = await createHome(home)
    await markForRejoin(paths.guard)
    await moveAll(join(staging, 'data'), paths.data)
    await moveAll(join(staging, 'keys'), paths.keys)
    await chmod(join(staging, 'config', 'genesis.json'), 0o444)
    await moveFile(join(staging, 'config', 'holds.json'), join(home, 'holds.json'))
    // Last: what has a configuration is a home.
    await moveAll(join(staging, 'config'), paths.config)
    return { manifest: staged.manifest, genesis: staged.genesis, changed }
  })
}

/** The chain of a backup for a home that has none. @throws as restoreBackup */
export async function restoreChain(options: RestoreOptions): Promise<Restored> {
  const { home } = options
  const { data } = homePaths(home)
  await refuseUsed(data)
  return await inStaging(home, async (staging) => {
    const { manifest, genesis } = await stage(options, staging, ['chain'])
    await mkdir(data, { recursive: true, mode: 0o700 })
    await moveAll(join(staging, 'data'), data)
    return { manifest, genesis }
  })
}

/** The genesis file in a backup that holds. */
export async function readBackupGenesis(path: string): Promise<Uint8Array> {
  let genesis: Uint8Array | undefined
  await readBackup(path, {
    file: (entry, content) => {
      if (entry.path === 'config/genesis.json') genesis = content
    },
  })
  if (genesis === undefined) throw invalid(path, 'it has no genesis')
  return genesis
}

async function refuseUsed(folder: string): Promise<void> {
  try {
    const names = await readdir(folder)
    const found = names.find((name) => name !== STAGING && name !== 'lost+found')
    if (found === undefined) return
    throw new NodeError('restore_target_used', { path: join(folder, found) })
  } catch (error) {
    if (error instanceof NodeError) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw storageErrorOf(error, 'the home cannot be looked at', folder)
  }
}

async function inStaging<T>(home: string, work: (staging: string) => Promise<T>): Promise<T> {
  const staging = join(home, STAGING)
  try {
    await rm(staging, { recursive: true, force: true })
    await mkdir(staging, { recursive: true, mode: 0o700 })
    return await work(staging)
  } catch (error) {
    if (error instanceof NodeError) throw error
    throw storageErrorOf(error, 'the backup cannot be restored', home)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

interface Staged extends Restored {
  sealedKeys: Uint8Array | null
}

/** Everything but keys, written and checked. */
async function stage(
  { path, onBytes }: RestoreOptions,
  staging: string,
  wanted: readonly DatabaseName[],
): Promise<Staged> {
  const isWhole = wanted.length === DATABASES.length
  const writer = new StagedDatabases(staging)
  let sealedKeys: Uint8Array | null = null
  let genesisText: Uint8Array | null = null
  try {
    const manifest = await readBackup(path, {
      file: async ({ path: name, bytes }, content) => {
        onBytes?.(bytes)
        if (name === KEYS_PATH) sealedKeys = content
        else if (name.startsWith('config/')) {
          if (name === 'config/genesis.json') genesisText = content
          if (isWhole) await writeWhole(join(staging, name), content)
        } else await writer.add(name, content, wanted)
      },
      blob: async (entry, content) => {
        onBytes?.(entry.bytes)
        if (isWhole) await writeBlob(staging, entry, content)
        else for await (const _ of content) continue
      },
    })
    await writer.close(manifest, wanted)
    const genesis = readGenesis(path, manifest, genesisText)
    await checkChain(path, join(staging, 'data', 'chain'), { manifest, genesis })
    return { manifest, genesis, sealedKeys }
  } finally {
    await writer.abandon()
  }
}

/** The databases of a backup as they are made again, one after the other. */
class StagedDatabases {
  readonly #staging: string
  readonly #entries: Record<DatabaseName, number> = { chain: 0, records: 0, vault: 0 }
  #open: { name: DatabaseName; database: Database } | null = null

  constructor(staging: string) {
    this.#staging = staging
  }

  async add(path: string, chunk: Uint8Array, wanted: readonly DatabaseName[]): Promise<void> {
    const name = DATABASES.find((each) => path.startsWith(`data/${each}/`))
    if (name === undefined || !wanted.includes(name)) return
    const database = await this.#database(name)
    this.#entries[name] += await importEntries(database, chunk, { sync: true })
  }

  /** Also one without an entry is there. */
  async close({ entries }: BackupManifest, wanted: readonly DatabaseName[]): Promise<void> {
    for (const name of wanted) {
      await this.#database(name)
      if (entries[name] !== this.#entries[name]) {
        throw invalid(name, `it tells of ${entries[name]} entries and has ${this.#entries[name]}`)
      }
    }
    await this.abandon()
  }

  async abandon(): Promise<void> {
    const last = this.#open
    this.#open = null
    await last?.database.close()
  }

  async #database(name: DatabaseName): Promise<Database> {
    if (this.#open?.name === name) return this.#open.database
    await this.abandon()
    await mkdir(join(this.#staging, 'data'), { recursive: true, mode: 0o700 })
    const database = await openDatabase(join(this.#staging, 'data', name), { name })
    this.#open = { name, database }
    return database
  }
}

function readGenesis(path: string, head: BackupHead, text: Uint8Array | null): Genesis {
  if (text === null) throw invalid(path, 'it has no genesis')
  const genesis = parseGenesisJson(new TextDecoder().decode(text))
  const digest = genesisDigest(genesis)
  if (toHex(digest) !== head.genesisDigest || networkId(digest) !== head.networkId) {
    throw invalid(path, 'its genesis is that of another network')
  }
  return genesis
}

/** It opens, and its tip is that of the manifest. */
async function checkChain(
  path: string,
  folder: string,
  { manifest, genesis }: { manifest: BackupManifest; genesis: Genesis },
): Promise<void> {
  const database = await openDatabase(folder, { name: 'chain' })
  try {
    const state = genesisState(genesis).values()
    const digest = fromHex(manifest.genesisDigest)
    const { tip } = await ChainStore.open(database, {
      genesis: { digest, time: genesis.time, state },
      decodeHeader: readHeader,
    })
    const isSame = tip.height === manifest.height && toHex(tip.digest) === manifest.digest
    if (!isSame) throw invalid(path, 'its chain does not end where it says')
  } finally {
    await database.close()
  }
}

async function keysFor(
  path: string,
  source: KeySource,
  { sealedKeys }: Staged,
): Promise<KeyFolderFile[]> {
  if (source.from === 'folder') return await readKeyFolder(source.folder)
  if (sealedKeys === null) throw new NodeError('backup_keys_missing', { path })
  if (source.passphrase === null) {
    throw new NodeError('backup_keys_sealed', { detail: 'They are sealed under a passphrase' })
  }
  return await openKeys(sealedKeys, source.passphrase)
}

/** The transport key, whose public half every form of a key file says, must be that of the backup. */
function checkKeys(path: string, { peerId }: BackupHead, files: readonly KeyFolderFile[]): void {
  const names = files.flatMap(({ name, content }) => {
    const key = name.endsWith('.json') ? publicKeyIn(content) : null
    return key === null ? [] : [formatPeerId(key)]
  })
  if (names.length === 0) throw new NodeError('backup_keys_missing', { path })
  if (names.includes(peerId)) return
  throw invalid(path, `the keys that were given are not those of ${peerId}, which made it`)
}

function publicKeyIn(content: Uint8Array): Uint8Array | null {
  try {
    const file: unknown = JSON.parse(new TextDecoder().decode(content))
    if (typeof file !== 'object' || file === null || !('public' in file)) return null
    return typeof file.public === 'string' && /^[0-9a-f]{64}$/.test(file.public)
      ? fromHex(file.public)
      : null
  } catch {
    return null
  }
}

async function setOwnPlaces(path: string, keyFiles: readonly string[]): Promise<ChangedPlace[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
  const own = withOwnPlaces(text, keyFiles)
  if (own.changed.length > 0) await replaceFile(path, own.text)
  return own.changed
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await replaceFile(path, content)
}

/** data/blobs/<id> in the backup, <shelf>/<id> on the disk. */
async function writeBlob(
  staging: string,
  { path }: BackupEntry,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const id = path.slice(-64)
  const folder = join(staging, dirname(path), id.slice(0, 2))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await open(join(folder, id), 'w', 0o600)
  try {
    for await (const chunk of content) await file.write(chunk)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function moveAll(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) await rename(join(from, name), join(to, name))
  await syncFolder(to)
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
