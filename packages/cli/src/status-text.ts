// The status of a node on one screen, and of several in a table.

import type { Peer, Status } from '@mooring/api'
import { wrap } from '@mooring/node/error-text'
import {
  formatAge,
  formatAmount,
  formatBytes,
  formatCount,
  formatFields,
  formatSeconds,
  formatTable,
  type Output,
  shortDigest,
  shortPeerId,
} from './output.ts'

function formatFinality({ finalityP50Ms, finalityP95Ms }: Status['chain']): string {
  if (finalityP50Ms === null || finalityP95Ms === null) return ''
  return `finality ${formatSeconds(finalityP50Ms)} p50 / ${formatSeconds(finalityP95Ms)} p95`
}

// Negative: so many must come back before blocks are final again.
function formatTolerance(tolerates: number): string {
  return tolerates >= 0 ? `tolerates ${tolerates}` : `${-tolerates} too few`
}

// A node tells of one authority after the other; here each has a line of its own.
export function formatDetail(detail: string): string[] {
  return detail.split('; ').flatMap((clause) => wrap(clause, '  '))
}

export function formatStall(status: Status, output: Output): string {
  const { consensus, chain } = status
  const { stall, quorum, authorities, live, view, waitingMs } = consensus
  if (stall === null) return ''
  const waited = `no block finalized for ${formatSeconds(waitingMs)}`
  const where = `at height ${formatCount(chain.height)}, view ${formatCount(view)}`
  const number = stall.mor === null ? '' : ` (${stall.mor})`
  const lines = [
    output.bad(`stalled: ${waited} ${where}${number}`),
    `  need ${quorum} of ${authorities} authorities, see ${live}`,
  ]
  return [...lines, ...formatDetail(stall.detail)].join('\n')
}

function formatKept({ prunedTo, base, holds }: Status['storage']): string {
  const pruned = prunedTo > 0 ? `, bodies above ${formatCount(prunedTo)}` : ''
  const begun = base > 0 ? `, begun with a snapshot above ${formatCount(base)}` : ''
  const held = holds.length > 0 ? `, held by ${holds.join(', ')}` : ''
  return `${pruned}${begun}${held}`
}

// Only while blocks come in from others, and for those who sent wrong ones.
function formatSync(sync: Status['sync'], height: number): [string, string][] {
  const { target, blocksPerSecond, peers, bad } = sync
  const lines: [string, string][] = []
  if (sync.active && target > height) {
    const left = blocksPerSecond > 0 ? ((target - height) / blocksPerSecond) * 1_000 : null
    const rest = left === null ? '' : `, ~${formatSeconds(left)} left`
    const from = peers.length > 0 ? ` from ${peers.join(', ')}` : ''
    const pace = `${formatCount(blocksPerSecond)} blocks/s`
    lines.push(['syncing', `to ${formatCount(target)}, ${pace}${from}${rest}`])
  }
  if (bad.length > 0) {
    const names = bad.map(({ name, reason, count }) => `${name} (${reason}, ${count}×)`)
    lines.push(['bad peers', names.join(', ')])
  }
  return lines
}

type Held = { custodians: number; shards: number; bytes: number }

export function formatHeld({ custodians, shards, bytes }: Held): string {
  return `${formatAmount(shards, 'shard')} of ${formatAmount(custodians, 'custodian')}, ${formatBytes(bytes)}`
}

function formatHolder({ damaged, ...held }: Status['holder']): string {
  if (held.shards === 0) return 'nothing for others'
  const rest = damaged === 0 ? '' : `, ${formatCount(damaged)} damaged`
  return `${formatHeld(held)}${rest}`
}

export function formatStatus(status: Status, output: Output, now: Date): string {
  const { node, network, chain, consensus, peers, mempool, records, storage, sync, alarms } = status
  const behind = chain.bestKnownHeight - chain.height
  const free = storage.freeBytes === null ? '' : `, ${formatBytes(storage.freeBytes)} free`
  const fields: [string, string][] = [
    [
      'node',
      `${node.name}  ${shortPeerId(node.peerId)}  ${node.role}  mooring ${node.version} (node ${node.runtime})`,
    ],
    ['network', `${network.id}  ${network.name}  protocol v${network.protocolVersion}`],
    [
      'chain',
      [
        `height ${formatCount(chain.height)}`,
        `digest ${shortDigest(chain.digest)}`,
        formatAge(chain.time, now),
        formatFinality(chain),
        behind > 0 ? `${formatCount(behind)} behind` : '',
      ]
        .filter((part) => part !== '')
        .join('  '),
    ],
    [
      'consensus',
      `epoch ${formatCount(consensus.epoch)}, view ${formatCount(consensus.view)}, leader ${consensus.leader}  ${consensus.live}/${consensus.authorities} authorities live, quorum ${consensus.quorum}, ${formatTolerance(consensus.tolerates)}`,
    ],
    ['peers', `${peers.connected} connected of ${peers.members} members`],
    ['mempool', `${formatCount(mempool.transactions)} waiting, ${formatBytes(mempool.bytes)}`],
    [
      'records',
      `${formatCount(records.accepted)} taken, ${formatCount(records.anchored)} anchored`,
    ],
    ['keeps', formatHolder(status.holder)],
    [
      'storage',
      `${storage.bytes === null ? '–' : `${formatBytes(storage.bytes)}${free}`}${formatKept(storage)}`,
    ],
    ...formatSync(sync, chain.height),
    ['alarms', alarms.length === 0 ? 'none' : `${alarms.length}`],
  ]
  const lines = [formatFields(fields)]
  for (const alarm of alarms) {
    lines.push(output.bad(`  ${alarm.severity}  ${alarm.detail} (${alarm.mor ?? alarm.code})`))
  }
  const stall = formatStall(status, output)
  return [...lines, ...(stall === '' ? [] : [stall])].join('\n')
}

const orDash = <T>(value: T | null, format: (value: T) => string) =>
  value === null ? '–' : format(value)

export function formatPeers(peers: readonly Peer[]): string {
  return formatTable(peers, [
    { title: 'peer', value: (peer) => peer.name },
    { title: 'peer id', value: (peer) => shortPeerId(peer.peerId) },
    { title: 'state', value: (peer) => (peer.connected ? 'connected' : 'away') },
    { title: 'height', value: (peer) => orDash(peer.height, formatCount), align: 'right' },
    {
      title: 'rtt',
      value: (peer) => orDash(peer.rttMs, (ms) => `${ms.toFixed(1)} ms`),
      align: 'right',
    },
    {
      title: 'heard',
      value: (peer) => orDash(peer.lastHeardMs, (ms) => `${formatSeconds(ms)} ago`),
    },
    { title: 'last error', value: (peer) => (peer.connected ? '' : (peer.lastError ?? '')) },
  ])
}
