// Many clients at once, and slow ones: what the listener refuses, and what that costs it.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'uvu'
import { guarded, tokenOf } from './guarded.ts'
import { serving, until } from './serving.ts'

const MIB = 1024 ** 2
const CLIENTS = 1_000

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

const as = (role: string) => `authorization: Bearer ${tokenOf(role)}\r\n`
const status = ({ text }: Heard) => text.slice('HTTP/1.1 '.length).slice(0, 3)

test('of 1 000 event streams as many are served as there is room for; the others are told to come back', () =>
  serving(async ({ api, node, client }) => {
    const before = process.memoryUsage.rss()
    const heard = Array.from({ length: CLIENTS }, () => listen(api.url))
    await until(() => heard.every(({ text }) => text.includes('\r\n\r\n')))
    const served = heard.filter(({ text }) => text.startsWith('HTTP/1.1 200'))
    const refused = heard.filter(({ text }) => text.startsWith('HTTP/1.1 503'))
    assert.deepEqual([served.length, refused.length], [100, CLIENTS - 100])
    assert.ok(refused.every(({ text }) => /retry-after: 3\r\n/.test(text)))
    assert.ok(refused.every(({ text }) => text.includes('"code":"too_many_streams"')))
    node.finalize()
    await until(() => served.every(({ text }) => text.includes('event: block')))
    assert.equal((await client.status()).node.name, 'st-mary')
    const growth = process.memoryUsage.rss() - before
    assert.ok(growth < 50 * MIB, `${Math.round(growth / MIB)} MiB for both ends`)
    for (const { socket } of heard) socket.destroy()
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
      const before = process.memoryUsage.rss()
      const { hostname, port } = new URL(api.url)
      const slow = Array.from({ length: 300 }, () => connect(Number(port), hostname))
      let answers = ''
      let closed = 0
      for (const socket of slow) {
        socket.on('error', () => undefined)
        socket.on('data', (chunk) => {
          answers += String(chunk).slice(0, 12)
        })
        socket.once('close', () => {
          closed += 1
        })
        socket.write('POST /v1/records HTTP/1.1\r\nhost: localhost\r\nx-a: ')
      }
      const dripping = setInterval(() => {
        for (const socket of slow) if (!socket.destroyed) socket.write('b')
      }, 50)
      try {
        await until(() => closed === slow.length)
      } finally {
        clearInterval(dripping)
      }
      assert.match(answers, /^(HTTP\/1\.1 408)+$/)
      assert.equal((await client.status()).node.name, 'st-mary')
      assert.ok(process.memoryUsage.rss() - before < 50 * MIB)
    },
    { requestTimeoutMs: 400, requestCheckMs: 100 },
  ))

test.run()
