/**
 * Where a listener listens: an address of this computer, or a unix socket.
 */

import { chmod, unlink } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import { reachableSocket } from './unix-socket.ts'

const ADDRESS = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>[0-9]{1,5})$/

/** Gives the base address; throws `address_in_use` or `listen_failed`. */
export async function listenOn(
  app: FastifyInstance,
  address: string,
  isTls: boolean,
): Promise<string> {
  const groups = ADDRESS.exec(address)?.groups
  const host = groups?.['v6'] ?? groups?.['host']
  if (host === undefined) throw new ApiError('listen_failed', `"${address}" is not host:port.`)
  try {
    await app.listen({ host, port: Number(groups?.['port']) })
  } catch (cause) {
    const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
    if (isTaken) throw new ApiError('address_in_use', `${address} is in use.`, { cause })
    throw new ApiError('listen_failed', `${address} cannot be listened on.`, { cause })
  }
  const bound = app.server.address()
  if (bound === null || typeof bound === 'string') throw new TypeError('listening without a port')
  const { address: ip, family, port } = bound
  return `${isTls ? 'https' : 'http'}://${family === 'IPv6' ? `[${ip}]` : ip}:${port}`
}

/**
 * Only its owner may open it. Who listens has the home to itself, so that a socket that is there already
 * is what a process that was killed left behind.
 */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  try {
    await removeSocket(path)
    const socket = await reachableSocket(path)
    try {
      await app.listen({ path: socket.path })
    } finally {
      await socket.close()
    }
    await chmod(path, 0o600)
  } catch (cause) {
    throw new ApiError('listen_failed', `${path} cannot be listened on.`, { cause })
  }
}

export async function removeSocket(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
