// Every byte between the nodes of a devnet, recorded: each listens on another port than the one that the
// others know, and behind that port a relay keeps what goes through in either direction.

import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Devnet } from './devnet.ts'

export type RecordedWires = { pieces: Buffer[]; bytes: () => number; close: () => Promise<void> }

const LISTEN = /^(\[p2p\][^[]*?^listen = \["\/ip4\/127\.0\.0\.1\/tcp\/)(\d+)/ms

// While the devnet is down.
export async function recordWires(devnet: Devnet): Promise<RecordedWires> {
  const pieces: Buffer[] = []
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  let bytes = 0
  const keep = (piece: Buffer): void => {
    pieces.push(piece)
    bytes += piece.length
  }
  for (const { home } of devnet.nodes) {
    const path = join(home, 'config', 'mooring.toml')
    const config = await readFile(path, 'utf8')
    const port = Number(LISTEN.exec(config)?.[2])
    const behind = await freePort()
    await writeFile(
      path,
      config.replace(LISTEN, (_, before: string) => `${before}${behind}`),
    )
    servers.push(await relay(port, behind, { keep, sockets }))
  }
  return {
    pieces,
    bytes: () => bytes,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all(
        servers.map(async (server) => {
          server.close()
          await once(server, 'close')
        }),
      )
    },
  }
}

async function relay(
  port: number,
  behind: number,
  { keep, sockets }: { keep: (piece: Buffer) => void; sockets: Set<Socket> },
): Promise<Server> {
  const server = createServer((outside) => {
    const inside = connect({ host: '127.0.0.1', port: behind })
    for (const [from, to] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      sockets.add(from)
      from.on('data', keep)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('a port is a number')
  return address.port
}
