// What is left of a process that ended by a mistake of its own: logs/crash-<time>.json, written in one go
// while everything else is in doubt. What was journalled needs no care here: no vote leaves before its sync
// has returned, so whatever was not synced was not said. It is not in run/, which a container keeps in memory:
// there the report would be gone with the process that it explains.

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { homePaths } from './home.ts'
import { readVersion } from './version.ts'

const REPORTS_MAX = 10
const LINES_MAX = 200
const NAME = /^crash-[0-9TZ-]+\.json$/

export interface CrashPlace {
  home: string
  now: Date
  /** The last lines of the log, as JSON, oldest first. */
  recent: readonly string[]
}

/** Where the report is; undefined where it cannot be written, for there is nobody left to tell. */
export function writeCrashReport(error: unknown, place: CrashPlace): string | undefined {
  const { logs } = homePaths(place.home)
  const name = `crash-${place.now.toISOString().replaceAll(/[:.]/g, '-')}.json`
  const path = join(logs, name)
  try {
    mkdirSync(logs, { recursive: true, mode: 0o700 })
    for (const old of readdirSync(logs)
      .filter(isReport)
      .toSorted()
      .slice(0, 1 - REPORTS_MAX))
      rmSync(join(logs, old), { force: true })
    const file = openSync(path, 'wx', 0o600)
    writeSync(file, `${JSON.stringify(reportOf(error, place), null, 2)}\n`)
    fsyncSync(file)
    closeSync(file)
    return path
  } catch {
    return undefined
  }
}

const isReport = (name: string): boolean => NAME.test(name)

function reportOf(error: unknown, { now, recent }: CrashPlace): object {
  return {
    schema: 'mooring/crash/v1',
    time: now.toISOString(),
    version: readVersion(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    memory: process.memoryUsage(),
    error: describeError(error),
    log: recent.slice(-LINES_MAX).map(parsedLine),
  }
}

function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) }
  const { name, message, stack } = error
  const code = 'code' in error ? { code: String(error.code) } : {}
  const cause =
    error.cause === undefined || depth >= 5 ? {} : { cause: describeError(error.cause, depth + 1) }
  return { name, ...code, message, stack, ...cause }
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

/** Newest first. */
export async function readCrashReports(home: string): Promise<unknown[]> {
  const { logs } = homePaths(home)
  const reports: unknown[] = []
  for (const name of (await namesIn(logs)).filter(isReport).toSorted().toReversed())
    reports.push({ name, report: parsedLine(await readFile(join(logs, name), 'utf8')) })
  return reports
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
