// A member whose machine somebody else has: its real transport key, its own libp2p node without any of
// our limits, and nothing but nonsense for the others, as fast as they take it. A connection that is cut
// is made again. Ends with its stdin.
//
//   node test/e2e/hostile-member.ts <home> <genesis digest> <attack>=<address with peer id>...
//
// `equivocation-<view>` is the one attack that is signed: it votes for two blocks in that view.

import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { fromHex } from '@mooring/codec'
import { encodeMessage, type Vote, voteMessage } from '@mooring/consensus'
import { sign } from '@mooring/crypto'
import { networkId } from '@mooring/ledger'
import { defaultLimits } from '@mooring/network'
import { readKeyFile } from '@mooring/node'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { randomBytes } from 'node:crypto'
import { createConnection as createSocket } from 'node:net'
import { join } from 'node:path'
import { encodeFrame } from '../../packages/network/src/frames.ts'
import { createInstance, offerHello } from '../../packages/network/src/hello.ts'

const TOPICS = 350_000
const MIB = 1024 ** 2
const LORIS_SOCKETS = 200
const KNOCKS_AT_ONCE = 50
const KNOCKS_EVERY_MS = 50
// Another place on this computer, where loopback has more than one.
const ELSEWHERE = process.platform === 'linux' ? { localAddress: '127.0.0.9' } : {}
const URGENT = '/mooring/urgent/1'
const BULK = '/mooring/bulk/1'
const GOSSIP = '/meshsub/1.2.0'
const PAUSE_MS = 1_000
const VIEWS = 1_000

const [home, digest, ...targets] = process.argv.slice(2)
if (home === undefined || digest === undefined) throw new Error('name a home and a digest')
const genesisDigest = fromHex(digest)
const topic = new TextEncoder().encode(`${networkId(genesisDigest)}/transactions`)

const { seed } = await readKeyFile(join(home, 'keys', 'transport.json'), 'transport')
const node = await createLibp2p({
  privateKey: await generateKeyPairFromSeed('Ed25519', seed),
  addresses: { listen: [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify() },
})
for (const protocol of [URGENT, BULK, GOSSIP]) await node.handle(protocol, () => undefined)

const topics = subscriptions(TOPICS)
const FRAME_4_MB = encodeFrame(randomBytes(4 * MIB))
const ATTACKS: Record<string, (to: Connection) => Promise<unknown>> = {
  subscriptions: (to) =>
    Promise.all([
      flood(to, GOSSIP, () => withLength(topics)),
      flood(to, GOSSIP, () => withLength(topics.subarray(0, MIB - 1_024))),
    ]),
  large: (to) =>
    Promise.all([flood(to, URGENT, () => FRAME_4_MB), flood(to, BULK, () => FRAME_4_MB)]),
  frames: (to) =>
    Promise.all([
      flood(to, URGENT, () => encodeFrame(randomBytes(200))),
      flood(to, BULK, () => encodeFrame(randomBytes(50_000))),
    ]),
  votes: (to) => flood(to, URGENT, () => encodeFrame(forgedVote())),
  oversize: (to) => flood(to, BULK, () => new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 2, 3])),
  gossip: (to) =>
    Promise.all([
      flood(to, GOSSIP, () => withLength(gossipMessage(randomBytes(500)))),
      flood(to, GOSSIP, () => withLength(randomBytes(30_000))),
    ]),
}

// Without a handshake: sockets, as anybody can open them.
const AT_THE_DOOR: Record<string, (port: number) => void> = {
  // As slowly as a handshake can be, in as many places as there are.
  loris(port) {
    for (let count = 0; count < LORIS_SOCKETS; count += 1) dribble(port)
  },
  // A thousand connections a second.
  knocks(port) {
    setInterval(() => {
      for (let count = 0; count < KNOCKS_AT_ONCE; count += 1) knock(port)
    }, KNOCKS_EVERY_MS)
  },
}

process.stdin.resume()
process.stdin.on('end', () => process.exit())
await Promise.all(targets.map(repeatedly))

function knock(port: number): void {
  const socket = createSocket({ host: '127.0.0.1', port, ...ELSEWHERE })
  socket.on('error', () => socket.destroy())
  socket.on('connect', () => socket.destroy())
}

