// What the bundle of a running node is made of, and what never enters one.

import { readdir, readFile, stat } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { formatGenesisJson } from '@mooring/ledger'
import type { BundlePart, LeftOut } from './bundle.ts'
import { readCrashReports } from './crash-report.ts'
import type { HomeOptions } from './load-options.ts'

export const NEVER_IN_A_BUNDLE: readonly LeftOut[] = [
  { what: 'keys/, tokens, certificates, passphrases', why: 'they open something' },
  {
    what: 'guard/',
    why: 'a copy of it could be voted from; what it has reached is in status.json',
  },
  { what: 'data/, snapshots/, backups/', why: 'records, sealed or not, and who belongs to them' },
  { what: 'patients, enrolments, grants, the access log', why: 'they are about people' },
  {
    what: 'config/mooring.toml',
    why: 'its comments may say anything; options.json has the values',
  },
]

/** Values without secrets: options hold paths of those, and keys are not among these sections. */
export function shownOptions(options: HomeOptions): object {
  const { name, role, profile, networkId, home, configPath, genesisPath, origins } = options
  const { p2p, consensus, mempool, storage, backup, vault, retention, sync } = options
  const { http, admin, patients, metrics, log, shutdown } = options
  const who = { name, role, profile, networkId, home, configPath, genesisPath }
  const parts = { p2p, consensus, mempool, storage, backup, vault, retention, sync }
  const listening = { http, admin, patients, metrics, log, shutdown }
  return { ...who, ...parts, ...listening, origins }
}

export function hostPart(): BundlePart {
  return {
    name: 'process.json',
    read: async () => ({
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      versions: process.versions,
      pid: process.pid,
      uid: process.getuid?.() ?? null,
      uptimeSeconds: Math.round(process.uptime()),
      memory: process.memoryUsage(),
      usage: process.resourceUsage(),
      openFiles: await openFiles(),
      activeResources: countsOf(process.getActiveResourcesInfo()),
      cores: availableParallelism(),
      load: loadavg(),
      computer: { freeBytes: freemem(), totalBytes: totalmem() },
      limits: await lastOf('/proc/self/limits', 4_000),
      control: await lastOf('/sys/fs/cgroup/memory.max', 100),
    }),
  }
}

export function homeParts(options: HomeOptions): BundlePart[] {
  const { home, storage, genesis } = options
  return [
    { name: 'options.json', read: () => shownOptions(options) },
    { name: 'genesis.json', read: () => formatGenesisJson(genesis) },
    { name: 'folders.json', read: () => foldersOf(home, storage.dir) },
    { name: 'crashes.json', read: () => readCrashReports(home) },
    hostPart(),
  ]
}

/** Lines of JSON, as they were logged, from that time on; one without a time is kept. */
export function linesSince(lines: readonly string[], since: number): string {
  const kept = lines.filter((line) => {
    const time = /"time":"([^"]+)"/.exec(line)?.[1]
    return time === undefined || Date.parse(time) >= since
  })
  return kept.map((line) => `${line}\n`).join('')
}

/** What the processor does for so long, as a profile that browsers and editors open. */
export async function profileFor(ms: number): Promise<object> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await pause(ms)
    const { profile } = await session.post('Profiler.stop')
    return profile
  } finally {
    session.disconnect()
  }
}

/** How much each folder holds; names of files are not told, for some are digests. */
async function foldersOf(home: string, dataDir: string): Promise<object[]> {
  const folders = ['.', 'config', 'keys', 'guard', 'guard/votes', 'run', 'snapshots', 'logs']
  const inData = await namesIn(dataDir)
  const places = [
    ...folders.map((name) => ({ name, path: join(home, name) })),
    ...inData.map((name) => ({ name: `data/${name}`, path: join(dataDir, name) })),
  ]
  const found: object[] = []
  for (const { name, path } of places) {
    try {
      const { mode, uid } = await stat(path)
      const permissions = (mode & 0o777).toString(8).padStart(4, '0')
      found.push({ name, permissions, uid, ...(await totalOf(path)) })
    } catch (error) {
      found.push({ name, missing: error instanceof Error && 'code' in error ? error.code : '' })
    }
  }
  return found
}

async function totalOf(folder: string): Promise<{ files: number; bytes: number }> {
  let files = 0
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    files += 1
    bytes += await sizeOf(join(folder, entry.name))
  }
  return { files, bytes }
}

/** A database deletes files while it is looked at. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return []
    throw error
  }
}

/** Null where the system does not tell. */
export async function openFiles(): Promise<number | null> {
  try {
    return (await readdir('/proc/self/fd')).length
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

async function lastOf(path: string, charactersMax: number): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).slice(-charactersMax)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
