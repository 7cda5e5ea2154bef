/**
 * Unix sockets by path. The kernel takes about a hundred bytes of one; below a home in a deep folder a
 * path is longer, and Linux can then name the folder by a descriptor that is open on it.
 */

import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const PATH_BYTES_MAX = 100

export interface ReachableSocket {
  path: string
  /** Once the socket is bound or connected, its name is not needed any more. */
  close(): Promise<void>
}

export async function reachableSocket(path: string): Promise<ReachableSocket> {
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX || process.platform !== 'linux')
    return { path, close: () => Promise.resolve() }
  const folder = await open(dirname(path), 'r')
  const short = join('/proc/self/fd', String(folder.fd), basename(path))
  return { path: short, close: () => folder.close() }
}
