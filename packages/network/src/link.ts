// One connection with one member, from the moment it opens: its hello, its lanes, its last sign of
// life. The supervisor decides which link of a member is the one in use; a link only carries.

import type { Connection, Stream } from '@libp2p/interface'
import { CHANNEL_PROTOCOLS, OutboundChannel, receiveFrames } from './channels.ts'
import type { Counters } from './counters.ts'
import type { NetworkError } from './errors.ts'
import type { Hello } from './hello.ts'
import type { Limits } from './limits.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Channel, Log, Member, MonotonicMs } from './types.ts'

/** What every part of the package shares. */
export interface Shared {
  limits: Limits
  counters: Counters
  /** Time that the handlers of frames have taken since start. */
  handling: { ms: number }
  log: Log
  now: () => MonotonicMs
}

export interface LinkHandlers {
  onMessage: (peerId: string, channel: Channel, frame: Uint8Array) => void
  onViolation: (link: Link, reason: NetworkError) => void
}

export class Link {
  readonly member: Member
  readonly connection: Connection
  readonly openedAt: MonotonicMs
  readonly isAdmitted: Promise<boolean>
  hello: Hello | null = null
  lastHeard: MonotonicMs
  pingedAt: MonotonicMs = Number.NEGATIVE_INFINITY
  rttMs: number | null = null
  closeReason: NetworkError | null = null

  readonly #shared: Shared
  readonly #handlers: LinkHandlers
  readonly #decide: (isAdmitted: boolean) => void
  readonly #streamsOpened: TokenBucket
  readonly #budgets: Record<Channel, TokenBucket>
  #channels: Record<Channel, OutboundChannel> | null = null

  constructor(member: Member, connection: Connection, shared: Shared, handlers: LinkHandlers) {
    const { limits } = shared
    const now = shared.now()
    const decision = Promise.withResolvers<boolean>()
    this.member = member
    this.connection = connection
    this.openedAt = now
    this.lastHeard = now
    this.isAdmitted = decision.promise
    this.#decide = decision.resolve
    this.#shared = shared
    this.#handlers = handlers
    this.#streamsOpened = new TokenBucket(
      limits.streamsOpenedBurst,
      limits.streamsOpenedPerSecond,
      now,
    )
    this.#budgets = {
      urgent: budget(limits.urgentBytesPerSecond, limits, now),
      bulk: budget(limits.bulkBytesPerSecond, limits, now),
    }
  }

  get isOpen(): boolean {
    return this.connection.status === 'open' && this.closeReason === null
  }

  get queuedBytes(): number {
    if (this.#channels === null) return 0
    return this.#channels.urgent.queuedBytes + this.#channels.bulk.queuedBytes
  }

  heard(): void {
    this.lastHeard = this.#shared.now()
  }

  /** The hello was good and this link is the one in use. The urgent lane comes first, also when the
   * socket drains and both want to write. */
  admit(): void {
    this.heard()
    this.#channels = {
      urgent: this.#openChannel('urgent'),
      bulk: this.#openChannel('bulk'),
    }
    this.#decide(true)
  }

  send(channel: Channel, framed: Uint8Array): boolean {
    return this.isOpen && this.#channels !== null && this.#channels[channel].send(framed)
  }

  keepAlive(): void {
    this.#channels?.urgent.keepAlive()
  }

  async receive(channel: Channel, stream: Stream): Promise<void> {
    const { limits, counters } = this.#shared
    if (!this.#streamsOpened.take(1, this.#shared.now()) || !(await this.isAdmitted)) {
      counters.streamsRefused += 1
      stream.abort(new Error('not admitted, or too many streams'))
      return
    }
    receiveFrames(stream, {
      frameBytesMax: channel === 'urgent' ? limits.urgentFrameBytesMax : limits.bulkFrameBytesMax,
      budget: this.#budgets[channel],
      limits,
      now: this.#shared.now,
      onBytes: () => this.heard(),
      onFrame: (frame) => this.#onFrame(channel, frame),
      onRefused: (reason) => {
        counters.framesRefused += 1
        this.#handlers.onViolation(this, reason)
      },
      onPause: () => {
        counters.inboundPauses += 1
      },
    })
  }

  /** Stops our side at once; what the other side still sends is not read. */
  close(reason: NetworkError): void {
    if (this.closeReason !== null) return
    this.closed(reason)
    this.connection.abort(reason)
  }

  /**
   * Says nothing more and hears nothing more; what was said already has a moment to be read. A reset would
   * undo it: who finds one when it wants to write never reads what came before.
   */
  leave(reason: NetworkError): void {
    if (this.closeReason !== null) return
    this.closed(reason)
    setTimeout(() => this.connection.abort(reason), this.#shared.limits.goodbyeMs).unref()
  }

  /** Lets what we already said arrive first: a hello that tells the other side why. */
  async closeGently(reason: NetworkError): Promise<void> {
    if (this.closeReason !== null) return
    this.closed(reason)
    try {
      await this.connection.close()
    } catch (error) {
      this.connection.abort(error instanceof Error ? error : reason)
    }
  }

  closed(reason: NetworkError): void {
    this.closeReason ??= reason
    this.#decide(false)
    this.#channels?.urgent.close()
    this.#channels?.bulk.close()
  }

  #onFrame(channel: Channel, frame: Uint8Array): void {
    if (frame.length === 0 || !this.isOpen) return
    const { counters } = this.#shared
    counters[`${channel}FramesReceived`] += 1
    counters[`${channel}BytesReceived`] += frame.length
    const start = this.#shared.now()
    this.#handlers.onMessage(this.member.peerId, channel, frame)
    this.#shared.handling.ms += this.#shared.now() - start
  }

  #openChannel(channel: Channel): OutboundChannel {
    const { limits, counters, log } = this.#shared
    return new OutboundChannel({
      open: (signal) => this.connection.newStream(CHANNEL_PROTOCOLS[channel], { signal }),
      queueBytesMax: channel === 'urgent' ? limits.urgentQueueBytesMax : limits.bulkQueueBytesMax,
      limits,
      onSent: (frames, bytes) => {
        counters[`${channel}FramesSent`] += frames
        counters[`${channel}BytesSent`] += bytes
      },
      onDropped: (frames) => {
        counters[`${channel}FramesDropped`] += frames
      },
      onBroken: (reason) => {
        counters.streamsReopened += 1
        log('debug', 'channel broke', { peer: this.member.name, channel, reason })
      },
    })
  }
}

function budget(perSecond: number, limits: Limits, now: MonotonicMs): TokenBucket {
  return new TokenBucket(perSecond * limits.burstSeconds, perSecond, now)
}