function dribble(port: number): void {
  const socket = createSocket({ host: '127.0.0.1', port, ...ELSEWHERE })
  const timer = setInterval(() => socket.write(new Uint8Array([19])), 500)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    clearInterval(timer)
    setTimeout(() => dribble(port), PAUSE_MS)
  })
}

async function repeatedly(target: string): Promise<void> {
  const [kind = '', address = ''] = target.split('=')
  const atTheDoor = AT_THE_DOOR[kind]
  if (atTheDoor !== undefined) {
    atTheDoor(Number(/\/tcp\/(\d+)/.exec(address)?.[1]))
    return
  }
  for (;;) {
    try {
      const connection = await node.dial(multiaddr(address))
      await offerHello(connection, hello(kind), {
        limits: defaultLimits,
        signal: AbortSignal.timeout(5_000),
      })
      const [, view] = /^equivocation-(\d+)$/.exec(kind) ?? []
      if (view !== undefined) await equivocate(connection, Number(view))
      else await ATTACKS[kind]?.(connection)
    } catch {
      // It was cut off, or not let in: that is what the others are for.
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

async function flood(
  connection: Connection,
  protocol: string,
  nonsense: () => Uint8Array,
): Promise<void> {
  let stream: Stream | null = null
  while (connection.status === 'open') {
    try {
      if (stream === null || stream.status !== 'open') stream = await connection.newStream(protocol)
      if (!stream.send(nonsense())) await stream.onDrain({ signal: AbortSignal.timeout(1_000) })
    } catch {
      // A stream that was reset is opened again.
      stream = null
    }
    await new Promise(setImmediate)
  }
}

// Two real votes for two blocks, in views from this one on, until the connection is cut.
async function equivocate(connection: Connection, view: number): Promise<void> {
  const key = await readKeyFile(join(home ?? '', 'keys', 'consensus.json'), 'consensus')
  const votes = ['aa', 'bb'].map((byte): Vote => {
    const place = { epoch: 0, view, parentView: view - 1, height: view }
    const subject = { ...place, digest: byte.repeat(32) }
    const signature = sign(key, voteMessage(genesisDigest, 'notarize', subject))
    return { kind: 'notarize', subject, signer: 3, signature }
  })
  await flood(connection, URGENT, () => encodeFrame(encodeMessage({ kind: 'votes', votes })))
}

function hello(kind: string) {
  // `foreign`: of a network that was founded elsewhere.
  const claimed = kind === 'foreign' ? new Uint8Array(32).fill(9) : genesisDigest
  return {
    networkId: networkId(claimed),
    genesisDigest: claimed,
    protocolVersions: [1],
    instance: createInstance(),
    height: 1_000_000,
  }
}

// A vote of the fourth authority, as it would be but for its signature.
function forgedVote(): Uint8Array {
  const view = 1 + Math.floor(Math.random() * VIEWS)
  const subject = {
    epoch: 0,
    view,
    parentView: 0,
    height: 1,
    digest: randomBytes(32).toString('hex'),
  }
  const signature = new Uint8Array(randomBytes(64))
  return encodeMessage({
    kind: 'votes',
    votes: [{ kind: 'notarize', subject, signer: 3, signature }],
  })
}

// RPC { subscriptions: [{ subscribe: true, topicid }] }
function subscriptions(count: number): Uint8Array {
  const entries = Array.from({ length: count }, (_, index) => {
    const name = Buffer.from(`topic-${String(index).padStart(6, '0')}`)
    return Buffer.from([0x0a, 4 + name.length, 0x08, 1, 0x12, name.length, ...name])
  })
  return Buffer.concat(entries)
}

// RPC { publish: [{ data, topic }] }
function gossipMessage(data: Uint8Array): Uint8Array {
  const message = new Uint8Array([0x12, ...withLength(data), 0x22, ...withLength(topic)])
  return new Uint8Array([0x12, ...withLength(message)])
}

// A protobuf varint in front.
function withLength(bytes: Uint8Array): Uint8Array {
  const prefix: number[] = []
  let length = bytes.length
  while (length > 127) {
    prefix.push((length & 127) | 128)
    length >>>= 7
  }
  return Buffer.concat([Uint8Array.from([...prefix, length]), bytes])
}
