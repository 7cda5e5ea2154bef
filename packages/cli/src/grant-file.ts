// Grant files: read, checked by themselves, shown. Whether a grant opens anything, holders decide.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { NodeError } from '@mooring/node/node-error'
import {
  type Grant,
  parseGrant,
  readGrant as readSigned,
  RecordsError,
  verifyGrant,
} from '@mooring/records'
import type { Context } from './context.ts'
import { formatGrantWords } from './grant-words.ts'
import { readInput } from './read-input.ts'

const GRANT_BYTES_MAX = 64 * 1024

export type GrantFile = { path: string; text: string; grant: Grant }

export async function readGrant(context: Context, path: string): Promise<GrantFile> {
  const bytes = await readInput(context, path, GRANT_BYTES_MAX)
  try {
    const grant = readSigned(parseGrant(bytes))
    return { path, text: new TextDecoder().decode(bytes), grant }
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    const detail = error.message
    throw new NodeError('grant_unreadable', { path, detail }, { cause: error })
  }
}

export async function writeNew(context: Context, path: string, text: string): Promise<void> {
  const file = resolve(context.cwd, path)
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere) throw error
    // The same again is no loss, and a command may be repeated.
    if ((await readFile(file, 'utf8')) === text) return
    throw new NodeError('file_exists', { path }, { cause: error })
  }
}

export function formatGrantFields({ grant }: Pick<GrantFile, 'grant'>, now: Date): string {
  const over = now.getTime() >= grant.expiresAt
  const early = now.getTime() < grant.notBefore
  const standing = over ? 'it has expired' : early ? 'it is not valid yet' : 'its time runs'
  return formatGrantWords(grant, [
    ['now', standing],
    ['signature', verifyGrant(grant) ? 'holds' : 'does NOT hold: no holder will serve it'],
  ])
}
