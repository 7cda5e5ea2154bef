// A small network on loopback: members with fixed keys and ports, and a record of what they saw.

import { createServer } from 'node:net'
import { formatPeerId, keyPairFromSeed } from '@mooring/crypto'
import {
  type Acceptance,
  type Channel,
  type Limits,
  type LocalList,
  type Member,
  type Network,
  type NetworkHandlers,
  startNetwork,
} from '../src/index.ts'

export const GENESIS_DIGEST = new Uint8Array(32).fill(7)
export const NETWORK_ID = 'moor-07070707'

export interface Identity extends Member {
  seed: Uint8Array
  port: number
}

export interface Seen {
  frames: { from: string; channel: Channel; frame: Uint8Array }[]
  batches: { from: string; batch: Uint8Array }[]
  headers: Uint8Array[]
  events: { peerId: string; event: string; reason: string | undefined }[]
  logs: { sentence: string; fields: Record<string, unknown> }[]
}

export interface Node {
  identity: Identity
  network: Network
  seen: Seen
}

export interface NodeOptions {
  members: Identity[]
  networkId?: string
  genesisDigest?: Uint8Array
  protocolVersions?: number[]
  limits?: Partial<Limits>
  handlers?: Partial<NetworkHandlers>
  verdict?: (batch: Uint8Array) => Acceptance
  local?: () => LocalList
  announce?: string[]
  /** Whom it knows an address of; everybody by default. */
  knows?: Identity[]
}

export async function createIdentities(count: number): Promise<Identity[]> {
  return identitiesOn(await freePorts(count))
}

export function identitiesOn(ports: number[]): Identity[] {
  return ports.map((port, index) => {
    const seed = new Uint8Array(32).fill(index + 1)
    const peerId = formatPeerId(keyPairFromSeed(seed).publicKey)
    return { peerId, name: `hospital-${index}`, authority: true, seed, port }
  })
}

export function addressOf(identity: Identity): string {
  return `/ip4/127.0.0.1/tcp/${identity.port}`
}

export async function startNode(identity: Identity, options: NodeOptions): Promise<Node> {
  const seen: Seen = { frames: [], batches: [], headers: [], events: [], logs: [] }
  const known = options.knows ?? options.members
  const network = await startNetwork(
    {
      listen: [addressOf(identity)],
      announce: options.announce ?? [],
      transportSeed: identity.seed,
      networkId: options.networkId ?? NETWORK_ID,
      genesisDigest: options.genesisDigest ?? GENESIS_DIGEST,
      protocolVersions: options.protocolVersions ?? [1],
      members: () => options.members,
      addresses: (peerId) => known.filter((one) => one.peerId === peerId).map(addressOf),
      ...(options.local && { local: options.local }),
      limits: options.limits ?? {},
      log: (_level, sentence, fields) => {
        seen.logs.push({ sentence, fields })
      },
    },
    {
      onMessage(from, channel, frame) {
        seen.frames.push({ from, channel, frame })
      },
      onTransactions(from, batch) {
        seen.batches.push({ from, batch })
        return options.verdict?.(batch) ?? 'accept'
      },
      onHeader(_from, header) {
        seen.headers.push(header)
        return 'accept'
      },
      onRequest: (_from, _protocol, payload) => Promise.resolve(payload),
      onPeer(peerId, event, reason) {
        seen.events.push({ peerId, event, reason })
      },
      status: () => ({ height: 5 }),
      ...options.handlers,
    },
  )
  return { identity, network, seen }
}

export async function startMembers(
  count: number,
  options: Omit<NodeOptions, 'members'> = {},
): Promise<Node[]> {
  const members = await createIdentities(count)
  return Promise.all(members.map((identity) => startNode(identity, { ...options, members })))
}

/** Both, the one that asks, and the peer id of the other, which answers. */
export async function startPair(
  onRequest: NetworkHandlers['onRequest'],
  limits: Partial<Limits> = {},
): Promise<[Node[], Node, string]> {
  const nodes = await startMembers(2, { handlers: { onRequest }, limits })
  await eventually(() => isFullMesh(nodes))
  const [a, b] = nodes
  if (a === undefined || b === undefined) throw new Error('not a pair')
  return [nodes, a, b.identity.peerId]
}

export function connected(node: Node): string[] {
  return node.network
    .peers()
    .filter((peer) => peer.connected)
    .map((peer) => peer.peerId)
}

export function isFullMesh(nodes: Node[]): boolean {
  return nodes.every((node) => connected(node).length === nodes.length - 1)
}

export async function closeAll(nodes: Node[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.network.close()))
}

/** Milliseconds until it holds, or an error that shows what was the case instead. */
export function eventually(
  check: () => boolean,
  deadlineMs = 20_000,
  instead: () => unknown = () => '',
): Promise<number> {
  const start = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - start
    if (check()) resolve(elapsedMs)
    else if (elapsedMs > deadlineMs) {
      reject(new Error(`not within ${deadlineMs} ms: ${JSON.stringify(instead())}`))
    }
  }, 2)
  return promise.finally(() => clearInterval(timer))
}

/** The best of three, for figures that a busy computer may spoil now and then. */
export async function bestMs(targetMs: number, measure: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3 && best >= targetMs; round += 1) {
    best = Math.min(best, await measure())
  }
  return best
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen()))
  const ports = servers.map((server) => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  })
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

function listen(): Promise<ReturnType<typeof createServer>> {
  const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof createServer>>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => resolve(server))
  return promise
}

export function numbered(index: number, bytes = 200): Uint8Array {
  const frame = new Uint8Array(bytes)
  new DataView(frame.buffer).setUint32(0, index)
  return frame
}

export function numberOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0)
}
