// The network of a node: who is let in, where each is dialled, which part hears what; and what it does with
// votes that contradict each other: both speak to parts that exist only later.

import { formatPeerId } from '@mooring/crypto'
import { authoritySet, organisations } from '@mooring/ledger'
import { type Member, type Network, type NetworkHandlers, startNetwork } from '@mooring/network'
import { addressesOf } from './address-hints.ts'
import { AuthoritySets } from './authority-sets.ts'
import { answerBlockRequest } from './block-server.ts'
import { candidatesIn } from './candidates.ts'
import { systemClock } from './clock.ts'
import { answerClockRequest } from './clock-offsets.ts'
import type { Ground } from './ground.ts'
import { membersOf } from './members.ts'
import { GossipTurns } from './gossip-turns.ts'
import { NodeError } from './node-error.ts'
import { Offences } from './offences.ts'
import { PeerBook } from './peer-book.ts'
import { WIRE_VERSIONS } from './protocol.ts'
import { ReachBack } from './reach-back.ts'
import { answerSnapshotRequest } from './snapshot-exchange.ts'

export interface Peering {
  book: PeerBook
  network: Network
  /** Where a peer is dialled. */
  addressesOf: (peerId: string) => string[]
}

/** `start` is the network's own unless a rehearsal puts itself in between. */
export async function openNetwork(
  { options, late, stores, logger, metrics }: Ground,
  start: typeof startNetwork = startNetwork,
): Promise<Peering> {
  const { p2p } = options
  const p2pLogger = logger.module('p2p')
  const { chain } = stores
  const members = membersOf(organisations(chain.state()), authoritySet(chain.state()))
  const membersNow = (): readonly Member[] => late.agreement?.members.list ?? members
  const candidates = () => candidatesIn(late.agreement?.execution.finalState() ?? chain.state())
  const reachBack = new ReachBack({
    clock: systemClock,
    addressesOf: (peerId) => addresses(peerId),
  })
  const turns = new GossipTurns()
  const handlers: NetworkHandlers = {
    onMessage: (peerId, _lane, frame) => late.agreement?.onFrame(peerId, frame),
    onTransactions: (peerId, data) =>
      late.agreement?.judgeTransactions(peerId, data, turns) ?? 'ignore',
    onRequest: (peerId, protocol, payload) => {
      if (protocol === 'clock') return Promise.resolve(answerClockRequest(systemClock))
      if (protocol === 'reach') return reachBack.answer(peerId)
      if (protocol === 'snapshot') return answerSnapshotRequest(payload, options.snapshotsDir)
      const execution = late.agreement?.execution
      if (execution === undefined || late.vault === null)
        return Promise.reject(new NodeError('not_ready', {}))
      if (protocol === 'records') return late.vault.onRequest(peerId, payload)
      return Promise.resolve(answerBlockRequest(payload, { chain, execution }))
    },
    onPeer: (peerId, event) => {
      late.agreement?.onPeers()
      if (event === 'connected') late.offences?.greet(peerId)
      const name = membersNow().find((member) => member.peerId === peerId)?.name ?? ''
      if (event === 'connected') late.custodian?.placing.wake(name)
      if (event === 'connected') late.erasures?.wake(name)
      late.feed?.tellPeer({ peerId, name, connected: event === 'connected' })
    },
    onJudged: (topic, _verdict, ms) => metrics.gossipValidation.observe({ topic }, ms / 1_000),
    onHello: (peerId, { height }) => late.agreement?.noteHeight(peerId, height),
    status: () => ({ height: chain.tip.height }),
  }
  const ownPeerId = formatPeerId(options.keys.transport.publicKey)
  const isMember = (peerId: string) => membersNow().some((member) => member.peerId === peerId)
  const book = await PeerBook.open(
    { home: options.home, ownPeerId, allow: p2p.allow, allowList: p2p.allowList },
    { clock: systemClock, isMember },
  )
  const addresses = (peerId: string): string[] => [
    ...(book.addressesOf(peerId) ??
      addressesOf(peerId, p2p.peers, late.agreement?.execution.tip.view ?? chain.state())),
  ]
  const network = await start(
    {
      listen: [...p2p.listen],
      announce: [...p2p.announce],
      transportSeed: options.keys.transport.seed,
      networkId: options.networkId,
      genesisDigest: options.genesisDigest,
      protocolVersions: WIRE_VERSIONS,
      members: () => (p2p.allow === 'list' ? [] : [...candidates(), ...membersNow()]),
      addresses,
      local: () => book.list(),
      limits: { connectionsMax: p2p.maxPeers },
      log: (level, sentence, fields) => p2pLogger.log(level, sentence, fields),
    },
    handlers,
  )
  book.onChange(() => network.refresh())
  return { book, network, addressesOf: addresses }
}

export function createOffences(
  { options, stores, late, logger }: Ground,
  network: Network,
): Offences {
  return new Offences({
    store: stores.evidence,
    sets: new AuthoritySets(options.genesis, stores.chain),
    genesisDigest: options.genesisDigest,
    clock: systemClock,
    logger: logger.module('agreement'),
    peers: () => network.peers().flatMap(({ peerId, connected }) => (connected ? [peerId] : [])),
    send: (peerId, frame) => network.send(peerId, 'urgent', frame),
    blame: (peerId, reason) => network.disconnect(peerId, reason),
    onNew: (offence) => late.serving?.noteOffence(offence),
    onFatal: late.fail,
  })
}
