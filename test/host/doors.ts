// Doors from this process into a node's namespace: a port here, a socket file that both sides see, and a
// relay inside (relay.ts) that goes on to the node's loopback port.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Namespaces, SYSTEM_PATH } from './namespaces.ts'

const RELAY = fileURLToPath(new URL('relay.ts', import.meta.url))

export type Doors = {
  // One address for each of the ports.
  urls: string[]
  close: () => Promise<void>
}

export async function openDoors(
  network: Namespaces,
  index: number,
  ports: readonly number[],
  folder: string,
): Promise<Doors> {
  const files = ports.map((port) => join(folder, `${index}-${port}.door`))
  const [command, args] = network.inside(index)
  const pairs = ports.flatMap((port, at) => [files[at] ?? '', String(port)])
  const relay = spawn(command, [...args, process.execPath, RELAY, ...pairs], {
    env: { PATH: SYSTEM_PATH },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const servers = await Promise.all(files.map(listenFor))
  return {
    urls: servers.map(urlOf),
    async close() {
      for (const server of servers) server.close()
      await end(relay)
    },
  }
}

async function listenFor(file: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const relay = connect({ path: file, allowHalfOpen: true })
    client.on('error', () => relay.destroy())
    relay.on('error', () => client.destroy())
    client.pipe(relay).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.unref()
}

function urlOf(server: Server): string {
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}`
}

async function end(relay: ChildProcess): Promise<void> {
  const gone = once(relay, 'exit')
  relay.stdin?.end()
  await gone
}
