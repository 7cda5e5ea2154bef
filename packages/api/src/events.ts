/**
 * Server-sent events: one live subscription, many streams, no gap and no duplicate.
 *
 * Events with a place (height and index) are what a client may rely on. A stream is either *reading*,
 * that is pulling history at the pace of its client, or *live*. While it reads it ignores placed live
 * events and only notes that there were some: they are final, so the next reading returns them. It
 * goes live in the same tick in which a reading ends with nothing noted. In both states an event is
 * sent only if its place is after the last one sent, so the seam cannot repeat or lose anything.
 * A live client to whom more happens at once than goes out, as in one large block, reads on in the same way.
 *
 * Events without a place are news: sent when they happen, without `id`, never replayed. They wait in a queue
 * for a client that does not read, and it is disconnected when that is full; so is one that has not read on
 * for a while. Both come back with `Last-Event-ID`.
 */

import type { ServerResponse } from 'node:http'
import { ApiError } from './errors.ts'
import { type ApiEvent, EVENT_TYPES, type EventSource, type EventType } from './handlers.ts'
import type { ApiLimits } from './limits.ts'

export type StreamEnd = 'gone' | 'slow_consumer' | 'closing' | 'failed'

/** `after` is the last place a client has; the first to send is the next one. */
export interface StreamQuery {
  types: ReadonlySet<EventType>
  after: Position | null
}

interface Position {
  height: number
  index: number
}

interface Observers {
  ended(reason: StreamEnd): void
  failed(error: unknown): void
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  connection: 'close',
  'x-accel-buffering': 'no',
}
const LAST_WORDS_MS = 1_000
const EVENT_ID = /^(?<height>[0-9]{1,15})\.(?<index>[0-9]{1,9})$/

export class EventStreams {
  readonly #source: EventSource
  readonly #limits: ApiLimits
  readonly #observers: Observers
  readonly #streams = new Set<EventStream>()
  readonly #owned = new Map<string, number>()
  #unsubscribe: (() => void) | undefined
  #comments: NodeJS.Timeout | undefined

  constructor(source: EventSource, limits: ApiLimits, observers: Observers) {
    this.#source = source
    this.#limits = limits
    this.#observers = observers
  }

  get size(): number {
    return this.#streams.size
  }

