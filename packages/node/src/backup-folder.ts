// The folder of backups: what is in it, as the beginning of each file tells, and which of those made on
// schedule may go.

import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError, storageErrorOf } from '@mooring/storage'
import { type BackupHead, isBackupName, isScheduledOf } from './backup-format.ts'
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
  for (const name of (await namesIn(folder)).filter(isBackupName).slice(0, ITEMS_MAX)) {
    const path = join(folder, name)
    try {
      const head = await readBackupHead(path)
      const { size } = await stat(path)
      const isScheduled = isScheduledOf(name, head.node)
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

/** Of those that the node of this name made on schedule the newest stay. */
export async function dropOldBackups(
  folder: string,
  node: string,
  keep: number,
): Promise<string[]> {
  // The time is in the name, behind what all of them begin with.
  const names = (await namesIn(folder)).filter((name) => isScheduledOf(name, node)).toSorted()
  const dropped = names.slice(0, Math.max(0, names.length - keep))
  for (const name of dropped) await rm(join(folder, name), { force: true })
  return dropped
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw storageErrorOf(error, 'the folder of backups cannot be read', folder)
  }
}
