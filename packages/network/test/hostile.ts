// A member that behaves badly on purpose: its own libp2p node, without our limits, in its own process.
//
// `breaks` is the sloppy one: it resets the first urgent stream it gets, and its gossip once.
//
// Each attack runs until the process is killed. What it may not break: the victim, the other members,
// and this member's own honest frames, which `numbers` sends along on the bulk lane.

import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
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

const [attack, victimPort, ownPort] = process.argv.slice(2)
const [victim, own] = identitiesOn([Number(victimPort), Number(ownPort)])
if (victim === undefined || own === undefined) throw new Error('no identities')

const isSloppy = attack === 'breaks'
const node = await createLibp2p({
  privateKey: await generateKeyPairFromSeed('Ed25519', own.seed),
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

process.stdin.resume()
process.stdin.on('end', () => process.exit())

const connection = await node.dial(multiaddr(`${addressOf(victim)}/p2p/${victim.peerId}`))
const ATTACKS: Record<string, (to: Connection) => Promise<void>> = {
  async mute() {},
  async breaks(to) {
    const { gossip } = node.services
    gossip?.subscribe(`${NETWORK_ID}/transactions`)
    while ((gossip?.getSubscribers(`${NETWORK_ID}/transactions`) ?? []).length === 0) {
      await new Promise(setImmediate)
    }
    for (const stream of to.streams) {
      if (stream.protocol.startsWith('/meshsub/')) stream.abort(new Error('sloppy'))
    }
  },
  garbage: (to) => flood(to, URGENT, encodeFrame(new Uint8Array(200).fill(0xa5))),
  slivers: (to) => flood(to, URGENT, new Uint8Array([0, 0, 0, 0])),
  undecodable: (to) => flood(to, GOSSIP, withVarint(new Uint8Array(60_000).fill(0xff))),
  subscriptions: (to) =>
    flood(to, GOSSIP, withVarint(subscriptions(100_000).subarray(0, 1_000_000))),
  subscriptionsOverLength: (to) => flood(to, GOSSIP, withVarint(subscriptions(100_000))),
  oversize: (to) => flood(to, URGENT, new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 2, 3])),
}
if (attack !== 'mute') {
  await offerHello(connection, hello(), {
    limits: defaultLimits,
    signal: AbortSignal.timeout(5_000),
  })
  void numbers(connection)
}
await ATTACKS[attack ?? '']?.(connection)

function hello() {
  return {
    networkId: NETWORK_ID,
    genesisDigest: GENESIS_DIGEST,
    protocolVersions: [1],
    instance: createInstance(),
    height: 1,
  }
}

async function numbers(to: Connection): Promise<void> {
  const stream = await to.newStream(BULK)
  let count = 0
  setInterval(() => {
    if (stream.status !== 'open') return
    stream.send(encodeFrame(numbered(count)))
    count += 1
  }, 20)
}

async function flood(to: Connection, protocol: string, bytes: Uint8Array): Promise<void> {
  let stream: Stream | null = null
  for (;;) {
    try {
      if (stream === null || stream.status !== 'open') stream = await to.newStream(protocol)
      if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(1_000) })
    } catch {
      stream = null
    }
    await new Promise(setImmediate)
  }
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
