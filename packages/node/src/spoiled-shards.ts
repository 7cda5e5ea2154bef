// Long shards that were to go to a holder, and whose files here are missing or damaged.
//
// What such a record has elsewhere decides: one that k others have receipted leaves the queue with this shard
// missing, as it does when a holder is gone, and the repair makes it again from the others. One that k others can
// still get is waited for. The rest stays in the queue with an alarm that names it: its files may come back, from
// another disk or a backup, and the next start tries them again.

import { StorageError } from '@mooring/storage'
import type { Finding } from './alarms.ts'
import { missingOf, nameOfRecord, type QueuedRecord } from './vault-queue.ts'

const NAMED_MAX = 3

/** Not the bytes of the shard, or no bytes: reading again does not bring them back. */
export function isSpoiled(error: unknown): error is StorageError {
  if (!(error instanceof StorageError)) return false
  if (error.code === 'blob_missing' || error.code === 'blob_corrupt') return true
  return error.code === 'io' && String(error.details['system']).split(' ').includes('EIO')
}

export class SpoiledShards {
  readonly #self: string
  readonly #of = new Map<QueuedRecord, Set<number>>()

  constructor(self: string) {
    this.#self = self
  }

  add(record: QueuedRecord, index: number): void {
    this.#of.set(record, (this.#of.get(record) ?? new Set()).add(index))
  }

  forget(record: QueuedRecord): void {
    this.#of.delete(record)
  }

  /** Enough others have it, and nobody waits for anything else of it. */
  isLeftToRepair(record: QueuedRecord): boolean {
    const spoiled = this.#of.get(record)
    if (spoiled === undefined || !record.isAccepted) return false
    return missingOf(record).every((index) => spoiled.has(index))
  }

  finding(): Finding | null {
    const short = [...this.#of.keys()].filter((record) => this.#isShort(record))
    if (short.length === 0) return null
    const named = short.slice(0, NAMED_MAX).map(nameOfRecord).join(', ')
    const more = short.length > NAMED_MAX ? `, and ${short.length - NAMED_MAX} more` : ''
    const detail = `Too few shards are left of ${short.length} records that nobody has accepted yet: ${named}${more}.`
    return { code: 'upload_spoiled', severity: 'page', detail }
  }

  /** It cannot be accepted with what is left. */
  #isShort(record: QueuedRecord): boolean {
    const spoiled = this.#of.get(record)
    const others = record.holders.filter(
      (name, index) => name !== this.#self && spoiled?.has(index) !== true,
    )
    return !record.isAccepted && others.length < record.k
  }
}
