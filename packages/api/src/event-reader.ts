/**
 * Server-sent events, read from a stream of bytes (WHATWG HTML, section 9.2).
 *
 * A browser's own `EventSource` would do there, but it can carry no credentials and is not in Node;
 * and the state that must survive a reconnection, the last event id, is the caller's business here.
 */

export interface ServerEvent {
  type: string
  /** `<height>.<index>` of events that follow from final blocks; null otherwise. */
  id: string | null
  data: unknown
}

const LINE_END = /\r\n|\r|\n/
const LINE_CHARACTERS_MAX = 16 * 1024 * 1024

/** `onRetry` is told how long to wait before the next connection. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onRetry: (ms: number) => void = () => undefined,
): AsyncGenerator<ServerEvent> {
  let event = nothing()
  for await (const line of readLines(body)) {
    if (line === '') {
      if (event.data.length > 0) yield finished(event)
      event = nothing()
      continue
    }
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') event.type = value
    if (name === 'id') event.id = value
    if (name === 'data') event.data.push(value)
    if (name === 'retry' && /^[0-9]{1,9}$/.test(value)) onRetry(Number(value))
  }
}

interface Unfinished {
  type: string
  id: string | null
  data: string[]
}

function nothing(): Unfinished {
  return { type: 'message', id: null, data: [] }
}

function finished({ type, id, data }: Unfinished): ServerEvent {
  return { type, id, data: JSON.parse(data.join('\n')) }
}

async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      rest += decoder.decode(value, { stream: true })
      if (rest.length > LINE_CHARACTERS_MAX) throw new RangeError('an event line never ends')
      // A carriage return at the very end may be half of a line end.
      const held = rest.endsWith('\r') ? '\r' : ''
      const lines = rest.slice(0, rest.length - held.length).split(LINE_END)
      rest = `${lines.pop() ?? ''}${held}`
      yield* lines
    }
  } finally {
    await reader.cancel()
  }
}
