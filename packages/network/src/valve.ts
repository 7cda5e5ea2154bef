// Stops reading from a stream or a connection for a while.
//
// `resume()` of libp2p first delivers what has piled up and only then lets new data flow, also when a
// listener has paused again in between. So a pause during a resume waits until that one is through.

import type { MultiaddrConnection, Stream } from '@libp2p/interface'

export class Valve {
  readonly #stream: MultiaddrConnection | Stream
  #isPaused = false
  #isResuming = false
  #againMs: number | null = null

  constructor(stream: MultiaddrConnection | Stream) {
    this.#stream = stream
  }

  pauseFor(waitMs: number): void {
    if (this.#isResuming) this.#againMs = waitMs
    else if (!this.#isPaused && this.#stream.status === 'open') this.#pause(waitMs)
  }

  /** Until everybody else has had a turn of the event loop. */
  yield(): void {
    this.pauseFor(0)
  }

  #pause(waitMs: number): void {
    this.#isPaused = true
    this.#stream.pause()
    if (waitMs === 0) setImmediate(() => this.#resume())
    else setTimeout(() => this.#resume(), waitMs).unref()
  }

  #resume(): void {
    this.#isPaused = false
    if (this.#stream.status !== 'open') return
    this.#isResuming = true
    try {
      this.#stream.resume()
    } catch (error) {
      // Its connection has just gone, and nobody has told the stream yet.
      this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
    this.#isResuming = false
    const againMs = this.#againMs
    this.#againMs = null
    if (againMs !== null) this.pauseFor(againMs)
  }
}
