// Many clients at once, and slow ones: what the listener refuses, and what that costs it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'uvu'
import { guarded, tokenOf } from './guarded.ts'
import { serving, until } from './serving.ts'

const MIB = 1024 ** 2
const CLIENTS = 1_000
const SLOW = 300
const HEARD_MS = 30_000

interface Heard {
  socket: Socket
  text: string
}

function listen(url: string, authorization = ''): Heard {
  const { hostname, port } = new URL(url)
  const heard: Heard = { socket: connect(Number(port), hostname), text: '' }
  heard.socket.setEncoding('utf8')
  heard.socket.on('data', (chunk) => {
    heard.text = `${heard.text}${String(chunk)}`.slice(-4_096)
  })
  heard.socket.on('error', () => undefined)
  heard.socket.write(`GET /v1/events HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\n`)
  return heard
}

interface Crowd {
  hear: (word: string) => Promise<Record<string, number>>
  leave: () => Promise<void>
}

function gather(url: string, kind: 'streams' | 'slow', count: number): Crowd {
  const { pathname } = new URL('crowd.ts', import.meta.url)
  const child = spawn(process.execPath, [pathname, new URL(url).port, kind, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const said = new Map<string, Record<string, number>>()
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    const { word, ...fields }: { word: string } & Record<string, number> = JSON.parse(line)
    said.set(word, fields)
    lines.emit('said')
  })
  return {
    hear: async (word) => {
      while (!said.has(word)) await once(lines, 'said', { signal: AbortSignal.timeout(HEARD_MS) })
      return said.get(word) ?? {}
    },
    leave: async () => {
      child.stdin.end()
      await once(child, 'close')
    },
  }
}

const as = (role: string) => `authorization: Bearer ${tokenOf(role)}\r\n`
const status = ({ text }: Heard) => text.slice('HTTP/1.1 '.length).slice(0, 3)

test('of 1 000 event streams as many are served as there is room for; the others are told to come back', () =>
  serving(async ({ api, node, client }) => {
    await client.status()
    const before = process.memoryUsage.rss()
    const crowd = gather(api.url, 'streams', CLIENTS)
    try {
      const { served, refused } = await crowd.hear('answered')
      assert.deepEqual([served, refused], [100, CLIENTS - 100])
      node.finalize()
      await crowd.hear('events')
      assert.equal((await client.status()).node.name, 'st-mary')
      const growth = process.memoryUsage.rss() - before
      assert.ok(growth < 50 * MIB, `${Math.round(growth / MIB)} MiB`)
    } finally {
      await crowd.leave()
    }
    await until(() => api.stats().streams === 0)
    const again = listen(api.url)
    await until(() => again.text.startsWith('HTTP/1.1 200'))
    again.socket.destroy()
  }))

test('one token has five streams, and leaves the others to others', () =>
  guarded(async ({ url }) => {
    const mine = Array.from({ length: 6 }, () => listen(url, as('viewer')))
    await until(() => mine.every(({ text }) => text.includes('\r\n\r\n')))
    assert.deepEqual(mine.map(status).toSorted(), ['200', '200', '200', '200', '200', '503'])
    const other = listen(url, as('auditor'))
    await until(() => other.text.startsWith('HTTP/1.1 200'))
    mine.find((each) => status(each) === '200')?.socket.destroy()
    const again = () => listen(url, as('viewer'))
    let next = again()
    await until(() => {
      if (next.text.startsWith('HTTP/1.1 503')) next = again()
      return next.text.startsWith('HTTP/1.1 200')
    })
    for (const { socket } of [...mine, other, next]) socket.destroy()
  }))

test('connections that send a byte now and then are cut, and cost little meanwhile', () =>
  serving(
    async ({ api, client }) => {
      await client.status()
      const before = process.memoryUsage.rss()
      const crowd = gather(api.url, 'slow', SLOW)
      try {
        const { late = 0, other } = await crowd.hear('closed')
        // Who goes on sending may lose the answer with the connection.
        assert.ok(late > 0 && other === 0, `${late} were told, ${other} got something else`)
        assert.equal((await client.status()).node.name, 'st-mary')
        const growth = process.memoryUsage.rss() - before
        assert.ok(growth < 50 * MIB, `${Math.round(growth / MIB)} MiB`)
      } finally {
        await crowd.leave()
      }
    },
    { requestTimeoutMs: 400, requestCheckMs: 100 },
  ))

test.run()
