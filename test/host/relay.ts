// A door into the namespace in which it runs: what connects to a socket file comes out on a loopback port
// there. The API of a node listens on loopback only, and loopback is another one in every namespace.
//
//   node relay.ts <socket file> <port> [<socket file> <port>]...
//
// It ends when its stdin does.

import { connect, createServer } from 'node:net'

const words = process.argv.slice(2)
for (let at = 0; at + 1 < words.length; at += 2) {
  const [path = '', port] = words.slice(at, at + 2)
  const server = createServer({ allowHalfOpen: true }, (outside) => {
    const inside = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true })
    outside.on('error', () => inside.destroy())
    inside.on('error', () => outside.destroy())
    outside.pipe(inside).pipe(outside)
  })
  server.listen(path)
}
process.stdin.on('end', () => process.exit(0)).resume()
