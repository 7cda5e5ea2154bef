// The blocks between our tip and where the others are, from several peers at once.
//
// The way is cut into ranges of heights. Each is asked of one peer, and the first one, which everything
// waits for, of another as well when it takes long; whatever comes first counts. At most so many ranges and
// bytes are asked for or held at a time, whatever the distance. Ranges are handed out in order; who takes
// them says when a peer's range turned out wrong.
//
// An answer may end before its range does, because the next block would not have fitted. Whether that was so
// is known when that block is here: a peer whose answers end for no such reason is asked less.

import { CodecError } from '@mooring/codec'
import { NetworkError } from '@mooring/network'
import { decodeBlockAnswer, encodeBlockRequest } from './block-exchange.ts'
import type { SentBlock } from './block-exchange.ts'
import type { Clock } from './clock.ts'
import { InTurn } from './in-turn.ts'
import type { Logger } from './logger.ts'
import type { SyncPeer, SyncPeers } from './sync-peers.ts'
import { type Fault, type ReadBlock, readRange } from './sync-range.ts'

export const RANGE_HEIGHTS = 128
/** Whoever sends and whoever reads them does it in one turn; a block that is larger comes alone. */
export const RANGE_BYTES = 1 << 20
const RANGES_MAX = 16
const HELD_BYTES_MAX = 64 << 20
const HEDGED_MAX = 3
const HEDGE_MS = 1_500
const TIMEOUT_MS = 15_000
const REFUSED_MS = 1_000
const TICK_MS = 100
const SILENT_FAILURES = 3

export interface DownloadModules {
  clock: Clock
  /** Lets everything else have its turn. */
  turn: () => Promise<void>
  peers: SyncPeers
  request: (peerId: string, payload: Uint8Array, timeoutMs: number) => Promise<Uint8Array>
  /** What can be said of a range before its turn comes. */
  checkEarly: (blocks: readonly ReadBlock[]) => Fault | null
  /** Begins as soon as a range is here; the answer is which blocks need no more looking at signatures. */
  checkSignatures: (blocks: readonly ReadBlock[]) => Promise<ReadonlySet<ReadBlock>>
  blame: (peer: SyncPeer, reason: string) => void
  logger: Logger
}

export interface ReceivedRange {
  readonly blocks: readonly ReadBlock[]
  readonly signed: Promise<ReadonlySet<ReadBlock>>
  readonly peer: SyncPeer
}

interface Unfinished {
  readonly peer: SyncPeer
  /** Of the blocks that it sent. */
  readonly bytes: number
}

interface Range {
  readonly from: number
  /** Who could have gone on here and did not. */
  leftBy: Unfinished | null
  to: number
  readonly askedAt: Map<string, number>
  /** Who had nothing for it, and when. */
  readonly refusedAt: Map<string, number>
  received: ReceivedRange | null
  bytes: number
}

export class RangeDownload {
  readonly #modules: DownloadModules
  /** Answers that come together are read in turns of their own. */
  readonly #reading = new InTurn()
  #ranges: Range[] = []
  #changed = Promise.withResolvers<void>()
  #isClosed = false

  constructor(modules: DownloadModules) {
    this.#modules = modules
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  /** The next blocks above the tip, if they are here. */
  take(tip: number): ReceivedRange | null {
    this.#forget(tip)
    const [first] = this.#ranges
    if (first?.received == null || first.from > tip + 1) return null
    this.#ranges.shift()
    return first.received
  }

  /** Asks for what lies between the tip and the goal, as far as there is room. */
  fill(tip: number, goal: number): void {
    if (this.#isClosed) return
    this.#forget(tip)
    const [head] = this.#ranges
    // What was to come first is gone, because it was wrong or the tip went back to it.
    if (head !== undefined && head.from > tip + 1) {
      this.#ranges.unshift(rangeOf(tip + 1, Math.min(head.from - 1, tip + RANGE_HEIGHTS)))
    }
    let next = Math.max(tip, this.#ranges.at(-1)?.to ?? tip) + 1
    while (next <= goal && this.#hasRoom()) {
      this.#ranges.push(rangeOf(next, Math.min(next + RANGE_HEIGHTS - 1, goal)))
      next += RANGE_HEIGHTS
    }
    for (const [place, range] of this.#ranges.entries()) this.#ask(range, place === 0)
  }

  get isAsking(): boolean {
    return this.#ranges.some(({ askedAt }) => askedAt.size > 0)
  }

  /** Resolves when there is something new, or a little later. */
  async wait(): Promise<void> {
    const cancel = this.#modules.clock.after(TICK_MS, () => this.#wake())
    await this.#changed.promise
    cancel()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  #forget(tip: number): void {
    this.#ranges = this.#ranges.filter(({ to }) => to > tip)
  }

  #hasRoom(): boolean {
    if (this.#ranges.length === 0) return true
    const held = this.#ranges.reduce((sum, { bytes }) => sum + bytes, 0)
    const asked = this.#ranges.filter(({ received }) => received === null).length
    return this.#ranges.length < RANGES_MAX && held + asked * RANGE_BYTES < HELD_BYTES_MAX
  }

  #ask(range: Range, isFirst: boolean): void {
    const { clock, peers } = this.#modules
    if (range.received !== null) return
    const now = clock.monotonic()
    const isLate = [...range.askedAt.values()].every((at) => now - at >= HEDGE_MS)
    const isHedged = isFirst && isLate && range.askedAt.size < HEDGED_MAX
    if (range.askedAt.size > 0 && !isHedged) return
    const peer = peers.pick(
      range.from,
      ({ peerId }) =>
        range.askedAt.has(peerId) || now - (range.refusedAt.get(peerId) ?? -Infinity) < REFUSED_MS,
    )
    if (peer === null) return
    range.askedAt.set(peer.peerId, now)
    peers.asked(peer)
    this.#fetch(range, peer).catch((error: unknown) =>
      this.#modules.logger.error('a range of blocks could not be fetched', { error }),
    )
  }

  async #fetch(range: Range, peer: SyncPeer): Promise<void> {
    const { request, peers, turn } = this.#modules
    const { from, to } = range
    const body = { from, to, bytesMax: RANGE_BYTES }
    try {
      const payload = encodeBlockRequest({ kind: 'range', body })
      const answer = await request(peer.peerId, payload, TIMEOUT_MS).catch((error: unknown) => {
        this.#fail(range, peer, error)
        return null
      })
      if (answer === null) return
      await this.#reading.run(async () => {
        await turn()
        if (!this.#isClosed) this.#receive(range, peer, answer)
      })
    } finally {
      range.askedAt.delete(peer.peerId)
      peers.answered(peer)
      this.#wake()
    }
  }

