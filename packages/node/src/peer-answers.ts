// What an operator asks about single peers, and decides about them: the book of this node, its
// connections, and the way to a peer step by step.

import { createConnection } from 'node:net'
import { lookup } from 'node:dns/promises'
import type { AdminPeersHandlers, AdminPeers, Peer, PeerOutcome, PeerProbe } from '@mooring/api'
import { Refusal } from '@mooring/api'
import { type Network, NetworkError, type PeerInfo } from '@mooring/network'
import type { Members } from './members.ts'
import type { NodeOptions } from './load-options.ts'
import { describeEnd, type PeerBook } from './peer-book.ts'

export interface PeerAnswersModules {
  options: { p2p: Pick<NodeOptions['p2p'], 'allow'> }
  book: PeerBook
  network: Network
  members: Pick<Members, 'list'>
  addressesOf: (peerId: string) => readonly string[]
  peers: () => Peer[]
  now: () => number
}

type Step = PeerProbe['steps'][number]

const TCP_MS = 5_000

export function createPeerAnswers(modules: PeerAnswersModules): AdminPeersHandlers {
  const { book, network } = modules
  const list = (): AdminPeers => listed(modules)
  return {
    list,
    add: (peer) => book.add(peer).then(list),
    remove: (peerId) => book.remove(peerId).then(list),
    ban: ({ targets, reason, forMs }) => book.ban(targets, reason, forMs).then(list),
    unban: (targets) => book.unban(targets).then(list),
    async connect(peerId) {
      requireKnown(modules, peerId)
      return outcomeOf(peerId, await network.connect(peerId).catch(networkError))
    },
    disconnect(peerId) {
      requireKnown(modules, peerId)
      network.hangUp(peerId, 'the operator of this node closed it')
      return outcomeOf(peerId, null, false)
    },
    async ping(peerId, count) {
      requireKnown(modules, peerId)
      const roundTripsMs: (number | null)[] = []
      for (let at = 0; at < count; at += 1) roundTripsMs.push(await measured(network, peerId))
      return { peerId, roundTripsMs }
    },
    probe: (peerId) => probe(modules, peerId),
  }
}

function listed({ book, members, options, peers }: PeerAnswersModules): AdminPeers {
  return {
    items: peers(),
    booked: book.peers.map((peer) => ({ ...peer, addresses: [...peer.addresses] })),
    bans: book.bans.map((ban) => ({ ...ban, name: nameIn(members, ban.target) })),
    allow: options.p2p.allow,
  }
}

function nameIn(members: Pick<Members, 'list'>, peerId: string): string | null {
  return members.list.find((member) => member.peerId === peerId)?.name ?? null
}

/** @throws Refusal for whom this node would not speak with at all */
function requireKnown({ book, network }: PeerAnswersModules, peerId: string): PeerInfo {
  const ban = book.banOf(peerId)
  if (ban !== undefined) {
    const detail = `${peerId} may not connect until ${describeEnd(ban)}: ${ban.reason}`
    throw new Refusal('peer_is_banned', detail)
  }
  if (peerId === network.peerId) throw new Refusal('peer_is_self', `${peerId} is this node itself.`)
  const peer = network.peers().find((each) => each.peerId === peerId)
  if (peer !== undefined) return peer
  throw new Refusal('peer_unknown', `${peerId} is no member, and the local list does not name it.`)
}

/** Only a failure of the network is an answer. */
function networkError(error: unknown): NetworkError {
  if (error instanceof NetworkError) return error
  throw error
}

function outcomeOf(
  peerId: string,
  error: NetworkError | null | void,
  connected = !error,
): PeerOutcome {
  return { peerId, connected, code: error?.code ?? null, detail: error?.message ?? null }
}

async function measured(network: Network, peerId: string): Promise<number | null> {
  try {
    return await network.ping(peerId)
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'timeout') return null
    throw error instanceof NetworkError ? new Refusal(error.code, error.message) : error
  }
}

/** TCP to each address, then the handshake, then the hello; the first that fails says where it ends. */
async function probe(modules: PeerAnswersModules, peerId: string): Promise<PeerProbe> {
  const { network, addressesOf, now } = modules
  const { connected } = requireKnown(modules, peerId)
  const addresses = addressesOf(peerId)
  const steps: Step[] = []
  for (const address of addresses) steps.push(await knock(address, now))
  if (addresses.length === 0) {
    const detail = 'no address is known: it has to dial this node'
    steps.push({ step: 'address', address: null, ok: connected, ms: null, detail })
  }
  const isReached = connected || steps.some(({ ok }) => ok)
  if (isReached) steps.push(await meet(network, peerId, connected, now))
  const peer = network.peers().find((each) => each.peerId === peerId)
  const name = peer === undefined || peer.name === peerId ? null : peer.name
  const ok = peer?.connected === true
  return { peerId, name, ok, height: peer?.height ?? null, steps }
}

async function meet(
  network: Network,
  peerId: string,
  wasConnected: boolean,
  now: () => number,
): Promise<Step> {
  const since = now()
  const error = await network.connect(peerId).catch(networkError)
  const ms = wasConnected ? null : now() - since
  if (error) return { step: 'hello', address: null, ok: false, ms, detail: error.message }
  const rtt = await measured(network, peerId)
  const found = wasConnected ? 'it is connected' : 'its key, its network and its version fit'
  const trip = rtt === null ? '' : `, a round trip takes ${rtt} ms`
  return { step: 'hello', address: null, ok: true, ms, detail: `${found}${trip}` }
}

async function knock(address: string, now: () => number): Promise<Step> {
  const [, kind = '', host = '', , port = ''] = address.split('/')
  const since = now()
  const step = { step: 'tcp', address }
  try {
    const family = kind.endsWith('6') ? 6 : kind.endsWith('4') ? 4 : 0
    const found = kind.startsWith('dns') ? (await lookup(host, { family })).address : host
    await connectOnce(found, Number(port))
    const via = found === host ? '' : ` (${found})`
    return { ...step, ok: true, ms: now() - since, detail: `something listens there${via}` }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { ...step, ok: false, ms: now() - since, detail }
  }
}

function connectOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: TCP_MS })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('timeout', () => {
      socket.destroy()
      reject(new Error(`no answer within ${TCP_MS / 1_000} s`))
    })
    socket.once('error', reject)
  })
}
