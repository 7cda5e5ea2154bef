// Frames on a stream: four bytes of length, big-endian, then the frame.
//
// A libp2p stream delivers bytes as events, cut anywhere, in lists of slabs that are shared with the
// socket. The reader turns them into frames that belong to the receiver (copied once, so that a vote
// of 200 bytes does not keep a slab of 64 KiB alive). It never allocates by a length that a peer
// merely claimed: what it holds is what has arrived.
//
// `Stream.onDrain()` of libp2p resolves at once from its second use on, hence `drained` here.

import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { NetworkError } from './errors.ts'

export const FRAME_HEADER_BYTES = 4
const PARTIAL_BYTES = 16 * 1024
const NOTHING = new Uint8Array(0)

export function encodeFrame(payload: Uint8Array): Uint8Array {
  const framed = new Uint8Array(FRAME_HEADER_BYTES + payload.length)
  framed[0] = payload.length >>> 24
  framed[1] = payload.length >>> 16
  framed[2] = payload.length >>> 8
  framed[3] = payload.length
  framed.set(payload, FRAME_HEADER_BYTES)
  return framed
}

export class FrameReader {
  readonly #frameBytesMax: number
  readonly #onFrame: (frame: Uint8Array) => void
  #partial = NOTHING
  #partialBytes = 0
  #neededBytes = FRAME_HEADER_BYTES

  constructor(frameBytesMax: number, onFrame: (frame: Uint8Array) => void) {
    this.#frameBytesMax = frameBytesMax
    this.#onFrame = onFrame
  }

  /** Undefined, or why these bytes can never become frames again. */
  push(chunk: Uint8Array): NetworkError | undefined {
    let rest = chunk
    while (this.#partialBytes > 0 && rest.length > 0) {
      const taken = Math.min(rest.length, this.#neededBytes - this.#partialBytes)
      this.#append(rest.subarray(0, taken))
      rest = rest.subarray(taken)
      const refused = this.#completePartial()
      if (refused !== undefined) return refused
    }
    return this.#read(rest)
  }

  #read(bytes: Uint8Array): NetworkError | undefined {
    let offset = 0
    let neededBytes = FRAME_HEADER_BYTES
    while (bytes.length - offset >= FRAME_HEADER_BYTES) {
      const length = readLength(bytes, offset)
      if (length > this.#frameBytesMax) return tooLarge(length, this.#frameBytesMax)
      const start = offset + FRAME_HEADER_BYTES
      if (start + length > bytes.length) {
        neededBytes = FRAME_HEADER_BYTES + length
        break
      }
      offset = start + length
      this.#onFrame(new Uint8Array(bytes.subarray(start, offset)))
    }
    if (offset < bytes.length) {
      this.#neededBytes = neededBytes
      this.#append(bytes.subarray(offset))
    }
    return undefined
  }

  #completePartial(): NetworkError | undefined {
    if (this.#partialBytes < this.#neededBytes) return undefined
    const length = readLength(this.#partial, 0)
    if (length > this.#frameBytesMax) return tooLarge(length, this.#frameBytesMax)
    this.#neededBytes = FRAME_HEADER_BYTES + length
    if (this.#partialBytes < this.#neededBytes) return undefined
    const frame = this.#partial.subarray(FRAME_HEADER_BYTES)
    this.#partial = NOTHING
    this.#partialBytes = 0
    this.#onFrame(frame)
    return undefined
  }

  /** Grows by doubling, and never past the frame, so that a finished frame fills its buffer. */
  #append(bytes: Uint8Array): void {
    const total = this.#partialBytes + bytes.length
    if (total > this.#partial.length) {
      const doubled = Math.max(PARTIAL_BYTES, this.#partial.length * 2, total)
      const grown = new Uint8Array(Math.min(this.#neededBytes, doubled))
      grown.set(this.#partial.subarray(0, this.#partialBytes))
      this.#partial = grown
    }
    this.#partial.set(bytes, this.#partialBytes)
    this.#partialBytes = total
  }
}

function readLength(bytes: Uint8Array, offset: number): number {
  const at = (index: number) => bytes[offset + index] ?? 0
  return at(0) * 0x1000000 + ((at(1) << 16) | (at(2) << 8) | at(3))
}

export function tooLarge(bytes: number, bytesMax: number): NetworkError {
  return new NetworkError('too_large', `a frame of ${bytes} bytes, at most ${bytesMax}`, {
    bytes,
    bytesMax,
  })
}

export function feed(reader: FrameReader, event: StreamMessageEvent): NetworkError | undefined {
  if (event.data instanceof Uint8Array) return reader.push(event.data)
  for (const chunk of event.data) {
    const refused = reader.push(chunk)
    if (refused !== undefined) return refused
  }
  return undefined
}

/** The one frame that the other side sends on this stream. */
export function readFrame(
  stream: Stream,
  frameBytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  let isRead = false
  const reader = new FrameReader(frameBytesMax, (frame) => {
    isRead = true
    resolve(frame)
  })
  const onMessage = (event: StreamMessageEvent) => {
    const refused = feed(reader, event)
    if (refused !== undefined) reject(refused)
  }
  // The end follows the frame at once, and an error with its stack is dear.
  const onEarlyEnd = (cause?: Error) => {
    if (!isRead) reject(closedEarly(cause))
  }
  const onEnd = () => onEarlyEnd()
  const onClose = (event: StreamCloseEvent) => onEarlyEnd(event.error)
  const onAbort = () => reject(new NetworkError('timeout', 'the other side did not answer in time'))
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  if (stream.readableEnded) onEnd()
  return promise.finally(() => {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
    signal.removeEventListener('abort', onAbort)
  })
}

function closedEarly(cause?: Error): NetworkError {
  return new NetworkError('closed', 'the stream closed before a whole frame', {}, { cause })
}

/** Writes in pieces, so that frames of other streams find their way in between. */
export async function writeFrame(
  stream: Stream,
  payload: Uint8Array,
  options: { writeBytesMax: number; signal: AbortSignal },
): Promise<void> {
  const framed = encodeFrame(payload)
  for (let offset = 0; offset < framed.length; offset += options.writeBytesMax) {
    if (stream.writableNeedsDrain) await drained(stream, options.signal)
    stream.send(framed.subarray(offset, offset + options.writeBytesMax))
  }
}

function drained(stream: Stream, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onDrain = () => resolve()
  const onClose = (event: StreamCloseEvent) => reject(closedEarly(event.error))
  const onAbort = () => reject(new NetworkError('timeout', 'the other side did not read in time'))
  stream.addEventListener('drain', onDrain)
  stream.addEventListener('close', onClose)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  if (stream.writeStatus !== 'writable') reject(closedEarly())
  return promise.finally(() => {
    stream.removeEventListener('drain', onDrain)
    stream.removeEventListener('close', onClose)
    signal.removeEventListener('abort', onAbort)
  })
}
