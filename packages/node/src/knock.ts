// Knocking at an address: does somebody who speaks libp2p open there? Nothing is said but the first words of
// that protocol, and whatever is answered is not read any further.

import { connect } from 'node:net'

export interface Knocked {
  address: string
  ok: boolean
  detail: string
}

const GREETING = Buffer.from('\u0013/multistream/1.0.0\n')
const TIMEOUT_MS = 3_000

/** "/ip4/10.2.0.7/tcp/7420" and the like. */
export async function knockAt(address: string): Promise<Knocked> {
  const [, kind = '', host = '', transport, port = ''] = address.split('/')
  if (transport !== 'tcp' || !/^(ip[46]|dns[46]?)$/.test(kind) || !/^\d{1,5}$/.test(port))
    return { address, ok: false, detail: 'is no address of a TCP port' }
  const { promise, resolve } = Promise.withResolvers<Omit<Knocked, 'address'>>()
  const socket = connect({ host, port: Number(port) })
  socket.setTimeout(TIMEOUT_MS)
  socket.once('timeout', () => resolve({ ok: false, detail: 'nobody answers there' }))
  socket.once('error', (error) => resolve({ ok: false, detail: reasonOf(error) }))
  socket.once('close', () => resolve({ ok: false, detail: 'hangs up without a word' }))
  socket.once('connect', () => socket.write(GREETING))
  socket.once('data', (data) => resolve(judged(data)))
  try {
    return { address, ...(await promise) }
  } finally {
    socket.destroy()
  }
}

function judged(data: Buffer): Omit<Knocked, 'address'> {
  const isOurs = data.subarray(0, GREETING.length).equals(GREETING)
  return { ok: isOurs, detail: isOurs ? 'answers' : 'somebody else answers there' }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED' ? 'refuses connections' : (error.code ?? error.message)
}
