// What a node that runs leaves for whoever looks for the reason afterwards: a bundle when the process is
// asked for one by a signal, a report when it failed by a mistake of its own.

import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { writeCrashReport } from '@mooring/node/crash-report'
import { failureOf } from '@mooring/node/error-text'
import { homePaths } from '@mooring/node/home'
import type { Context } from './context.ts'
import type { Output } from './output.ts'
import type { RunningNode } from './start-node.ts'

const BUNDLES_MAX = 3
const SINCE_MS = 24 * 60 * 60 * 1_000
const NAME = /^bundle-[0-9TZ-]+\.tar\.gz$/

/** Gives the function that ends this. */
export function watchNode(
  context: Context,
  { home, node, output }: { home: string; node: RunningNode; output: Output },
): () => void {
  const { crash, onBundle } = context
  if (crash !== undefined) crash.place = () => ({ home, recent: node.recentLog() })
  const forget = onBundle?.(() => {
    writeBundle(context, home, node).then(
      (path) => output.note(`bundle: ${path}`),
      (error: unknown) => output.note(`no bundle could be written: ${String(error)}`),
    )
  })
  return () => {
    forget?.()
    if (crash !== undefined) crash.place = null
  }
}

async function writeBundle(context: Context, home: string, node: RunningNode): Promise<string> {
  const { logs } = homePaths(home)
  await mkdir(logs, { recursive: true, mode: 0o700 })
  const old = (await readdir(logs)).filter((name) => NAME.test(name)).toSorted()
  for (const name of old.slice(0, Math.max(0, old.length - BUNDLES_MAX + 1)))
    await rm(join(logs, name), { force: true })
  const path = join(logs, `bundle-${stampOf(context.now())}.tar.gz`)
  const pieces = node.bundle({ sinceMs: SINCE_MS, profileMs: 0, isRedacted: true })
  await pipeline(Readable.from(pieces), createWriteStream(`${path}.tmp`, { mode: 0o600 }))
  await rename(`${path}.tmp`, path)
  return path
}

export function stampOf(now: Date): string {
  return now.toISOString().replaceAll(/[:.]/g, '-')
}

/** Of a mistake of this program; what has a text of its own is explained by that. */
export function reportCrash(
  error: unknown,
  { home, now, recent }: { home: string; now: Date; recent: readonly string[] },
): string | undefined {
  if (failureOf(error).code !== 'internal') return undefined
  return writeCrashReport(error, { home, now, recent })
}
