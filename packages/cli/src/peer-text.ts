// Peers as an operator reads them: who is connected, who should be, and what was decided here.

import type { AdminPeers, PeerBan, PeerProbe } from '@mooring/api'
import { formatFields, formatTable, type Output, shortPeerId } from './output.ts'

export type PeerRow = {
  peerId: string
  name: string
  state: 'connected' | 'away' | 'banned'
  rttMs: number | null
  height: number | null
  direction: 'inbound' | 'outbound' | null
  addresses: readonly string[]
  note: string | null
  ban: PeerBan | null
  lastError: string | null
}

/** Everybody there is something to say about, bans of computers apart. */
export function rowsOf({ items, booked, bans }: AdminPeers): PeerRow[] {
  const ids = [...items, ...booked].map(({ peerId }) => peerId)
  const targets = bans.map(({ target }) => target).filter((target) => !isHost(target))
  return [...new Set([...ids, ...targets])].map((peerId): PeerRow => {
    const peer = items.find((each) => each.peerId === peerId)
    const entry = booked.find((each) => each.peerId === peerId)
    const ban = bans.find(({ target }) => target === peerId) ?? null
    const name = peer?.name ?? ban?.name ?? peerId
    return {
      peerId,
      name: name === peerId ? '–' : name,
      state: ban !== null ? 'banned' : peer?.connected === true ? 'connected' : 'away',
      rttMs: peer?.rttMs ?? null,
      height: peer?.height ?? null,
      direction: peer?.direction ?? null,
      addresses: entry?.addresses ?? [],
      note: entry?.note ?? null,
      ban,
      lastError: peer?.connected === true ? null : (peer?.lastError ?? null),
    }
  })
}

/** Peer ids begin with 12D3KooW: an address of a computer has a dot or a colon. */
export function isHost(target: string): boolean {
  return /[.:]/.test(target)
}

export function formatPeers(peers: AdminPeers, output: Output): string {
  const table = formatTable(rowsOf(peers), [
    { title: 'name', value: ({ name }) => name },
    { title: 'peer id', value: ({ peerId }) => shortPeerId(peerId) },
    {
      title: 'state',
      value: ({ state }) => (state === 'connected' ? output.good(state) : state),
    },
    { title: 'rtt', value: ({ rttMs }) => formatMs(rttMs), align: 'right' },
    {
      title: 'height',
      value: ({ height }) => (height === null ? '–' : String(height)),
      align: 'right',
    },
    { title: 'why', value: whyOf },
  ])
  const hosts = peers.bans.filter(({ target }) => isHost(target))
  const lines = hosts.map((ban) => `banned  ${ban.target}  ${describeBan(ban)}`)
  return [table.trimEnd(), ...lines].join('\n')
}

function whyOf({ ban, lastError, note, addresses }: PeerRow): string {
  if (ban !== null) return describeBan(ban)
  if (lastError !== null) return lastError
  const place = addresses.length === 0 ? '' : `dialled at ${addresses.join(', ')}`
  return [place, note ?? ''].filter((part) => part !== '').join('; ')
}

export function describeBan({ reason, until }: PeerBan): string {
  const end = until === null ? 'until it is lifted' : `until ${until}`
  return reason === '' ? end : `${end}: ${reason}`
}

function formatMs(ms: number | null): string {
  if (ms === null) return '–'
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

export function formatPeer(row: PeerRow): string {
  return formatFields([
    ['peer', row.peerId],
    ['name', row.name],
    ['state', row.state],
    ['direction', row.direction ?? '–'],
    ['round trip', formatMs(row.rttMs)],
    ['height', row.height === null ? '–' : String(row.height)],
    ...row.addresses.map((address) => ['dialled at', address] as const),
    ...(row.note === null || row.note === '' ? [] : [['note', row.note] as const]),
    ...(row.ban === null ? [] : [['banned', describeBan(row.ban)] as const]),
    ...(row.lastError === null ? [] : [['last error', row.lastError] as const]),
  ])
}

export function formatProbe({ steps, peerId, name, ok }: PeerProbe, output: Output): string {
  const lines = steps.map(({ step, address, ok: isTaken, ms, detail }) => {
    const mark = isTaken ? output.good('[ ok ]') : output.bad('[fail]')
    const time = ms === null ? '' : formatMs(ms)
    return `${mark} ${step.padEnd(10)}${time.padStart(9)}  ${address ?? ''}${address === null ? '' : '  '}${detail}`
  })
  const who = name === null ? peerId : `${name} (${peerId})`
  return [`${who} ${ok ? 'is connected' : 'is not connected'}`, ...lines].join('\n')
}

export function formatPings(roundTripsMs: readonly (number | null)[]): string {
  const answers = roundTripsMs.filter((ms) => ms !== null)
  const lines = roundTripsMs.map((ms) => (ms === null ? 'no answer' : formatMs(ms)))
  if (answers.length === 0) return lines.join('\n')
  const mean = answers.reduce((sum, ms) => sum + ms, 0) / answers.length
  const spread = `min ${formatMs(Math.min(...answers))}  mean ${formatMs(mean)}  max ${formatMs(Math.max(...answers))}`
  return [...lines, `${answers.length} of ${roundTripsMs.length} answered  ${spread}`].join('\n')
}
