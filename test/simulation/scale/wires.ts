/**
 * What lies between the nodes: each has one line to the network, as fast up as down, and each pair is so many
 * milliseconds apart.
 *
 * A frame takes its size divided by the bandwidth on the sender's line and again on the receiver's; both at the
 * same time, as packets do, where neither is busy. Frames of the urgent lane leave in the order in which they were
 * sent, whomever they are for. Large proposals, answers and gossip leave in pieces, frame after frame in turn,
 * whenever nothing urgent waits, as `network/src/channels.ts` cuts them. Nothing is lost, and a line that is overrun
 * queues without end: what TCP does to a path that is full is not here.
 */
import type { Scheduler } from '../scheduler.ts'

/** Around each frame: its header, those of yamux and Noise, and one of TCP and IP with time stamps. */
export const FRAME_BYTES = 4 + 12 + 18 + 52
/** `writeBytesMax` of the network. */
const PIECE_BYTES = 65_000

export interface Frame {
  readonly from: number
  readonly to: number
  readonly bytes: number
  readonly isBulk: boolean
}

export interface WireOptions {
  readonly nodes: number
  readonly bytesPerMs: number
  readonly latencyMs: (from: number, to: number) => number
}

interface Waiting {
  readonly frame: Frame
  readonly deliver: () => void
  left: number
}

export class Wires {
  readonly sentBytes: Float64Array
  readonly receivedBytes: Float64Array
  readonly #options: WireOptions
  readonly #scheduler: Scheduler
  readonly #upFreeAt: Float64Array
  readonly #downFreeAt: Float64Array
  /** By sender: bulk frames, those of one receiver in order. */
  readonly #bulk: Waiting[][]
  readonly #isPumping: boolean[]

  constructor(scheduler: Scheduler, options: WireOptions) {
    const { nodes } = options
    this.#scheduler = scheduler
    this.#options = options
    this.sentBytes = new Float64Array(nodes)
    this.receivedBytes = new Float64Array(nodes)
    this.#upFreeAt = new Float64Array(nodes)
    this.#downFreeAt = new Float64Array(nodes)
    this.#bulk = Array.from({ length: nodes }, () => [])
    this.#isPumping = Array.from({ length: nodes }, () => false)
  }

  /** @param at when the sender has done with it; not before now */
  send(frame: Frame, at: number, deliver: () => void): void {
    const bytes = frame.bytes + FRAME_BYTES * Math.ceil(frame.bytes / PIECE_BYTES)
    const sent = { ...frame, bytes }
    if (!frame.isBulk) {
      const { begins } = this.#takeLine(this.#upFreeAt, frame.from, { at, bytes })
      return this.#arrive(sent, begins, deliver)
    }
    this.#bulk[frame.from]?.push({ frame: sent, deliver, left: bytes })
    this.#pumpAt(frame.from, at)
  }

  #pumpAt(from: number, at: number): void {
    if (this.#isPumping[from] === true) return
    this.#isPumping[from] = true
    this.#scheduler.at(at, () => {
      this.#isPumping[from] = false
      this.#pump(from)
    })
  }

  #pump(from: number): void {
    const queue = this.#bulk[from] ?? []
    const freeAt = this.#upFreeAt[from] ?? 0
    const { now } = this.#scheduler
    if (freeAt > now) return this.#pumpAt(from, freeAt)
    const next = queue.shift()
    if (next === undefined) return
    const bytes = Math.min(next.left, PIECE_BYTES)
    const { begins, ends } = this.#takeLine(this.#upFreeAt, from, { at: now, bytes })
    next.left -= bytes
    const isLast = next.left <= 0
    this.#arrive({ ...next.frame, bytes }, begins, isLast ? next.deliver : () => undefined)
    if (!isLast) queue.push(next)
    if (queue.length > 0) this.#pumpAt(from, ends)
  }

  #arrive(frame: Frame, begins: number, deliver: () => void): void {
    const { from, to, bytes } = frame
    const latency = this.#options.latencyMs(from, to)
    const longest = bytes / this.#options.bytesPerMs
    this.#scheduler.at(begins + latency, () => {
      const { ends } = this.#takeLine(this.#downFreeAt, to, { at: this.#scheduler.now, bytes })
      this.#count(this.sentBytes, from, bytes)
      this.#count(this.receivedBytes, to, bytes)
      this.#scheduler.at(Math.max(ends, begins + latency + longest), deliver)
    })
  }

  #takeLine(
    line: Float64Array,
    node: number,
    { at, bytes }: { at: number; bytes: number },
  ): { begins: number; ends: number } {
    const begins = Math.max(line[node] ?? 0, at)
    const ends = begins + bytes / this.#options.bytesPerMs
    line[node] = ends
    return { begins, ends }
  }

  #count(counts: Float64Array, node: number, bytes: number): void {
    counts[node] = (counts[node] ?? 0) + bytes
  }
}
