// The databases of a stopped home made whole again. What each kind of damage leads to:
//
//   chain      made anew from its own blocks as far as they are good, executed one by one; where they are not,
//              and behind them, from the other members. Nothing is lost: all of it is final elsewhere.
//   vault      what is good is written anew; the shards that are not are made again from the other holders.
//              Of the log of who asked, damaged entries are gone: nobody else has them.
//   records    the index is dropped whole, for LevelDB may have lost entries without a word; the holders give
//              it back. Of the private values what is good stays. Records that wait for holders are gone.
//   blobs, snapshots      set aside; holders and the node make them again.
//   guard      is not for this command. It is never repaired: docs/how-to/the-guard.md.
//
// A database that cannot be opened at all (no MANIFEST) is set aside whole. LevelDB has a repair of its own,
// which is not used: it brings back what was deleted, and an erased record must not come back. What is set
// aside is in data/trash/, as it was.

import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Database,
  isRecordIndex,
  listSnapshots,
  openDatabase,
  salvage,
  type Salvaged,
  ShardStore,
  snapshotPath,
  StorageError,
  type StoredBlocks,
  storedBlocks,
} from '@mooring/storage'
import {
  type ChainHome,
  openDamaged,
  rebuildChain,
  type RebuildStart,
  startFor,
} from './chain-rebuild.ts'
import { checkHomeData, type CheckOptions, type DatabaseCheck } from './database-check.ts'
import { openHomeDatabase } from './home-database.ts'
import { setLostMark } from './lost-mark.ts'
import { beginRenewal, endRenewal } from './renewed-database.ts'
import { moveToTrash } from './trash.ts'

export type RepairedPart = 'chain' | 'records' | 'vault' | 'blobs' | 'snapshots'

export interface RepairStep {
  database: RepairedPart
  does: string
  /** What nobody gives back; null: nothing. */
  loses: string | null
}

export interface RepairPlan {
  check: DatabaseCheck
  steps: RepairStep[]
  /** Damage that is not for this command, in words. */
  left: string[]
}

export interface RepairedChain {
  height: number
  /** Why its own blocks did not reach further; null when they did. */
  fault: string | null
  /** Up to here at least it must be fetched. */
  needed: number
}

export interface Repaired {
  done: string[]
  chain: RepairedChain | null
}

type RepairOptions = CheckOptions & ChainHome

/** @throws StorageError locked when the node runs */
export async function planRepair(options: RepairOptions): Promise<RepairPlan> {
  const check = await checkHomeData(options)
  const damaged = new Set(check.findings.map(({ database }) => database))
  const steps: RepairStep[] = []
  if (damaged.has('chain')) {
    const does = 'made anew from its own good blocks, and from the other members'
    steps.push({ database: 'chain', does, loses: null })
  }
  if (damaged.has('records')) {
    const does = 'its index comes back from the holders; what is good of the rest stays'
    const loses = 'records that wait for holders, and private values that are damaged'
    steps.push({ database: 'records', does, loses })
  }
  if (damaged.has('vault')) {
    const does = 'what is good stays; shards that are not are made again by the other holders'
    const loses = 'entries of the access log that are damaged'
    steps.push({ database: 'vault', does, loses })
  }
  if (damaged.has('blobs')) {
    const does = 'set aside, and made again by the other holders'
    steps.push({ database: 'blobs', does, loses: null })
  }
  if (damaged.has('snapshots')) {
    steps.push({ database: 'snapshots', does: 'set aside; the node takes new ones', loses: null })
  }
  const left = damaged.has('guard')
    ? ['the vote journal is damaged: see docs/how-to/the-guard.md, nothing here touches it']
    : []
  return { check, steps, left }
}

/** What the plan says, one part after the other; each is whole before the next begins. */
export async function runRepair(
  options: RepairOptions,
  plan: RepairPlan,
  { now, onHeight }: { now: Date; onHeight?: (height: number) => void },
): Promise<Repaired> {
  const repaired: Repaired = { done: [], chain: null }
  for (const { database } of plan.steps) {
    switch (database) {
      case 'chain':
        repaired.chain = await repairChain(options, plan, { now, ...(onHeight && { onHeight }) })
        repaired.done.push(`chain: good up to ${repaired.chain.height}`)
        break
      case 'records':
      case 'vault':
        repaired.done.push(await renew(options, database, now))
        break
      case 'blobs':
        repaired.done.push(await setBlobsAside(options, plan, now))
        break
      case 'snapshots':
        repaired.done.push(await setSnapshotsAside(options, plan, now))
        break
    }
  }
  return repaired
}

