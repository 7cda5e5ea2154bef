// A path to a member that can be blocked, as by a broken cable (what is open stays open, and nothing comes
// through), or made slow.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Path {
  port: number
  block(): void
  open(): void
  close(): void
}

const SLICE_MS = 20

export async function createPath(target: number, bytesPerSecond = Infinity): Promise<Path> {
  const sockets = new Set<Socket>()
  let isBlocked = false
  const setFlow = (socket: Socket): void => {
    if (isBlocked) socket.pause()
    else socket.resume()
  }
  const forward = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', (bytes) => {
      to.write(bytes)
      if (bytesPerSecond === Infinity) return
      from.pause()
      setTimeout(() => setFlow(from), Math.max(SLICE_MS, (bytes.length / bytesPerSecond) * 1_000))
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      // While the path is blocked the other side does not learn of it.
      if (!isBlocked) to.destroy()
    })
    setFlow(from)
  }
  const server = createServer({ pauseOnConnect: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port: target })
    forward(near, far)
    forward(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port was asked for')
  const flow = (blocked: boolean): void => {
    isBlocked = blocked
    for (const socket of sockets) setFlow(socket)
  }
  return {
    port: address.port,
    block: () => flow(true),
    open: () => flow(false),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
