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

function delay(from: Socket, to: Socket, path: SlowPath): void {
  let onTheWay = 0
  const later = inTime(path)
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

/**
 * One timer for all: a timer rounds down and counts from the turn it was made in, so that one of each piece is up
 * to some milliseconds early, and a piece overtakes the one before it.
 */
function inTime({ delayMs, jitterMs }: SlowPath): (work: () => void) => void {
  const waiting: { at: number; work: () => void }[] = []
  let lastAt = 0
  const wait = (now: number): void => {
    const [first] = waiting
    if (first !== undefined) setTimeout(run, Math.ceil(first.at - now))
  }
  const run = (): void => {
    const now = performance.now()
    const later = waiting.findIndex(({ at }) => at > now)
    const due = waiting.splice(0, later < 0 ? waiting.length : later)
    wait(now)
    for (const { work } of due) work()
  }
  return (work) => {
    const now = performance.now()
    lastAt = Math.max(lastAt, now + delayMs + Math.random() * jitterMs)
    waiting.push({ at: lastAt, work })
    if (waiting.length === 1) wait(now)
  }
}
