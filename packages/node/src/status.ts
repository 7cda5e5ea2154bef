// One node at one moment, as `mooring status` shows it.

import type { Status } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { type ConsensusState, leaderOf, quorumOf } from '@mooring/consensus'
import { PROTOCOL_VERSION } from '@mooring/ledger'
import type { DiskUsage } from './disk-usage.ts'
import type { Finality } from './finality.ts'
import type { Health } from './health.ts'
import type { NodeParts } from './node-parts.ts'
import { formatRetention } from './option-values.ts'
import { liveCount, presenceOf } from './presence.ts'

export interface StatusModules {
  health: Pick<Health, 'stall' | 'alarms' | 'waitingMs'>
  finality: Pick<Finality, 'times'>
  disk: Pick<DiskUsage, 'current'>
}

export function statusOf(parts: NodeParts, modules: StatusModules): Status {
  const { mempool, records } = parts
  const { accepted, anchored } = records.counts()
  return {
    node: nodeOf(parts),
    network: {
      name: parts.options.genesis.networkName,
      id: parts.options.networkId,
      protocolVersion: PROTOCOL_VERSION,
    },
    chain: chainOf(parts, modules),
    consensus: consensusOf(parts, modules),
    peers: peersOf(parts),
    mempool: { transactions: mempool.size, bytes: mempool.bytes },
    records: { accepted, anchored },
    holder: parts.holder(),
    storage: storageOf(parts, modules),
    sync: syncOf(parts),
    alarms: [...modules.health.alarms()],
  }
}

/** Whether this node has a vote in the present epoch. */
export function roleOf({ config }: ConsensusState): 'authority' | 'observer' {
  return config.me === null ? 'observer' : 'authority'
}

function nodeOf({ options, network, version, startedAt, driver }: NodeParts): Status['node'] {
  return {
    name: options.name === '' ? network.peerId : options.name,
    peerId: network.peerId,
    role: roleOf(driver()),
    version,
    runtime: process.versions.node,
    startedAt: new Date(startedAt).toISOString(),
  }
}

function chainOf(parts: NodeParts, { finality }: StatusModules): Status['chain'] {
  const { height, digest, time } = parts.chain.tip
  const { p50Ms, p95Ms } = finality.times()
  return {
    height,
    digest: toHex(digest),
    time: new Date(time).toISOString(),
    bestKnownHeight: Math.max(height, parts.bestKnownHeight()),
    finalityP50Ms: p50Ms,
    finalityP95Ms: p95Ms,
  }
}

function consensusOf(parts: NodeParts, { health }: StatusModules): Status['consensus'] {
  const { view, config } = parts.driver()
  const authorities = presenceOf(parts)
  const live = liveCount(authorities)
  const quorum = quorumOf(authorities.length)
  return {
    epoch: config.epoch,
    view,
    leader: parts.members.nameOfIndex(leaderOf(config.epoch, view, config.authorities)),
    authorities: authorities.length,
    live,
    quorum,
    tolerates: live - quorum,
    waitingMs: Math.round(health.waitingMs()),
    missing: authorities.filter(({ isLive }) => !isLive).map(({ name }) => name),
    stall: health.stall(),
  }
}

function peersOf({ network, members }: NodeParts): Status['peers'] {
  const others = members.list.filter(({ peerId }) => peerId !== network.peerId)
  return {
    connected: network.peers().filter(({ connected }) => connected).length,
    members: others.length,
  }
}

function storageOf({ chain, keeping }: NodeParts, { disk }: StatusModules): Status['storage'] {
  const { base, prunedTo } = chain
  const retention = formatRetention(keeping.retention)
  const holds = keeping.holds().map(({ name }) => name)
  return { ...disk.current(), base, prunedTo, retention, holds }
}

function syncOf({ sync }: NodeParts): Status['sync'] {
  const { target, blocksPerSecond, transactionsPerSecond, peers, bad } = sync.progress()
  const pace = { target, blocksPerSecond, transactionsPerSecond }
  return {
    active: sync.isActive,
    ...pace,
    peers: [...peers],
    bad: bad.map((peer) => ({ ...peer })),
  }
}
