/**
 * How many submissions one core takes: the server in this thread, clients over raw keep-alive sockets
 * in another. The handlers only name what they get, so that the figures are those of the HTTP half.
 *
 * npx node packages/api/bench/submit.ts
 */

import { once } from 'node:events'
import { connect } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { startApi } from '../src/index.ts'
import { OPEN_ACCESS } from '../test/open-access.ts'
import { MemoryNode } from '../test/memory-node.ts'

const SECONDS = 3
const CONNECTIONS = 16
const TRANSACTION_BYTES = 300

interface Load {
  port: number
  type: string
  body: Uint8Array
}

interface Result {
  answers: number
  statuses: string[]
}

if (isMainThread) {
  await measure()
} else {
  const given: Load = workerData
  parentPort?.postMessage(await load(given))
}

async function measure(): Promise<void> {
  const node = new MemoryNode()
  let next = 0
  node.submitTransactions = (transactions) =>
    transactions.map(() => ({ status: 'accepted', id: String((next += 1)).padStart(64, '0') }))
  const listeners = { listen: '127.0.0.1:0', metricsListen: null, hostNames: [] }
  const fixed = { catalogue: () => undefined, access: OPEN_ACCESS, cursorKey: new Uint8Array(32) }
  const api = await startApi({ ...listeners, ...fixed }, node)
  const port = Number(new URL(api.url).port)
  const one = crypto.getRandomValues(new Uint8Array(TRANSACTION_BYTES))
  const base64 = Buffer.from(one).toString('base64')
  const list = { transactions: Array.from({ length: 256 }, () => base64) }
  const json = 'application/json'
  await report('one, application/cbor', { port, type: 'application/cbor', body: one }, 1)
  await report('one, JSON', { port, type: json, body: text({ transaction: base64 }) }, 1)
  await report('256 in a list, JSON', { port, type: json, body: text(list) }, 256)
  await api.close()
}

function text(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

async function report(name: string, work: Load, transactions: number): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: work })
  const started = performance.now()
  const usage = process.threadCpuUsage()
  const [result]: Result[] = await once(worker, 'message')
  if (result === undefined) throw new Error('the clients reported nothing')
  const cpu = process.threadCpuUsage(usage)
  const seconds = (performance.now() - started) / 1_000
  const busy = (cpu.user + cpu.system) / 1e6
  const rate = Math.round(result.answers / seconds)
  const each = Math.round((busy / result.answers) * 1e6)
  const line = `${rate} requests/s, ${rate * transactions} transactions/s, ${each} us of CPU each`
  console.log(`${name}: ${line} (${result.statuses.join(', ')})`)
}

async function load({ port, type, body }: Load): Promise<Result> {
  const head = [
    'POST /v1/transactions HTTP/1.1',
    'host: localhost',
    `content-type: ${type}`,
    `content-length: ${body.length}`,
  ]
  const request = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
  const end = performance.now() + SECONDS * 1_000
  const statuses = new Set<string>()
  const drive = async (): Promise<number> => {
    const socket = connect(port, '127.0.0.1')
    let answers = 0
    while (performance.now() < end) {
      socket.write(request)
      statuses.add((await answerOn(socket)).slice(9, 12))
      answers += 1
    }
    socket.destroy()
    return answers
  }
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, drive))
  return { answers: counts.reduce((sum, n) => sum + n, 0), statuses: [...statuses] }
}

async function answerOn(socket: ReturnType<typeof connect>): Promise<string> {
  let received = ''
  for (;;) {
    const [chunk]: Buffer[] = await once(socket, 'data')
    received += chunk?.toString('latin1')
    const length = /content-length: (\d+)/i.exec(received)?.[1]
    const head = received.indexOf('\r\n\r\n')
    if (head >= 0 && received.length >= head + 4 + Number(length)) return received
  }
}
