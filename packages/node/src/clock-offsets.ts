// How far our clock is from those of the others. Every member that is connected is asked for its time now
// and then; the answer belongs to the middle of its round trip, so the error is at most half of one.
//
// It is for people alone: no rule of the chain reads a peer's clock. Of the last answers of a member the one
// with the shortest round trip counts, for a busy moment on either side makes an answer late, never early.
// The offset is ours against the median of all clocks with ours among them: a single wrong one moves nothing.

import { decode, encode, struct, uint } from '@mooring/codec'
import type { PeerInfo, RequestProtocol } from '@mooring/network'
import type { Clock } from './clock.ts'

const ASK_MS = 10_000
/** Soon after the start somebody should know already. */
const FIRST_MS = 2_000
const ANSWER_MS = 5_000
const SAMPLES = 6
const TIME_BYTES_MAX = 32
/** What a clock may be off and still be told; more is a wrong answer. */
const SKEW_MAX_MS = 10 * 365 * 24 * 60 * 60 * 1_000

const answerSchema = struct({ time: uint() })

export function answerClockRequest(clock: Pick<Clock, 'wall'>): Uint8Array {
  return encode(answerSchema, { time: clock.wall() })
}

interface Sample {
  readonly skewMs: number
  readonly roundTripMs: number
}

export interface ClockOffsetsModules {
  clock: Clock
  /** Whoever else may connect has no say in what time it is. */
  isMember: (peerId: string) => boolean
  peers: () => readonly Pick<PeerInfo, 'peerId' | 'connected'>[]
  request: (
    peerId: string,
    protocol: RequestProtocol,
    payload: Uint8Array,
    options: { timeoutMs: number },
  ) => Promise<Uint8Array>
}

export class ClockOffsets {
  readonly #modules: ClockOffsetsModules
  readonly #samples = new Map<string, Sample[]>()
  #cancel: () => void = () => undefined
  #asking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(modules: ClockOffsetsModules) {
    this.#modules = modules
    this.#arm(FIRST_MS)
  }

  /** The clock of this peer minus ours; null while it is not known. */
  skewMs(peerId: string): number | null {
    const samples = this.#samples.get(peerId) ?? []
    const [best] = samples.toSorted((a, b) => a.roundTripMs - b.roundTripMs)
    return best?.skewMs ?? null
  }

  /** Ours minus the median of all; null while no other is known. */
  offsetMs(): number | null {
    const skews = [...this.#samples.keys()].flatMap((peerId) => this.skewMs(peerId) ?? [])
    if (skews.length === 0) return null
    const sorted = [0, ...skews].toSorted((a, b) => a - b)
    const middle = sorted.length / 2
    const low = sorted[Math.ceil(middle) - 1] ?? 0
    const high = sorted[Math.floor(middle)] ?? 0
    return low + high === 0 ? 0 : -(low + high) / 2
  }

  /** Resolves when everybody has answered, or has not. */
  async ask(): Promise<void> {
    const { peers, isMember } = this.#modules
    const connected = peers().filter((peer) => peer.connected && isMember(peer.peerId))
    const names = new Set(connected.map(({ peerId }) => peerId))
    for (const peerId of this.#samples.keys()) if (!names.has(peerId)) this.#samples.delete(peerId)
    await Promise.all(connected.map(({ peerId }) => this.#askOne(peerId)))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#asking
  }

  #arm(afterMs: number): void {
    this.#cancel = this.#modules.clock.after(afterMs, () => {
      this.#asking = this.ask().finally(() => {
        if (!this.#isClosed) this.#arm(ASK_MS)
      })
    })
  }

  async #askOne(peerId: string): Promise<void> {
    const { clock, request } = this.#modules
    const began = { wall: clock.wall(), monotonic: clock.monotonic() }
    let answer: Uint8Array
    try {
      answer = await request(peerId, 'clock', new Uint8Array(), { timeoutMs: ANSWER_MS })
    } catch {
      // It went away, or is of a version that does not know the question: its clock stays unknown.
      return
    }
    const roundTripMs = clock.monotonic() - began.monotonic
    const skewMs = timeIn(answer) - (began.wall + roundTripMs / 2)
    if (!(Math.abs(skewMs) <= SKEW_MAX_MS)) return
    const before = this.#samples.get(peerId) ?? []
    this.#samples.set(peerId, [...before.slice(1 - SAMPLES), { skewMs, roundTripMs }])
  }
}

/** NaN when it is no answer of ours. */
function timeIn(answer: Uint8Array): number {
  try {
    return decode(answerSchema, answer, TIME_BYTES_MAX).time
  } catch {
    return Number.NaN
  }
}
