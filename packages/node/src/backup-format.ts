// What a backup is: a tar file, compressed as a whole, whose entries are in this order.
//
//   backup.json              what it is of: network, node, height, root, time. Unsigned; for lists
//   config/…                 configuration, genesis, join line, legal holds
//   data/chain|records|vault/000001.entries …     the databases, each a row of chunks (storage/entries.ts)
//   data/blobs/…, data/uploads/…                  large shards, and those that wait for holders
//   keys.sealed              only where it was asked for: the key files, sealed under a passphrase
//   manifest.json            all of backup.json again, and the SHA-256 of every file before it
//   manifest.sig.json        the signature of the node over the manifest, with its transport key
//
// The entries are those of home format 1 (home-format.ts); a home format that changes them has a backup format
// of its own.
//
// The guard is never part of it. Nothing is believed before the manifest has been reached, so whoever
// restores writes beside the place first. Paths are known patterns and never taken from the file.

import { fromHex, toHex } from '@mooring/codec'
import { domainHash, formatPeerId, type KeyPair, sign, verify } from '@mooring/crypto'
import { NodeError } from './node-error.ts'

export const BACKUP_FORMAT = 1
export const HEAD_PATH = 'backup.json'
export const KEYS_PATH = 'keys.sealed'
export const MANIFEST_PATH = 'manifest.json'
export const SIGNATURE_PATH = 'manifest.sig.json'
export const CONFIG_FILES = ['mooring.toml', 'genesis.json', 'join.txt', 'holds.json'] as const
export const DATABASES = ['chain', 'records', 'vault'] as const

export type DatabaseName = (typeof DATABASES)[number]

export type Compression = 'zstd' | 'gzip' | 'none'

export interface BackupHead {
  format: number
  mooring: string
  networkId: string
  genesisDigest: string
  node: string
  peerId: string
  /** Of the last block in it. */
  height: number
  digest: string
  stateRoot: string
  /** RFC 3339, UTC. */
  createdAt: string
  hasKeys: boolean
  /** Where large shards are: in the backup, or in a bucket that is not part of it. */
  blobs: 'local' | 's3'
}

export interface BackupFile {
  path: string
  bytes: number
  sha256: string
}

export interface BackupManifest extends BackupHead {
  entries: Record<DatabaseName, number>
  files: BackupFile[]
}

export interface BackupSignature {
  peerId: string
  publicKey: string
  signature: string
}

const HEX_32 = /^[0-9a-f]{64}$/
const FILE_PATH =
  /^(backup\.json|keys\.sealed|config\/[a-z.]{1,32}|data\/(chain|records|vault)\/\d{6,9}\.entries|data\/(blobs|uploads)\/[0-9a-f]{64})$/

export function isBackupPath(path: string): boolean {
  return FILE_PATH.test(path)
}

export function chunkPath(database: DatabaseName, number: number): string {
  return `data/${database}/${String(number).padStart(6, '0')}.entries`
}

const EXTENSIONS: Record<Compression, string> = { zstd: '.tar.zst', gzip: '.tar.gz', none: '.tar' }
const NAME = /\.tar(\.zst|\.gz)?$/
const SCHEDULED = '.scheduled'

/** "st-mary-moor-a1b2c3d4-20261120T033000Z-h1207.scheduled.tar.zst" */
export function backupName(
  { node, networkId, createdAt, height }: BackupHead,
  compression: Compression,
  isScheduled: boolean,
): string {
  const time = createdAt.replaceAll(/[-:]|\.\d+/g, '')
  const parts = [node, networkId, time, `h${height}`].join('-')
  return `${parts}${isScheduled ? SCHEDULED : ''}${EXTENSIONS[compression]}`
}

export function isBackupName(name: string): boolean {
  return NAME.test(name) && !name.startsWith('.')
}

/** Made on schedule, by that node of that network: what is thrown away when there are enough. */
export function isScheduledOf(
  name: string,
  { node, networkId }: Pick<BackupHead, 'node' | 'networkId'>,
): boolean {
  return (
    isBackupName(name) &&
    name.startsWith(`${node}-${networkId}-`) &&
    name.includes(`${SCHEDULED}.tar`)
  )
}

/** Newest first by the time that is in the names; a name that tells none comes last. */
export function byNewestName(a: string, b: string): number {
  const [timeOfA = '', timeOfB = ''] = [a, b].map((name) => /\d{8}T\d{6}Z/.exec(name)?.[0])
  if (timeOfA === timeOfB) return a < b ? -1 : 1
  return timeOfA < timeOfB ? 1 : -1
}

