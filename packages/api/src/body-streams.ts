/**
 * Bodies that pass through in pieces, both ways.
 *
 * While the other side is slow, its silence counts against it; while we are, nothing does. A request
 * that arrives in pieces has no total time, so it must keep a pace instead, and a response that nobody
 * takes ends. Who refuses a body unread lets a part of the rest run out, so that the client reads why.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError } from './errors.ts'
import type { ApiLimits } from './limits.ts'

const FORM_TYPES: readonly string[] = ['multipart/form-data', 'application/x-www-form-urlencoded']
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/

/** Forms of a web page are no records, and what only a page of another site sends is not taken. */
export function checkUpload(mediaType: string, origin: string | undefined, host: string): void {
  if (!MEDIA_TYPE.test(mediaType) || FORM_TYPES.includes(mediaType)) {
    const detail = 'Send the bytes themselves, with their own media type such as application/dicom.'
    throw new ApiError('unsupported_media_type', detail)
  }
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return
  throw new ApiError('foreign_origin', 'Records come from programs, not from pages of other sites.')
}

/** What the client sends, at its pace and within the limit. */
export async function* received(
  request: IncomingMessage,
  limits: ApiLimits,
): AsyncGenerator<Uint8Array> {
  const { uploadBytesMax, uploadGraceMs, uploadBytesPerSecondMin: pace } = limits
  let bytes = 0
  let waitedMs = 0
  const pieces: AsyncIterator<Uint8Array> = request[Symbol.asyncIterator]()
  request.socket.setTimeout(0)
  while (true) {
    const asked = performance.now()
    request.socket.setTimeout(limits.connectionTimeoutMs)
    const next = await pieces.next()
    request.socket.setTimeout(0)
    if (next.done === true) return
    waitedMs += performance.now() - asked
    bytes += next.value.length
    if (bytes > uploadBytesMax) {
      throw new ApiError('body_too_large', `The limit here is ${uploadBytesMax} bytes.`)
    }
    if (waitedMs > uploadGraceMs && bytes < ((waitedMs - uploadGraceMs) / 1_000) * pace) {
      throw new ApiError('request_timeout', `Send at least ${pace} bytes a second.`)
    }
    yield next.value
  }
}

/** What is sent: while a piece is in the making the connection is silent, and may be. */
export async function* paced(
  pieces: AsyncIterable<Uint8Array>,
  socket: Socket,
  limits: ApiLimits,
): AsyncGenerator<Uint8Array> {
  const idleMs = socket.timeout ?? 0
  try {
    socket.setTimeout(0)
    for await (const piece of pieces) {
      socket.setTimeout(limits.streamStalledMs)
      yield piece
      socket.setTimeout(0)
    }
  } finally {
    socket.setTimeout(idleMs)
  }
}

export interface Arrival {
  isPassing: boolean
  ms: number
  late: (error: Error & { code: string }) => void
}

/**
 * The time that a body has to arrive, all of it unless it passes through. After an early answer Node
 * reads and drops what is left of the body, so that the client reads why; that has the same time.
 */
export function limitArrival(
  request: IncomingMessage,
  response: ServerResponse,
  { isPassing, ms, late }: Arrival,
): void {
  const { headers } = request
  const hasBody =
    headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined
  if (!hasBody) return
  const limit = () => {
    const timer = setTimeout(() => {
      if (request.complete || request.destroyed) return
      if (response.headersSent) request.socket.destroy()
      else late(Object.assign(new Error('body too late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }))
    }, ms)
    timer.unref()
    const forget = () => clearTimeout(timer)
    request.once('end', forget).once('close', forget)
  }
  if (isPassing) response.once('finish', limit)
  else limit()
}
