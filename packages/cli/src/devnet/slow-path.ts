// A path that takes longer: whatever comes in is handed on after a while, in order, in both directions.
// It is TCP on both sides, so that the two nodes see nothing but a far neighbour.

import { createConnection, createServer, type Server, type Socket } from 'node:net'

export type SlowPath = {
  // Where it listens; 0: anywhere.
  port: number
  target: number
  delayMs: number
  // Each piece takes up to so much longer.
  jitterMs: number
}

const HOST = '127.0.0.1'
// A sender that is faster than the path is held back, as a real path does it.
const ON_THE_WAY_MAX = 4 * 1024 * 1024

export async function openSlowPath(path: SlowPath): Promise<Server> {
  const server = createServer((near) => {
    const far = createConnection({ host: HOST, port: path.target })
    delay(near, far, path)
    delay(far, near, path)
  })
  server.listen(path.port, HOST)
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  return server
}

function delay(from: Socket, to: Socket, { delayMs, jitterMs }: SlowPath): void {
  let onTheWay = 0
  let lastAt = 0
  // No piece overtakes the one before it.
  const later = (work: () => void): void => {
    const now = performance.now()
    lastAt = Math.max(lastAt, now + delayMs + Math.random() * jitterMs)
    setTimeout(work, lastAt - now)
  }
  from.setNoDelay(true)
  from.on('data', (piece) => {
    onTheWay += piece.length
    if (onTheWay > ON_THE_WAY_MAX) from.pause()
    later(() => {
      onTheWay -= piece.length
      if (onTheWay <= ON_THE_WAY_MAX) from.resume()
      if (!to.destroyed) to.write(piece)
    })
  })
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.destroy()))
}