  /** Throws `too_many_streams` before anything is written; `owner` is null for who may have them all. */
  checkRoom(owner: string | null): void {
    const { streamsMax, streamsPerCallerMax, streamRetryMs: retryAfterMs } = this.#limits
    if (this.#streams.size >= streamsMax) {
      throw new ApiError('too_many_streams', `${streamsMax} event streams are open.`, {
        retryAfterMs,
      })
    }
    if (owner === null || (this.#owned.get(owner) ?? 0) < streamsPerCallerMax) return
    const detail = `You have ${streamsPerCallerMax} event streams open.`
    throw new ApiError('too_many_streams', detail, { retryAfterMs })
  }

  open(response: ServerResponse, query: StreamQuery, owner: string | null): void {
    if (owner !== null) this.#own(owner, 1)
    response.once('close', () => {
      if (owner !== null) this.#own(owner, -1)
    })
    const stream = new EventStream(response, query, this.#source, this.#limits)
    this.#streams.add(stream)
    if (this.#unsubscribe === undefined) this.#start()
    stream.run().then(
      (reason) => this.#ended(stream, reason),
      (error: unknown) => {
        this.#observers.failed(error)
        stream.end('failed')
        this.#ended(stream, 'failed')
      },
    )
  }

  close(): void {
    for (const stream of this.#streams) stream.end('closing')
  }

  #own(owner: string, change: 1 | -1): void {
    const count = (this.#owned.get(owner) ?? 0) + change
    if (count === 0) this.#owned.delete(owner)
    else this.#owned.set(owner, count)
  }

  #start(): void {
    this.#unsubscribe = this.#source.subscribe((event) => {
      const text = formatEvent(event)
      for (const stream of this.#streams) stream.offer(event, text)
    })
    this.#comments = setInterval(() => {
      for (const stream of this.#streams) stream.comment()
    }, this.#limits.streamCommentMs)
    this.#comments.unref()
  }

  #ended(stream: EventStream, reason: StreamEnd): void {
    this.#streams.delete(stream)
    this.#observers.ended(reason)
    if (this.#streams.size > 0) return
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    clearInterval(this.#comments)
  }
}

class EventStream {
  readonly #response: ServerResponse
  readonly #types: ReadonlySet<EventType>
  readonly #source: EventSource
  readonly #limits: ApiLimits
  readonly #over = Promise.withResolvers<StreamEnd>()
  #last: Position | null
  #isReading = false
  #hasMissed = false
  #isOver = false
  #queue: string[] = []

  constructor(
    response: ServerResponse,
    query: StreamQuery,
    source: EventSource,
    limits: ApiLimits,
  ) {
    this.#response = response
    this.#types = query.types
    this.#last = query.after
    this.#source = source
    this.#limits = limits
    response.once('close', () => this.#finish('gone'))
    response.on('error', () => this.#finish('gone'))
    response.on('drain', () => this.#flush())
  }

  /** Resolves when the stream is over. */
  async run(): Promise<StreamEnd> {
    this.#response.writeHead(200, HEADERS)
    this.#response.write(`retry: ${this.#limits.streamRetryMs}\n\n`)
    if (this.#last !== null) await this.#catchUp(this.#last)
    return this.#over.promise
  }

  offer(event: ApiEvent, text: string): void {
    if (event.place !== null && this.#isReading) {
      this.#hasMissed = true
      return
    }
    const isWanted = this.#types.has(event.type)
    if (isWanted && event.place !== null && this.#response.writableNeedDrain) {
      this.#readOn(event.place)
      return
    }
    if (!this.#take(event)) return
    if (this.#queue.length === 0 && !this.#response.writableNeedDrain) {
      this.#response.write(text)
      return
    }
    this.#queue.push(text)
    if (this.#queue.length > this.#limits.streamQueueMax) this.end('slow_consumer')
  }

  comment(): void {
    if (!this.#isOver && !this.#response.writableNeedDrain) this.#response.write(': \n\n')
  }

  end(reason: Exclude<StreamEnd, 'gone'>): void {
    if (this.#isOver) return
    const bye = formatText('bye', JSON.stringify({ code: reason }), null)
    this.#response.end(`retry: ${this.#limits.streamRetryMs}\n${bye}`)
    // Whoever does not read will not read this either.
    const { socket } = this.#response
    setTimeout(() => socket?.destroy(), LAST_WORDS_MS).unref()
    this.#finish(reason)
  }

  #readOn({ height, index }: Position): void {
    this.#last ??= { height, index: index - 1 }
    const last = this.#last
    this.#isReading = true
    this.#drained()
      .then(() => this.#catchUp(last))
      .catch((error: unknown) => this.#over.reject(error))
  }

  async #catchUp(after: Position): Promise<void> {
    const oldest = this.#source.oldestHeight()
    if (after.height < oldest) {
      const gap = { from: after.height, to: oldest - 1 }
      this.#response.write(formatText('gap', JSON.stringify(gap), null))
      this.#last = { height: oldest, index: -1 }
    }
    this.#isReading = true
    do {
      this.#hasMissed = false
      await this.#read()
    } while (this.#hasMissed && !this.#isOver)
    this.#isReading = false
  }

  async #read(): Promise<void> {
    for await (const event of this.#source.eventsFrom(this.#last?.height ?? 0)) {
      if (this.#isOver) return
      if (!this.#take(event) || this.#response.write(formatEvent(event))) continue
      await this.#drained()
    }
  }

  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => this.end('slow_consumer'), this.#limits.streamStalledMs)
    this.#response.once('drain', resolve)
    await Promise.race([promise, this.#over.promise])
    this.#response.off('drain', resolve)
    clearTimeout(timer)
  }

  /** Moves on to the event's place; false when it is not for this stream. */
  #take(event: ApiEvent): boolean {
    if (this.#isOver) return false
    if (event.place !== null) {
      if (this.#last !== null && !isAfter(event.place, this.#last)) return false
      this.#last = event.place
    }
    return this.#types.has(event.type)
  }

  #flush(): void {
    let sent = 0
    for (const text of this.#queue) {
      sent += 1
      if (!this.#response.write(text)) break
    }
    this.#queue.splice(0, sent)
  }

  #finish(reason: StreamEnd): void {
    this.#isOver = true
    this.#queue = []
    this.#over.resolve(reason)
  }
}

/** Throws `invalid_request`. */
export function streamQuery(
  query: { types?: string; from?: number },
  lastEventId: string | undefined,
): StreamQuery {
  const types = query.types === undefined ? EVENT_TYPES : query.types.split(',')
  const known = new Set<EventType>(EVENT_TYPES.filter((type) => types.includes(type)))
  const unknown = types.find((type) => !EVENT_TYPES.some((each) => each === type))
  if (unknown !== undefined) throw invalid('query', '/types', `There are no "${unknown}" events.`)
  if (lastEventId !== undefined && lastEventId !== '') {
    const groups = EVENT_ID.exec(lastEventId)?.groups
    if (groups === undefined) {
      throw invalid('header', '/last-event-id', 'Last-Event-ID is <height>.<index>.')
    }
    const after = { height: Number(groups['height']), index: Number(groups['index']) }
    return { types: known, after }
  }
  if (query.from === undefined) return { types: known, after: null }
  // Genesis is height 0 and no event: from there is from the first block.
  return { types: known, after: { height: Math.max(1, query.from), index: -1 } }
}

function invalid(part: 'query' | 'header', pointer: string, detail: string): ApiError {
  return new ApiError('invalid_request', detail, { errors: [{ in: part, pointer, detail }] })
}

function isAfter(place: Position, last: Position): boolean {
  return place.height === last.height ? place.index > last.index : place.height > last.height
}

function formatEvent({ type, place, body }: ApiEvent): string {
  const id = place === null ? null : `${place.height}.${place.index}`
  return formatText(type, JSON.stringify(body), id)
}

/** JSON text has no line breaks, so that one `data` line carries it. */
function formatText(event: string, data: string, id: string | null): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`
}
