// Places at our table for what peers ask: so many in all, so many of one peer. Who finds none waits his
// turn, in order of arrival; a peer that has taken all of his own is passed over, so that he holds up
// nobody else.

import { NetworkError } from './errors.ts'

interface Waiting {
  peerId: string
  seat: () => void
}

export class Places {
  readonly #total: number
  readonly #perPeer: number
  readonly #taken = new Map<string, number>()
  #takenInAll = 0
  #waiting: Waiting[] = []

  constructor(total: number, perPeer: number) {
    this.#total = total
    this.#perPeer = perPeer
  }

  /** Resolves with the function that gives the place back. @throws NetworkError timeout */
  async enter(peerId: string, signal: AbortSignal): Promise<() => void> {
    if (this.#hasPlace(peerId)) this.#take(peerId)
    else await this.#turn(peerId, signal)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#leave(peerId)
    }
  }

  #hasPlace(peerId: string): boolean {
    return this.#takenInAll < this.#total && (this.#taken.get(peerId) ?? 0) < this.#perPeer
  }

  #take(peerId: string): void {
    this.#takenInAll += 1
    this.#taken.set(peerId, (this.#taken.get(peerId) ?? 0) + 1)
  }

  #leave(peerId: string): void {
    this.#takenInAll -= 1
    const left = (this.#taken.get(peerId) ?? 1) - 1
    if (left === 0) this.#taken.delete(peerId)
    else this.#taken.set(peerId, left)
    const next = this.#waiting.findIndex((waiting) => this.#hasPlace(waiting.peerId))
    if (next < 0) return
    const [waiting] = this.#waiting.splice(next, 1)
    if (waiting === undefined) return
    this.#take(waiting.peerId)
    waiting.seat()
  }

  #turn(peerId: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { peerId, seat: resolve }
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((one) => one !== waiting)
      reject(new NetworkError('timeout', 'no place in time'))
    }
    this.#waiting.push(waiting)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }
}
