// Where the passphrase of the keys comes from: a file that only we may read, systemd's credentials, or
// the person at the terminal. Never a flag value, a variable or the configuration: those are visible to
// others, and are copied.

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeError } from './node-error.ts'
import { type AskPassphrase, checkPassphrase, type Passphrase } from './seed-lock.ts'

const FILE_BYTES_MAX = 4_096
/** `LoadCredential=mooring-passphrase:/etc/mooring/passphrase` in a unit of systemd. */
const CREDENTIAL = 'mooring-passphrase'

export interface PassphraseSources {
  /** From the configuration; null when it names none. */
  file: string | null
  env: Readonly<Record<string, string | undefined>>
  /** Undefined where nobody sits. */
  askSecret?: ((question: string) => Promise<string>) | undefined
}

/** The first source there is. @throws NodeError keys_passphrase_missing and what is wrong with a file. */
export function passphraseFrom(sources: PassphraseSources): AskPassphrase {
  return async () => {
    const { file, askSecret } = sources
    if (file !== null) return readPassphraseFile(file)
    const credential = await findCredential(sources.env)
    if (credential !== null) return readPassphraseFile(credential)
    if (askSecret === undefined) throw new NodeError('keys_passphrase_missing', {})
    const typed = await askSecret('Passphrase of the keys: ')
    return { text: typed, from: 'the one that was typed' }
  }
}

/** The same for keys that are made now: typed twice, and of some length. */
export function newPassphraseFrom(sources: PassphraseSources): AskPassphrase {
  return async () => {
    const { askSecret } = sources
    const first = checkPassphrase(await passphraseFrom(sources)())
    const isTyped = sources.file === null && (await findCredential(sources.env)) === null
    if (!isTyped || askSecret === undefined) return first
    if ((await askSecret('The same once more: ')) === first.text) return first
    throw new NodeError('passphrase_differs', {})
  }
}

async function findCredential(env: PassphraseSources['env']): Promise<string | null> {
  const folder = env['CREDENTIALS_DIRECTORY']
  if (folder === undefined || folder === '') return null
  const path = join(folder, CREDENTIAL)
  try {
    await stat(path)
    return path
  } catch {
    return null
  }
}

/** The first line of a file that others may not read. */
export async function readPassphraseFile(path: string): Promise<Passphrase> {
  try {
    const found = await stat(path)
    if (!found.isFile()) throw unreadable(path, 'it is no file')
    if (isOpen(found)) {
      const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
      throw new NodeError('keys_passphrase_open', { path, mode })
    }
    if (found.size > FILE_BYTES_MAX) throw unreadable(path, 'it is no file with one line')
    const text = (await readFile(path, 'utf8')).replace(/\r?\n[^]*$/, '')
    return { text, from: path }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error) || error instanceof NodeError) throw error
    if (error.code === 'ENOENT') throw new NodeError('file_missing', { path }, { cause: error })
    throw unreadable(path, error.message)
  }
}

/**
 * Whether somebody else may read it. A secret that Kubernetes mounts belongs to root and is readable by
 * the group of the pod, which nobody else is in.
 */
function isOpen({ mode, uid, gid }: { mode: number; uid: number; gid: number }): boolean {
  if ((mode & 0o007) !== 0) return true
  if ((mode & 0o070) === 0) return false
  const isOurs = process.getuid?.() === uid
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])]
  return isOurs || uid !== 0 || (mode & 0o020) !== 0 || !groups.includes(gid)
}

function unreadable(path: string, detail: string): NodeError {
  return new NodeError('file_unreadable', { path, detail })
}
