// A member that behaves badly on purpose: its own libp2p node, without our limits, in its own process.
//
// The test writes the name of an attack to its standard input, one a line; each lasts until the next.
// What it may not break: the victim, the other members, and this member's own honest frames, which
// `numbers` sends along on the bulk lane.

import { createInterface } from 'node:readline'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { encodeFrame } from '../src/frames.ts'
import { createInstance, offerHello } from '../src/hello.ts'
import { defaultLimits } from '../src/index.ts'
import { addressOf, GENESIS_DIGEST, identitiesOn, NETWORK_ID, numbered } from './world.ts'

const URGENT = '/mooring/urgent/1'
const BULK = '/mooring/bulk/1'
const GOSSIP = '/meshsub/1.2.0'

const [manners, victimPort, ownPort] = process.argv.slice(2)
const [victim, self] = identitiesOn([Number(victimPort), Number(ownPort)])
if (victim === undefined || self === undefined) throw new Error('no identities')

const isSloppy = manners === 'sloppy'
const node = await createLibp2p({
  privateKey: await generateKeyPairFromSeed('Ed25519', self.seed),
  addresses: { listen: [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify(), ...(isSloppy ? { gossip: gossipsub() } : {}) },
})
let urgentStreams = 0
await node.handle(URGENT, (stream) => {
  urgentStreams += 1
  if (isSloppy && urgentStreams === 1) stream.abort(new Error('sloppy'))
})
await node.handle(BULK, () => undefined)
if (!isSloppy) await node.handle(GOSSIP, () => undefined)

const connection = await node.dial(multiaddr(`${addressOf(victim)}/p2p/${victim.peerId}`))
const over = subscriptions(100_000)
const ATTACKS: Record<string, [protocol: string, bytes: Uint8Array]> = {
  garbage: [URGENT, encodeFrame(new Uint8Array(200).fill(0xa5))],
  slivers: [URGENT, new Uint8Array([0, 0, 0, 0])],
  undecodable: [GOSSIP, withVarint(new Uint8Array(60_000).fill(0xff))],
  subscriptions: [GOSSIP, withVarint(over.subarray(0, 1_000_000))],
  'subscriptions over length': [GOSSIP, withVarint(over)],
  oversize: [URGENT, new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 2, 3])],
}
if (manners !== 'mute') {
  await offerHello(connection, hello(), {
    limits: defaultLimits,
    signal: AbortSignal.timeout(9_000),
  })
  await numbers()
}
if (isSloppy) await resetGossip()
let attack = new AbortController()
for await (const line of createInterface(process.stdin)) {
  attack.abort()
  attack = new AbortController()
  const [protocol, bytes] = ATTACKS[line] ?? [URGENT, new Uint8Array(0)]
  void flood(protocol, bytes, attack.signal)
}
process.exit()

async function resetGossip(): Promise<void> {
  const topic = `${NETWORK_ID}/transactions`
  const { gossip } = node.services
  gossip?.subscribe(topic)
  while ((gossip?.getSubscribers(topic) ?? []).length === 0) await new Promise(setImmediate)
  for (const stream of connection.streams) {
    if (stream.protocol.startsWith('/meshsub/')) stream.abort(new Error('sloppy'))
  }
}

function hello() {
  return {
    networkId: NETWORK_ID,
    genesisDigest: GENESIS_DIGEST,
    protocolVersions: [1],
    instance: createInstance(),
    height: 1,
  }
}

async function numbers(): Promise<void> {
  const stream = await connection.newStream(BULK)
  let count = 0
  setInterval(() => {
    if (stream.status !== 'open') return
    stream.send(encodeFrame(numbered(count)))
    count += 1
  }, 20)
}

/** Nothing that goes wrong on the way stops it. */
async function flood(protocol: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  let stream: Stream | null = null
  while (!signal.aborted) {
    try {
      if (stream === null || stream.status !== 'open') stream = await connection.newStream(protocol)
      if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(1_000) })
    } catch {
      stream = null
    }
    await new Promise(setImmediate)
  }
  stream?.abort(new Error('next attack'))
}

function subscriptions(count: number): Uint8Array {
  const one = new TextEncoder().encode('topic-000000')
  const entry = new Uint8Array([0x0a, 4 + one.length, 0x08, 1, 0x12, one.length, ...one])
  const all = new Uint8Array(entry.length * count)
  for (let index = 0; index < count; index += 1) {
    const name = new TextEncoder().encode(`topic-${String(index).padStart(6, '0')}`)
    all.set(entry, index * entry.length)
    all.set(name, index * entry.length + 6)
  }
  return all
}

function withVarint(bytes: Uint8Array): Uint8Array {
  const prefix: number[] = []
  let length = bytes.length
  while (length > 127) {
    prefix.push((length & 127) | 128)
    length >>>= 7
  }
  return new Uint8Array([...prefix, length, ...bytes])
}