  #receive(range: Range, peer: SyncPeer, answer: Uint8Array): void {
    const { clock, peers, blame, checkEarly } = this.#modules
    const sent = readAnswer(answer)
    if (sent === null) {
      blame(peer, 'undecodable')
      return
    }
    const [first] = sent
    if (first === undefined) {
      range.refusedAt.set(peer.peerId, clock.monotonic())
      const isLying = peer.height !== null && peer.height >= range.to
      peers.helped(peer)
      peers.ended(peer, isLying)
      return
    }
    const blocks = readRange(sent, range.from)
    const fault = 'fault' in blocks ? blocks : checkEarly(blocks)
    if (fault !== null || 'fault' in blocks) {
      blame(peer, fault?.fault ?? 'bad_range')
      return
    }
    peers.helped(peer)
    this.#judge(range, blocks)
    if (range.received !== null) return
    const signed = this.#modules.checkSignatures(blocks)
    range.bytes = answer.length
    this.#keep(range, { blocks, signed, peer })
  }

  /** Whoever ended before these blocks had no room for them, up to the first that shows that they are final. */
  #judge(range: Range, blocks: readonly ReadBlock[]): void {
    if (range.leftBy === null) return
    const { peer, bytes } = range.leftBy
    const end = blocks.findIndex(({ finalization }) => finalization !== null)
    const isShort = bytes + bytesOf(blocks.slice(0, end + 1)) <= RANGE_BYTES
    this.#modules.peers.ended(peer, isShort)
    range.leftBy = null
  }

  /** What the answer did not reach is asked for by itself. */
  #keep(range: Range, received: ReceivedRange): void {
    const place = this.#ranges.indexOf(range)
    if (place < 0) return
    const { blocks, peer } = received
    const reached = range.from + blocks.length - 1
    const couldGoOn = reached < Math.min(range.to, peer.height ?? reached)
    if (!couldGoOn) this.#modules.peers.ended(peer, false)
    const leftBy = couldGoOn ? { peer, bytes: bytesOf(blocks) } : null
    if (reached < range.to)
      this.#ranges.splice(place + 1, 0, rangeOf(reached + 1, range.to, leftBy))
    range.received = received
    range.to = reached
  }

  #fail(range: Range, peer: SyncPeer, error: unknown): void {
    const { peers, logger, clock } = this.#modules
    const refusal = error instanceof NetworkError ? error.data['reason'] : undefined
    if (refusal === 'pruned') return peers.lacks(peer, range.from)
    range.refusedAt.set(peer.peerId, clock.monotonic())
    const { name } = peer
    const code = error instanceof NetworkError ? error.code : String(error)
    const failures = peers.failed(peer)
    if (failures === SILENT_FAILURES) {
      logger.warn('a peer does not give blocks; others are asked', { peer: name, code })
    } else {
      logger.debug('a request for blocks failed', { peer: name, code })
    }
  }
}

function readAnswer(answer: Uint8Array): SentBlock[] | null {
  try {
    return decodeBlockAnswer(answer)
  } catch (error) {
    if (error instanceof CodecError) return null
    throw error
  }
}

function bytesOf(blocks: readonly ReadBlock[]): number {
  return blocks.reduce((sum, { encoded }) => sum + encoded.length, 0)
}

function rangeOf(from: number, to: number, leftBy: Unfinished | null = null): Range {
  return { from, to, leftBy, askedAt: new Map(), refusedAt: new Map(), received: null, bytes: 0 }
}
