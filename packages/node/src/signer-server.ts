// Where a signer listens: a unix socket that only its own user may open, or TCP on which both sides show
// certificates. Everything is bounded: connections, frames, questions under way and questions a second.

import { once } from 'node:events'
import { chmod, mkdir, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { TokenBucket } from '@mooring/network'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import type { SignerAddress, TlsFiles } from './signer-address.ts'
import { answerFrame, decodeQuestion, readFrames, type SignerAnswer } from './signer-messages.ts'
import type { SignerService } from './signer-service.ts'
import { namesIn, readTlsParts } from './signer-tls.ts'

const CONNECTIONS_MAX = 16
const UNDER_WAY_MAX = 256
const QUESTIONS_BURST = 1_024
const QUESTIONS_PER_SECOND = 512
const IDLE_MS = 60_000
const HANDSHAKE_MS = 5_000

export interface SignerServerOptions {
  address: SignerAddress
  /** Names in certificates; only over TLS. */
  clients: readonly string[]
}

export interface SignerServerModules {
  service: Pick<SignerService, 'answer'>
  clock: Clock
  logger: Logger
  /** The guard does not work any more: nothing may be signed. */
  onFatal: (error: unknown) => void
}

export interface SignerServer {
  /** As a client would name it. */
  readonly address: string
  close(): Promise<void>
}

/** @throws NodeError signer_in_use, signer_tls, port_taken */
export async function startSignerServer(
  options: SignerServerOptions,
  modules: SignerServerModules,
): Promise<SignerServer> {
  const { address } = options
  const sockets = new Set<Socket>()
  const serve = (socket: Socket, refused: string | null): void => {
    if (refused === null) return converse(socket, modules)
    modules.logger.warn('a client was refused', { name: refused })
    const body = { code: 'signer_not_ours', asked: refused, signed: '' } as const
    socket.end(answerFrame(0, { kind: 'refusal', body }))
  }
  const server =
    address.kind === 'unix'
      ? createServer((socket) => serve(socket, null))
      : await createTlsDoor(address.tls, modules.logger, (socket) =>
          serve(socket, strangerName(socket, options.clients)),
        )
  server.maxConnections = CONNECTIONS_MAX
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', (error) => modules.logger.debug('a connection failed', { error }))
  })
  const bound = await listen(server, address)
  const close = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { address: bound, close }
}

/** Its certificates are read again for every connection; those that cannot be used change nothing. */
async function createTlsDoor(
  files: TlsFiles,
  logger: Logger,
  onClient: (socket: TLSSocket) => void,
): Promise<Server> {
  const parts = await readTlsParts(files)
  const how = { requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS }
  const tls = createTlsServer({ ...parts, ...how }, onClient)
  tls.on('tlsClientError', (error) =>
    logger.warn('a connection without a good certificate was refused', { detail: error.message }),
  )
  const welcome = async (socket: Socket): Promise<void> => {
    try {
      tls.setSecureContext(await readTlsParts(files))
    } catch (error) {
      logger.error('the certificates of the signer were not read again', { error })
    }
    if (!socket.destroyed) tls.emit('connection', socket)
  }
  return createServer({ pauseOnConnect: true }, (socket) => {
    // Whoever goes while the certificates are read has nothing to say.
    socket.on('error', () => socket.destroy())
    void welcome(socket)
  })
}

/** Null for one that may ask. */
function strangerName(socket: TLSSocket, clients: readonly string[]): string | null {
  const names = namesIn(socket.getPeerCertificate())
  return names.some((name) => clients.includes(name)) ? null : (names[0] ?? 'without a name')
}

function converse(socket: Duplex, { service, clock, logger, onFatal }: SignerServerModules): void {
  const budget = new TokenBucket(QUESTIONS_BURST, QUESTIONS_PER_SECOND, clock.monotonic())
  let underWay = 0
  const send = (id: number, answer: SignerAnswer): void => {
    if (!socket.destroyed) socket.write(answerFrame(id, answer))
  }
  readFrames(socket, (frame) => {
    const { id, about } = decodeQuestion(frame)
    if (underWay >= UNDER_WAY_MAX || !budget.take(1, clock.monotonic())) {
      logger.warn('a client asks too much and was cut off')
      socket.destroy()
      return
    }
    underWay += 1
    service
      .answer(about)
      .then((answer) => send(id, answer))
      .catch((error: unknown) => {
        socket.destroy()
        if (error instanceof Error && error.name === 'CodecError') return
        onFatal(error)
      })
      .finally(() => {
        underWay -= 1
      })
  })
}

async function listen(server: Server, address: SignerAddress): Promise<string> {
  if (address.kind === 'unix') {
    await mkdir(dirname(address.path), { recursive: true, mode: 0o700 })
    await removeStale(address.path)
    await listening(server, { path: address.path }, address.text)
    await chmod(address.path, 0o600)
    return address.text
  }
  await listening(server, { host: address.host, port: address.port }, address.text)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return `tls://${address.host}:${port}`
}

async function listening(
  server: Server,
  where: { path: string } | { host: string; port: number },
  text: string,
): Promise<void> {
  // The socket file is made by this call: nobody else may open it, not even for a moment.
  const before = process.umask(0o177)
  try {
    server.listen(where)
  } finally {
    process.umask(before)
  }
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new NodeError('port_taken', { what: 'The signer', address: text }, { cause: error })
    }
    throw error
  }
}

/** A socket that a crash has left behind goes; one that answers stays. @throws NodeError signer_in_use */
async function removeStale(path: string): Promise<void> {
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code === 'ECONNREFUSED') await unlink(path)
    else if (error.code !== 'ENOENT') throw error
    return
  } finally {
    socket.destroy()
  }
  throw new NodeError('signer_in_use', { address: `unix:${path}` })
}
