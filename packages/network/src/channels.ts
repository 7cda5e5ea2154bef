// The two lanes to a peer: `urgent` for votes, certificates and headers, `bulk` for bodies.
//
// Each side opens its own stream per lane and only writes to it; the other side only reads. What a
// caller sends is framed once (a broadcast shares the bytes), queued, and written when the current
// run of synchronous code ends, so that everything one event produced leaves in one write. A queue
// is bounded in bytes and drops its oldest frames: in this protocol newer messages supersede older
// ones, everything is re-sent on timers, and a slow reader must not cost us memory.
//
// A large frame goes out in pieces no longer than one encrypted packet, one piece per drain, so an
// urgent frame waits for one piece and not for four megabytes.
//
// A lane that breaks is opened again while its connection lives. The frame that was being written
// starts over on the new stream; those already handed over are lost, like any message may be.

import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { messageOf, type NetworkError } from './errors.ts'
import { encodeFrame, FRAME_HEADER_BYTES, FrameReader, feed } from './frames.ts'
import type { Limits } from './limits.ts'
import type { TokenBucket } from './token-bucket.ts'
import type { Channel, MonotonicMs } from './types.ts'
import { Valve } from './valve.ts'

export const CHANNEL_PROTOCOLS: Record<Channel, string> = {
  urgent: '/mooring/urgent/1',
  bulk: '/mooring/bulk/1',
}

const KEEP_ALIVE = encodeFrame(new Uint8Array(0))

export interface ChannelParts {
  open: (signal: AbortSignal) => Promise<Stream>
  queueBytesMax: number
  limits: Limits
  onSent: (frames: number, bytes: number) => void
  onDropped: (frames: number) => void
  onBroken: (reason: string) => void
}

export class OutboundChannel {
  readonly #parts: ChannelParts
  #stream: Stream | null = null
  #isClosed = false
  #isFlushPlanned = false
  #isPiecePlanned = false
  #failures = 0
  #reopen: NodeJS.Timeout | undefined

  #queue: Uint8Array[] = []
  #first = 0
  #firstOffset = 0
  #queuedBytes = 0

