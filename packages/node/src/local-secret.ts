// 32 random bytes that never leave this node: what it keeps of patients is named and sealed with keys that
// follow from them (at-rest.ts). Made once; a node that lost them opens none of it again.

import { randomBytes } from 'node:crypto'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromHex, toHex } from '@mooring/codec'
import { homePaths } from './home.ts'
import { NodeError } from './node-error.ts'

const SECRET = /^[0-9a-f]{64}\n$/

/** The one of the home. */
export function loadRecordsSecret(home: string): Promise<Uint8Array> {
  return loadLocalSecret(join(homePaths(home).keys, 'records.secret'))
}

export async function loadLocalSecret(path: string): Promise<Uint8Array> {
  const text = await readOwn(path)
  if (text === undefined) return makeSecret(path)
  if (!SECRET.test(text)) {
    throw new NodeError('key_malformed', { path, detail: 'it is not 64 hex digits and a newline' })
  }
  return fromHex(text.trimEnd())
}

async function readOwn(path: string): Promise<string | undefined> {
  try {
    const mode = (await stat(path)).mode & 0o777
    if ((mode & 0o077) !== 0) {
      throw new NodeError('key_open', { path, mode: mode.toString(8).padStart(4, '0') })
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A crash leaves the whole secret or none. */
async function makeSecret(path: string): Promise<Uint8Array> {
  const secret = new Uint8Array(randomBytes(32))
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(`${toHex(secret)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  return secret
}
