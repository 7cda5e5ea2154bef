// CometBFT's side of the client: JSON-RPC lists of `broadcast_tx_sync`, which answers when the mempool has checked
// a transaction; and the websocket, which says when a block is final. Its moment counts, what was in the block is
// asked for afterwards.

import type { CometbftContact } from './cometbft.ts'
import type { ClientOf, Contact, Payload } from './engine.ts'
import { signAnchor, strangerAt } from './payloads.ts'

interface Answer {
  error?: { message: string; data?: string }
  result?: { code: number; log: string }
}

interface BlockAnswer {
  result: { block: { data: { txs: string[] } } }
}

/** It says that it is full, and not for how long. */
const AGAIN_MS = 20
const FULL = /mempool is full/

function isCometbft(contact: Contact): contact is CometbftContact {
  return contact.engine === 'cometbft'
}

export const cometbftClient: ClientOf = (contact) => {
  if (!isCometbft(contact)) throw new TypeError('not a contact of CometBFT')
  const { urls } = contact
  const sequences = urls.map(() => 0)
  const sockets: WebSocket[] = []
  const urlOf = (node: number): string => {
    const url = urls[node]
    if (url === undefined) throw new RangeError(`no validator ${node}`)
    return url
  }
  return Promise.resolve({
    nodes: urls.length,
    againMs: AGAIN_MS,
    prepare: (node, count) =>
      Array.from({ length: count }, () => {
        const sequence = (sequences[node] ?? 0) + 1
        sequences[node] = sequence
        return keyValueOf(signAnchor(strangerAt(node), sequence))
      }),
    submit: (node, payloads) => submit(urlOf(node), payloads),
    observe: async (node, onFinal) => {
      sockets.push(await observe(urlOf(node), onFinal))
    },
    close: () => {
      for (const socket of sockets) socket.close()
    },
  })
}

/**
 * The store takes `key=value` with no other `=` or `:`. As many bytes as we sign; the signature goes first, so
 * that every key is a new one.
 */
export function keyValueOf(signed: Uint8Array): Payload {
  const bytes = Buffer.from(signed.toReversed())
  for (const [at, byte] of bytes.entries()) if (byte === 0x3d || byte === 0x3a) bytes[at] = 0x3c
  bytes[32] = 0x3d
  return { id: bytes.toString('base64'), bytes }
}

async function submit(url: string, payloads: readonly Payload[]): Promise<number> {
  const calls = payloads.map(({ id }, at) => ({
    jsonrpc: '2.0',
    id: at,
    method: 'broadcast_tx_sync',
    params: { tx: id },
  }))
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(calls) })
  const said: Answer | Answer[] = JSON.parse(await response.text())
  const answers = Array.isArray(said) ? said : [said]
  const refused = answers.findIndex(
    ({ error, result }) => error !== undefined || result?.code !== 0,
  )
  if (refused < 0) return payloads.length
  const text = JSON.stringify(answers[refused])
  if (!FULL.test(text)) throw new Error(text)
  return refused
}

async function observe(
  url: string,
  onFinal: (ids: readonly string[], at: number) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/websocket`)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.addEventListener('message', ({ data }) => {
    const at = performance.now()
    const block = blockIn(String(data))
    if (block === null) resolve()
    else if (block.transactions > 0) {
      // The client ends with what it could not ask.
      void transactionsOf(url, block.height).then((ids) => onFinal(ids, at))
    }
  })
  const query = "tm.event='NewBlockEvents'"
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { query } }))
  await promise
  return socket
}

interface BlockEvent {
  result: { data?: { value: { height: string; num_txs: string } } }
}

function blockIn(text: string): { height: string; transactions: number } | null {
  const { result }: BlockEvent = JSON.parse(text)
  if (result.data === undefined) return null
  const { height, num_txs: transactions } = result.data.value
  return { height, transactions: Number(transactions) }
}

async function transactionsOf(url: string, height: string): Promise<string[]> {
  const answer = await fetch(`${url}/block?height=${height}`)
  const { result }: BlockAnswer = JSON.parse(await answer.text())
  return result.block.data.txs
}
