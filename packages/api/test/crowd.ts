/**
 * Clients of a listener, in a process of their own so that the memory of the listener can be measured:
 *
 *   node crowd.ts <port> streams|slow <count>
 *
 * It says on standard output what has come of all of them, and goes when its standard input ends.
 */

import { connect, type Socket } from 'node:net'

interface Heard {
  socket: Socket
  text: string
}

const [port = '', kind = '', count = ''] = process.argv.slice(2)
const BEGINNINGS: Readonly<Record<string, string>> = {
  streams: 'GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n',
  slow: 'POST /v1/records HTTP/1.1\r\nhost: localhost\r\nx-a: ',
}
const DRIP_MS = 50
const TELL_MS = 20

const crowd = Array.from({ length: Number(count) }, (): Heard => {
  const heard: Heard = { socket: connect(Number(port), '127.0.0.1'), text: '' }
  heard.socket.setEncoding('utf8')
  heard.socket.on('data', (chunk) => {
    heard.text = `${heard.text}${String(chunk)}`.slice(0, 4_096)
    tellSoon()
  })
  heard.socket.on('error', () => undefined)
  heard.socket.once('close', tellSoon)
  heard.socket.write(BEGINNINGS[kind] ?? '')
  return heard
})

const said = new Set<string>()

let isTelling = false

// Many answers come at once, and each look goes over all of them.
function tellSoon(): void {
  if (isTelling) return
  isTelling = true
  setTimeout(() => {
    isTelling = false
    tell()
  }, TELL_MS)
}

function say(word: string, fields: object): void {
  if (said.has(word)) return
  said.add(word)
  process.stdout.write(`${JSON.stringify({ word, ...fields })}\n`)
}

function tell(): void {
  const served = crowd.filter(({ text }) => text.startsWith('HTTP/1.1 200'))
  const refused = crowd.filter(({ text }) =>
    /^HTTP\/1.1 503.*retry-after: 3\r\n.*too_many_streams/s.test(text),
  )
  if (kind === 'slow') {
    const late = crowd.filter(({ text }) => text.startsWith('HTTP/1.1 408')).length
    const other = crowd.filter(({ text }) => text !== '' && !text.startsWith('HTTP/1.1 408')).length
    if (crowd.every(({ socket }) => socket.destroyed)) say('closed', { late, other })
    return
  }
  if (served.length + refused.length < crowd.length) return
  say('answered', { served: served.length, refused: refused.length })
  if (served.every(({ text }) => text.includes('event: block'))) say('events', {})
}

const dripping = setInterval(() => {
  if (kind !== 'slow') return
  for (const { socket } of crowd) if (!socket.destroyed) socket.write('b')
}, DRIP_MS)

process.stdin.resume()
process.stdin.once('end', () => {
  clearInterval(dripping)
  for (const { socket } of crowd) socket.destroy()
})
