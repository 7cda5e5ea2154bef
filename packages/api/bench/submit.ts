/**
 * How many submissions one core takes: the server in this thread, clients over raw keep-alive sockets
 * in another. The handlers only name what they get, so that the figures are those of the HTTP half.
 *
 * npm run bench -- api
 */

import { once } from 'node:events'
import { connect } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { startApi } from '../src/index.ts'
import { OPEN_ACCESS } from '../test/open-access.ts'
import { MemoryNode } from '../test/memory-node.ts'

const CONNECTIONS = 16
const TRANSACTION_BYTES = 300

interface Load {
  seconds: number
  port: number
  type: string
  body: Uint8Array
}

interface Result {
  answers: number
  statuses: string[]
}

if (isMainThread) {
  await runBench({
    name: 'api',
    what: 'transactions over HTTP',
    options: { seconds: 3 },
    quick: { seconds: 0.2 },
    run: ({ options, give, note }) => measure(options.seconds, { give, note }),
  })
} else {
  const given: Load = workerData
  parentPort?.postMessage(await load(given))
}

interface Told {
  give: Give
  note: (line: string) => void
}

async function measure(seconds: number, told: Told): Promise<void> {
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
  const cbor = { seconds, port, type: 'application/cbor', body: one }
  await report({ form: 'one, CBOR', transactions: 1 }, cbor, told)
  const single = { seconds, port, type: json, body: text({ transaction: base64 }) }
  await report({ form: 'one, JSON', transactions: 1 }, single, told)
  const many = { seconds, port, type: json, body: text(list) }
  await report({ form: '256 in a list, JSON', transactions: 256 }, many, told)
  await api.close()
}

function text(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

async function report(
  { form, transactions }: { form: string; transactions: number },
  work: Load,
  { give, note }: Told,
): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: work })
  const started = performance.now()
  const usage = process.threadCpuUsage()
  const [result]: Result[] = await once(worker, 'message')
  if (result === undefined) throw new Error('the clients reported nothing')
  const cpu = process.threadCpuUsage(usage)
  const seconds = (performance.now() - started) / 1_000
  const busy = (cpu.user + cpu.system) / 1e6
  const at = { form }
  give('transactions', '/s', (result.answers * transactions) / seconds, { at })
  give('CPU a request', 'µs', (busy / result.answers) * 1e6, { at })
  const statuses = result.statuses.filter((status) => status !== '202')
  if (statuses.length > 0) note(`${form}: also answered ${statuses.join(', ')}.`)
}

async function load({ seconds, port, type, body }: Load): Promise<Result> {
  const head = [
    'POST /v1/transactions HTTP/1.1',
    'host: localhost',
    `content-type: ${type}`,
    `content-length: ${body.length}`,
  ]
  const request = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
  const end = performance.now() + seconds * 1_000
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
