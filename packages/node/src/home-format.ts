// data/FORMAT: which version of the layout a home has, and which Mooring wrote it last. Looked at before any
// database is opened: a version that does not know the layout must not touch it.
//
//   0   no file: as homes were before there was one
//   1   the file is there; databases, blobs and uploads as before
//
// An older home is brought to the present format step by step, each step durable before the next; what a step
// changes it keeps beside it with the ending .bak. A newer one is refused.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { storageErrorOf } from '@mooring/storage/errors'
import { replaceFile } from './durable-files.ts'
import { NodeError } from './node-error.ts'
import { readVersion } from './version.ts'

export const HOME_FORMAT = 1

export interface HomeFormat {
  format: number
  /** The version that wrote it. */
  mooring: string
}

export function formatFile(dataDir: string): string {
  return join(dataDir, 'FORMAT')
}

/** Null where there is none. @throws NodeError home_newer when it cannot be read: a newer one may look so */
export async function readHomeFormat(dataDir: string): Promise<HomeFormat | null> {
  const path = formatFile(dataDir)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw storageErrorOf(error, 'the format of the home cannot be read', path)
  }
  const [, format = '', mooring = ''] =
    /^format (\d{1,9}) mooring ([\w.+-]{1,64})\n$/.exec(text) ?? []
  if (format === '') {
    throw new NodeError('home_newer', {
      path,
      found: 'unknown',
      version: 'unknown',
      known: HOME_FORMAT,
    })
  }
  return { format: Number(format), mooring }
}

/** @throws NodeError home_newer; then nothing was touched */
export async function refuseNewerHome(dataDir: string): Promise<HomeFormat | null> {
  const found = await readHomeFormat(dataDir)
  if (found === null || found.format <= HOME_FORMAT) return found
  const { format, mooring: version } = found
  const path = formatFile(dataDir)
  throw new NodeError('home_newer', { path, found: format, version, known: HOME_FORMAT })
}

/**
 * Makes sure that this version knows the format, and brings an older home to its own.
 * @returns the format that it had before
 * @throws NodeError home_newer; then nothing was touched
 */
export async function prepareHomeFormat(dataDir: string): Promise<number> {
  const found = await refuseNewerHome(dataDir)
  const before = found?.format ?? 0
  for (let format = before; format < HOME_FORMAT; format += 1) await STEPS[format]?.(dataDir)
  const mooring = readVersion()
  if (before !== HOME_FORMAT || found?.mooring !== mooring) {
    await writeHomeFormat(dataDir, { format: HOME_FORMAT, mooring })
  }
  return before
}

/** From each format to the next; the file itself is written behind the last of them. */
const STEPS: readonly ((dataDir: string) => Promise<void>)[] = [
  // 0 to 1: nothing but the file.
  () => Promise.resolve(),
]

async function writeHomeFormat(dataDir: string, { format, mooring }: HomeFormat): Promise<void> {
  const path = formatFile(dataDir)
  try {
    await replaceFile(path, `format ${format} mooring ${mooring}\n`)
  } catch (error) {
    throw storageErrorOf(error, 'the format of the home cannot be written', path)
  }
}
