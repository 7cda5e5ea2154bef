// Streams that carry one request for records after the other. Opening a stream and closing it costs both sides a dozen
// packets, and a custodian asks the same holders several times a second.
//
// Who has asked keeps the stream for the next question, and asks it only when the one before is answered. Who has
// answered waits for the next or for the end, and reads nothing of it before there is a place. Older software ends a
// stream after one question, on either side; what was asked on such a stream is asked again on a new one.

import type { Stream, StreamMessageEvent } from '@libp2p/interface'

interface Idle {
  readonly stream: Stream
  readonly timer: NodeJS.Timeout
}

export class IdleStreams {
  readonly #idleMs: number
  /** Of each link. */
  readonly #links = new WeakMap<object, Idle[]>()

  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** One that can be asked on; the one that was used last. */
  take(link: object): Stream | undefined {
    const idle = this.#links.get(link) ?? []
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      clearTimeout(last.timer)
      if (isOpen(last.stream)) return last.stream
      end(last.stream)
    }
    return undefined
  }

  /** One that was answered on. */
  keep(link: object, stream: Stream): void {
    if (!isOpen(stream)) {
      end(stream)
      return
    }
    const idle = this.#links.get(link) ?? []
    const timer = setTimeout(() => {
      const at = idle.findIndex((one) => one.stream === stream)
      if (at >= 0) idle.splice(at, 1)
      end(stream)
    }, this.#idleMs)
    timer.unref()
    idle.push({ stream, timer })
    this.#links.set(link, idle)
  }
}

/** True when the next request begins to come in time, of which nothing is read yet; the stream is paused then. */
export async function anotherComes(stream: Stream, idleMs: number): Promise<boolean> {
  if (idleMs === 0) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onMessage = (event: StreamMessageEvent) => {
    stream.removeEventListener('message', onMessage)
    stream.pause()
    stream.unshift(event.data)
    resolve(true)
  }
  const onEnd = () => resolve(false)
  const timer = setTimeout(onEnd, idleMs)
  timer.unref()
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onEnd)
  if (!isOpen(stream)) onEnd()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onEnd)
  }
}

function isOpen({ status, remoteWriteStatus, writeStatus }: Stream): boolean {
  return status === 'open' && remoteWriteStatus === 'writable' && writeStatus === 'writable'
}

function end(stream: Stream): void {
  stream.close().catch((error: unknown) => {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
  })
}
