// The folder of backups: what is in it, as the beginning of each file tells, and which of those made on
// schedule may go.

import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError, storageErrorOf } from '@mooring/storage'
import { type BackupHead, byNewestName, isBackupName, isScheduledOf } from './backup-format.ts'
import { readBackupHead } from './backup-read.ts'
import { NodeError } from './node-error.ts'

export interface ListedBackup {
  path: string
  bytes: number
  head: BackupHead
  isScheduled: boolean
}

export interface BackupList {
  /** Newest first. */
  items: ListedBackup[]
  /** What looks like a backup and cannot be read. */
  unreadable: { path: string; detail: string }[]
}

const ITEMS_MAX = 1_000

/** Empty where there is no such folder. */
export async function listBackups(folder: string): Promise<BackupList> {
  const list: BackupList = { items: [], unreadable: [] }
  const names = (await namesIn(folder)).filter(isBackupName).toSorted(byNewestName)
  for (const name of names.slice(0, ITEMS_MAX)) {
    const path = join(folder, name)
    try {
      const head = await readBackupHead(path)
      const { size } = await stat(path)
      const isScheduled = isScheduledOf(name, head)
      list.items.push({ path, bytes: size, head, isScheduled })
    } catch (error) {
      if (!(error instanceof NodeError || error instanceof StorageError)) throw error
      const detail =
        error instanceof NodeError ? String(error.data['detail'] ?? error.code) : error.message
      list.unreadable.push({ path, detail })
    }
  }
  list.items.sort((a, b) => (a.head.createdAt < b.head.createdAt ? 1 : -1))
  return list
}

/** Of those that this node of this network made on schedule the newest stay. */
export async function dropOldBackups(
  folder: string,
  node: Pick<BackupHead, 'node' | 'networkId'>,
  keep: number,
): Promise<string[]> {
  const names = (await namesIn(folder)).filter((name) => isScheduledOf(name, node))
  const dropped = names.toSorted(byNewestName).slice(keep)
  for (const name of dropped) await rm(join(folder, name), { force: true })
  return dropped
}

/** What this node began and a power cut ended; it makes one backup at a time. */
export async function dropPartial(
  folder: string,
  { node, networkId }: Pick<BackupHead, 'node' | 'networkId'>,
): Promise<void> {
  for (const name of await namesIn(folder)) {
    const isOwn = name.startsWith(`${node}-${networkId}-`) && name.endsWith('.partial')
    if (isOwn) await rm(join(folder, name), { force: true })
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw storageErrorOf(error, 'the folder of backups cannot be read', folder)
  }
}
