// What a command shows a node that is not reached over its socket: a token, or a certificate. Both come
// from files: what is on a command line can be read by everybody on the computer.

import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ConnectOptions } from '@mooring/api/node-client'
import { NodeError } from '@mooring/node/node-error'
import type { Context, GlobalOptions } from './context.ts'

const TOKEN_BYTES_MAX = 4096

export type Credentials = Pick<ConnectOptions, 'token' | 'ca' | 'cert' | 'key'>

export async function credentialsOf(
  context: Pick<Context, 'env' | 'cwd'>,
  options: GlobalOptions,
): Promise<Credentials> {
  const { env, cwd } = context
  const file = (flag: string | undefined, variable: string) => {
    const path = flag ?? env[variable] ?? ''
    return path === '' ? undefined : resolve(cwd, path)
  }
  const token = file(options.tokenFile, 'MOORING_TOKEN_FILE')
  const ca = file(options.cacert, 'MOORING_CACERT')
  const cert = file(options.cert, 'MOORING_CERT')
  const key = file(options.certKey, 'MOORING_CERT_KEY')
  if ((cert === undefined) !== (key === undefined)) {
    const detail = '--cert and --cert-key belong together'
    throw new NodeError('usage', { detail, command: '' })
  }
  return {
    token: token === undefined ? undefined : await readToken(token),
    ca: ca && (await read(ca)),
    cert: cert && (await read(cert)),
    key: key && (await read(key)),
  }
}

async function readToken(path: string): Promise<string> {
  const { mode, size } = await found(path)
  if ((mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0')
    throw new NodeError('key_open', { path, mode: octal })
  }
  if (size > TOKEN_BYTES_MAX)
    throw new NodeError('file_too_large', { path, limit: TOKEN_BYTES_MAX })
  return (await read(path)).trim()
}

async function found(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    throw new NodeError('file_missing', { path }, { cause: error })
  }
}

async function read(path: string): Promise<string> {
  await found(path)
  return readFile(path, 'utf8')
}