async function repairChain(
  options: RepairOptions,
  plan: RepairPlan,
  { now, onHeight }: { now: Date; onHeight?: (height: number) => void },
): Promise<RepairedChain> {
  const old = await openDamaged(options)
  try {
    const stored = old === null ? null : storedBlocks(old)
    const tip = stored?.tip?.height ?? plan.check.height
    const to = tip ?? Number.MAX_SAFE_INTEGER
    const start = await startOrNothing(options, stored, to)
    const { height, fault } = await rebuildChain(options, old, {
      start: start ?? { from: 'genesis' },
      isReplayed: start !== null,
      to,
      tip,
      now,
      ...(onHeight && { onHeight }),
    })
    return { height, fault, needed: tip ?? height }
  } finally {
    await old?.close()
  }
}

/** Null where nothing of the old chain can be executed: then all of it comes from the others. */
async function startOrNothing(
  options: RepairOptions,
  stored: StoredBlocks | null,
  to: number,
): Promise<RebuildStart | null> {
  if (stored !== null) {
    return await startFor(options, { height: to, prunedTo: stored.floor?.prunedTo ?? 0 })
  }
  const [newest] = await listSnapshots(options.snapshotsDir)
  return newest === undefined ? null : { from: 'snapshot', height: newest }
}

async function renew(
  options: RepairOptions,
  name: 'records' | 'vault',
  now: Date,
): Promise<string> {
  const { dir } = options.storage
  const staging = await beginRenewal(dir, name)
  // First, for the node must look for what is missing whatever happens to this command.
  await setLostMark(dir)
  const kept = await writeAnew(options, name, staging)
  const trash = await endRenewal(dir, { name, now })
  if (kept === null)
    return `${name}: could not be opened, and begins anew; the old one is in ${trash}`
  const damaged = [...kept.damaged].map(([kind, count]) => `${count} × ${kind}`).join(', ')
  const lost = damaged === '' ? '' : `, damaged and gone: ${damaged}`
  return `${name}: ${kept.kept} values stay${lost}; the old one is in ${trash}`
}

/** Null where the old one does not open; then the new one is empty. */
async function writeAnew(
  options: RepairOptions,
  name: 'records' | 'vault',
  staging: string,
): Promise<Salvaged | null> {
  const to = await openDatabase(staging, { name })
  try {
    const from = await openIfPossible(options, name)
    if (from === null) return null
    try {
      const isDropped = name === 'records' ? isRecordIndex : () => false
      const salvaged = await salvage(from, to, isDropped)
      if (name === 'vault') await ShardStore.recount(to)
      return salvaged
    } finally {
      await from.close()
    }
  } finally {
    await to.close()
  }
}

async function openIfPossible(
  { home, storage }: RepairOptions,
  name: 'records' | 'vault',
): Promise<Database | null> {
  try {
    return await openHomeDatabase({ home, dataDir: storage.dir }, name, { checkedBytesMax: 0 })
  } catch (error) {
    if (error instanceof StorageError && error.code !== 'locked') return null
    throw error
  }
}

async function setBlobsAside(
  options: RepairOptions,
  { check }: RepairPlan,
  now: Date,
): Promise<string> {
  const { dir } = options.storage
  const names = check.findings.flatMap(({ database, what }) =>
    database === 'blobs' ? [what.replace('blob ', '')] : [],
  )
  await setLostMark(dir)
  let moved = 0
  for (const shelf of await readdir(join(dir, 'blobs'))) {
    const found = await readdir(join(dir, 'blobs', shelf)).catch(() => [])
    for (const name of found.filter((each) => names.some((short) => each.startsWith(short)))) {
      await moveToTrash(dir, join('blobs', shelf, name), { name: `blob-${name}`, now })
      moved += 1
    }
  }
  return `blobs: ${moved} set aside`
}

async function setSnapshotsAside(
  options: RepairOptions,
  { check }: RepairPlan,
  now: Date,
): Promise<string> {
  const { snapshotsDir } = options
  const trash = join(options.storage.dir, 'trash', `snapshots-${now.getTime()}`)
  await mkdir(trash, { recursive: true, mode: 0o700 })
  let moved = 0
  for (const height of await listSnapshots(snapshotsDir)) {
    const isDamaged = check.findings.some(
      ({ database, what }) => database === 'snapshots' && what.endsWith(` ${height}`),
    )
    if (!isDamaged) continue
    await rename(snapshotPath(snapshotsDir, height), join(trash, `${height}.snapshot`))
    moved += 1
  }
  return `snapshots: ${moved} set aside`
}