  constructor(parts: ChannelParts) {
    this.#parts = parts
    void this.#open()
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Takes a frame with its header. */
  send(framed: Uint8Array): boolean {
    if (this.#isClosed) return false
    this.#makeRoom(framed.length)
    this.#queue.push(framed)
    this.#queuedBytes += framed.length
    this.#planFlush()
    return true
  }

  /** An empty frame, unless others are waiting to say the same. */
  keepAlive(): void {
    if (this.#queuedBytes === 0) this.send(KEEP_ALIVE)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#reopen)
    this.#stream = null
    this.#queue = []
    this.#queuedBytes = 0
  }

  #makeRoom(bytes: number): void {
    const started = this.#firstOffset > 0 ? 1 : 0
    let drop = 0
    while (
      this.#queuedBytes + bytes > this.#parts.queueBytesMax &&
      this.#first + started + drop < this.#queue.length
    ) {
      this.#queuedBytes -= this.#at(this.#first + started + drop).length
      drop += 1
    }
    if (drop === 0) return
    this.#queue.splice(this.#first + started, drop)
    this.#parts.onDropped(drop)
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    queueMicrotask(() => {
      this.#isFlushPlanned = false
      this.#flush()
    })
  }

  #flush(): void {
    while (
      this.#first < this.#queue.length &&
      this.#stream !== null &&
      this.#stream.writeStatus === 'writable' &&
      !this.#stream.writableNeedsDrain
    ) {
      this.#write(this.#stream, this.#takePiece())
      if (this.#firstOffset > 0) {
        this.#planPiece()
        return
      }
    }
  }

  /** Between two pieces of a large frame everything else that waits gets its turn. */
  #planPiece(): void {
    if (this.#isPiecePlanned) return
    this.#isPiecePlanned = true
    setImmediate(() => {
      this.#isPiecePlanned = false
      this.#flush()
    })
  }

  /** A stream that cannot write any more throws; aborting it brings us to `#onClose`. */
  #write(stream: Stream, piece: Uint8Array): void {
    try {
      stream.send(piece)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** As many whole frames as fit in one write, or the next piece of a frame that does not. */
  #takePiece(): Uint8Array {
    const bytesMax = this.#parts.limits.writeBytesMax
    const head = this.#at(this.#first)
    if (head.length - this.#firstOffset > bytesMax) {
      const piece = head.subarray(this.#firstOffset, this.#firstOffset + bytesMax)
      this.#firstOffset += bytesMax
      return piece
    }
    let count = 1
    let bytes = head.length - this.#firstOffset
    while (this.#first + count < this.#queue.length) {
      const next = this.#at(this.#first + count)
      if (bytes + next.length > bytesMax) break
      bytes += next.length
      count += 1
    }
    return this.#takeFrames(count, bytes)
  }

  #takeFrames(count: number, bytes: number): Uint8Array {
    const rest = this.#at(this.#first).subarray(this.#firstOffset)
    let piece = rest
    if (count > 1) {
      piece = new Uint8Array(bytes)
      piece.set(rest, 0)
      let offset = rest.length
      for (let index = 1; index < count; index += 1) {
        const frame = this.#at(this.#first + index)
        piece.set(frame, offset)
        offset += frame.length
      }
    }
    const total = bytes + this.#firstOffset
    this.#queuedBytes -= total
    this.#first += count
    this.#firstOffset = 0
    if (this.#first === this.#queue.length || this.#first > 1_024) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
    this.#parts.onSent(count, total - count * FRAME_HEADER_BYTES)
    return piece
  }

  #at(index: number): Uint8Array {
    const frame = this.#queue[index]
    if (frame === undefined) throw new RangeError(`no frame at ${index} of ${this.#queue.length}`)
    return frame
  }

  async #open(): Promise<void> {
    const { limits } = this.#parts
    try {
      const stream = await this.#parts.open(AbortSignal.timeout(limits.streamOpenTimeoutMs))
      if (this.#isClosed || stream.status !== 'open') {
        stream.abort(new Error('too late'))
        this.#openLater(`the stream is ${stream.status}`)
        return
      }
      this.#failures = 0
      this.#stream = stream
      stream.addEventListener('drain', () => this.#onDrain())
      stream.addEventListener('close', (event) => this.#onClose(stream, event))
      this.#flush()
    } catch (error) {
      this.#openLater(messageOf(error))
    }
  }

  #onDrain(): void {
    if (this.#firstOffset > 0) this.#planPiece()
    else this.#flush()
  }

  #onClose(stream: Stream, event: StreamCloseEvent): void {
    if (this.#stream !== stream) return
    this.#stream = null
    this.#firstOffset = 0
    this.#openLater(event.error?.message ?? 'closed by the other side')
  }

  #openLater(reason: string): void {
    if (this.#isClosed) return
    const { reopenDelayMs, reopenDelayMaxMs } = this.#parts.limits
    const delayMs = Math.min(reopenDelayMaxMs, reopenDelayMs * 2 ** this.#failures)
    this.#failures += 1
    this.#parts.onBroken(reason)
    this.#reopen = setTimeout(() => void this.#open(), delayMs)
  }
}

export interface InboundParts {
  frameBytesMax: number
  budget: TokenBucket
  limits: Limits
  now: () => MonotonicMs
  /** Something has come, if only part of a frame. */
  onBytes: () => void
  onFrame: (frame: Uint8Array) => void
  onRefused: (reason: NetworkError) => void
  onPause: () => void
}

/** Reads frames from a peer's stream for as long as it lives, at the pace that its budget allows. */
export function receiveFrames(stream: Stream, parts: InboundParts): void {
  const valve = new Valve(stream)
  let cost = 0
  const reader = new FrameReader(parts.frameBytesMax, (frame) => {
    cost += frame.length + parts.limits.frameOverheadBytes
    parts.onFrame(frame)
  })
  stream.addEventListener('message', (event: StreamMessageEvent) => {
    cost = parts.limits.frameOverheadBytes
    parts.onBytes()
    const refused = feed(reader, event)
    if (refused !== undefined) {
      stream.abort(refused)
      parts.onRefused(refused)
      return
    }
    const waitMs = parts.budget.spend(cost, parts.now())
    if (waitMs === 0) return
    parts.onPause()
    valve.pauseFor(waitMs)
  })
}