/** @throws NodeError backup_invalid, backup_newer */
export function parseHead(path: string, bytes: Uint8Array): BackupHead {
  return readHead(path, parseJson(path, HEAD_PATH, bytes))
}

/** @throws NodeError backup_invalid, backup_newer */
export function parseManifest(path: string, bytes: Uint8Array): BackupManifest {
  const content = parseJson(path, MANIFEST_PATH, bytes)
  const head = readHead(path, content)
  const { entries, files }: Partial<Record<'entries' | 'files', unknown>> = content
  if (!isEntries(entries) || !Array.isArray(files) || !files.every(isFile)) {
    throw invalid(path, 'its manifest is not one')
  }
  return { ...head, entries, files }
}

export function signManifest(manifest: Uint8Array, key: KeyPair): BackupSignature {
  const signature = sign(key, domainHash('backup', manifest))
  return {
    peerId: formatPeerId(key.publicKey),
    publicKey: toHex(key.publicKey),
    signature: toHex(signature),
  }
}

/** @throws NodeError backup_invalid unless the node that it names has signed it */
export function checkSignature(
  path: string,
  { peerId }: BackupManifest,
  manifest: Uint8Array,
  bytes: Uint8Array,
): void {
  const content = parseJson(path, SIGNATURE_PATH, bytes)
  const { publicKey, signature }: Partial<Record<keyof BackupSignature, unknown>> = content
  const isReadable =
    typeof publicKey === 'string' &&
    HEX_32.test(publicKey) &&
    typeof signature === 'string' &&
    /^[0-9a-f]{128}$/.test(signature)
  if (!isReadable) throw invalid(path, 'its signature cannot be read')
  const key = fromHex(publicKey)
  if (formatPeerId(key) !== peerId) throw invalid(path, 'it is signed with the key of another node')
  if (!verify(key, domainHash('backup', manifest), fromHex(signature))) {
    throw invalid(path, 'the signature does not hold')
  }
}

export function invalid(path: string, detail: string): NodeError {
  return new NodeError('backup_invalid', { path, detail })
}

export function encodeJson(content: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(content, null, 1)}\n`)
}

function parseJson(path: string, part: string, bytes: Uint8Array): object {
  try {
    const content: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof content === 'object' && content !== null) return content
  } catch {
    // Said below: where in a damaged file the JSON ends helps nobody.
  }
  throw invalid(path, `${part} is not JSON`)
}

function readHead(path: string, content: object): BackupHead {
  const head: Partial<Record<keyof BackupHead, unknown>> = content
  if (typeof head.format === 'number' && head.format > BACKUP_FORMAT) {
    const { format: found } = head
    throw new NodeError('backup_newer', { path, found, known: BACKUP_FORMAT })
  }
  if (!isHead(head)) throw invalid(path, 'what it is of cannot be read')
  const { format, mooring, networkId, genesisDigest, node, peerId, height, digest } = head
  const { stateRoot, createdAt, hasKeys, blobs } = head
  const place = { height, digest, stateRoot, createdAt, hasKeys, blobs }
  return { format, mooring, networkId, genesisDigest, node, peerId, ...place }
}

function isHead(head: Partial<Record<keyof BackupHead, unknown>>): head is BackupHead {
  return (
    head.format === BACKUP_FORMAT &&
    isText(head.mooring, /^[\w.+-]{1,64}$/) &&
    isText(head.networkId, /^moor-[0-9a-f]{8}$/) &&
    isText(head.genesisDigest, HEX_32) &&
    isText(head.node, /^[a-z0-9-]{1,64}$/) &&
    isText(head.peerId, /^[A-Za-z0-9]{40,64}$/) &&
    isCount(head.height) &&
    isText(head.digest, HEX_32) &&
    isText(head.stateRoot, HEX_32) &&
    isText(head.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) &&
    typeof head.hasKeys === 'boolean' &&
    (head.blobs === 'local' || head.blobs === 's3')
  )
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isEntries(value: unknown): value is BackupManifest['entries'] {
  if (typeof value !== 'object' || value === null) return false
  const entries: Partial<Record<DatabaseName, unknown>> = value
  return DATABASES.every((name) => isCount(entries[name]))
}

function isFile(value: unknown): value is BackupFile {
  if (typeof value !== 'object' || value === null) return false
  const { path, bytes, sha256 }: Partial<Record<keyof BackupFile, unknown>> = value
  return (
    typeof path === 'string' &&
    isBackupPath(path) &&
    isCount(bytes) &&
    typeof sha256 === 'string' &&
    HEX_32.test(sha256)
  )
}
