// What it takes other members to see: whether each is reached and how fast, whether their clocks agree with
// ours, whether they reach us, and whether they have the same chain.

import { equalBytes } from '@mooring/codec'
import { blockDigest, decodeBlock } from '@mooring/ledger'
import type { Network } from '@mooring/network'
import { decodeBlockAnswer, encodeBlockRequest } from './block-exchange.ts'
import { doubtful, failed, fine, type Found, type PlannedCheck } from './checks.ts'
import type { NodeParts } from './node-parts.ts'
import { decodeReached } from './reach-back.ts'

const ANSWER_MS = 8_000
const SKEW_WARN_MS = 250
const SKEW_FAIL_MS = 500
const ASKED_MAX = 3
/** Blocks that every member should have by now. */
const DEPTH = 5
const ANSWER_BYTES = 1 << 20

export type MemberParts = Pick<NodeParts, 'members' | 'execution' | 'chain' | 'clocks'> & {
  network: Pick<Network, 'peerId' | 'peers' | 'request'>
}

export function memberChecks(parts: MemberParts): PlannedCheck[] {
  const area = 'members'
  return [
    { area, name: 'connections', look: () => connectionsOf(parts) },
    { area, name: 'delays', look: () => delaysOf(parts) },
    { area, name: 'clocks', look: () => clocksOf(parts) },
    { area, name: 'dial_back', look: () => dialBackOf(parts) },
    { area, name: 'checkpoints', look: () => checkpointsOf(parts) },
  ]
}

function connectionsOf({ network, members }: MemberParts): Found {
  const others = members.list.filter(({ peerId }) => peerId !== network.peerId)
  if (others.length === 0) return fine('There are no other members.')
  const peers = new Map(network.peers().map((peer) => [peer.peerId, peer]))
  const away = others.filter(({ peerId }) => peers.get(peerId)?.connected !== true)
  if (away.length === 0) return fine(`All ${others.length} other members are connected.`)
  const said = away.map(({ name, peerId }) => {
    const reason = peers.get(peerId)?.lastError?.message ?? 'not dialled yet'
    return `${name}: ${reason}`
  })
  const detail = `${away.length} of ${others.length} members are away. ${said.join('; ')}.`
  const advice = 'Measure one of them:   mooring peer probe <name>'
  return away.length === others.length ? failed(detail, advice) : doubtful(detail, advice)
}

function delaysOf({ network, execution }: MemberParts): Found {
  const { deltaMs } = execution.parameters
  const measured = network
    .peers()
    .flatMap(({ name, rttMs }) => (rttMs === null ? [] : [{ name, rttMs }]))
  if (measured.length === 0) return fine('No round trip has been measured yet.')
  const sorted = measured.toSorted((a, b) => a.rttMs - b.rttMs)
  const slowest = sorted[Math.ceil(sorted.length * 0.95) - 1]
  if (slowest === undefined) return fine('No round trip has been measured yet.')
  const detail = `A round trip to ${slowest.name} takes ${slowest.rttMs.toFixed(1)} ms; Δ of the network is ${deltaMs} ms.`
  if (slowest.rttMs <= deltaMs) return fine(detail)
  return doubtful(detail, 'Members can agree on a larger Δ:   mooring change propose parameters')
}

function clocksOf({ clocks, members, network }: MemberParts): Found {
  const offset = clocks.offsetMs()
  if (offset === null) return fine('No other clock is known yet.')
  const worst = members.list
    .filter(({ peerId }) => peerId !== network.peerId)
    .flatMap(({ name, peerId }) => {
      const skewMs = clocks.skewMs(peerId)
      return skewMs === null ? [] : [{ name, skewMs }]
    })
    .toSorted((a, b) => Math.abs(b.skewMs) - Math.abs(a.skewMs))[0]
  const other =
    worst === undefined ? '' : ` ${worst.name} is ${worst.skewMs.toFixed(0)} ms from us.`
  const detail = `This clock is ${offset.toFixed(0)} ms from the median of all.${other}`
  const advice = 'Let chrony, ntpd or systemd-timesyncd keep the time.'
  if (Math.abs(offset) > SKEW_FAIL_MS) return failed(detail, advice)
  return Math.abs(offset) > SKEW_WARN_MS ? doubtful(detail, advice) : fine(detail)
}

/** The first that can is believed: a member that does not know an address of ours says nothing about it. */
async function dialBackOf({ network }: MemberParts): Promise<Found> {
  const connected = network.peers().filter((peer) => peer.connected)
  if (connected.length === 0) return doubtful('Nobody is connected who could try.', '')
  const silent: string[] = []
  for (const { peerId, name } of connected.slice(0, ASKED_MAX)) {
    const knocked = await reachedBy(network, peerId)
    if (knocked === null) continue
    if (knocked.length === 0) silent.push(name)
    const good = knocked.find(({ ok }) => ok)
    if (good !== undefined) return fine(`${name} reaches this node at ${good.address}.`)
    const said = knocked.map(({ address, detail }) => `${address} ${detail}`)
    if (said.length > 0) {
      const advice = 'Open the port to the members, and tell the address:   [p2p] announce'
      return failed(`${name} does not reach this node: ${said.join('; ')}.`, advice)
    }
  }
  const who =
    silent.length === 0 ? 'Nobody answered' : `${silent.join(', ')} know no address of ours`
  return doubtful(`${who}; this node dials them.`, 'Give them the address:   mooring network info')
}

async function reachedBy(network: MemberParts['network'], peerId: string) {
  try {
    const payload = new Uint8Array()
    return decodeReached(await network.request(peerId, 'reach', payload, { timeoutMs: ANSWER_MS }))
  } catch {
    // It went away, or does not know the question: another one is asked.
    return null
  }
}

async function checkpointsOf({ network, chain }: MemberParts): Promise<Found> {
  const height = chain.tip.height - DEPTH
  const header = height > chain.base ? chain.getHeader(height) : undefined
  if (header === undefined) return fine('The chain is too short to compare.')
  const same: string[] = []
  const other: string[] = []
  for (const { peerId, name, connected } of network.peers()) {
    if (!connected || same.length + other.length >= ASKED_MAX) continue
    const theirs = await digestAt(network, peerId, height)
    if (theirs === null) continue
    const own = chain.getBlock(height)
    const isSame = own !== undefined && equalBytes(blockDigest(decodeBlock(own).header), theirs)
    if (isSame) same.push(name)
    else other.push(name)
  }
  if (other.length > 0) {
    const detail = `At height ${height} another block is final at ${other.join(', ')} (MOR-1207).`
    return failed(detail, 'Keep both homes as they are, and tell the members.')
  }
  const who = same.length === 0 ? 'nobody could be asked' : same.join(', ')
  const detail = `The block at height ${height} is the same at ${who}.`
  return same.length >= 2 ? fine(detail) : doubtful(detail, 'Two members at least should be asked.')
}

async function digestAt(network: MemberParts['network'], peerId: string, height: number) {
  const body = { from: height, to: height, bytesMax: ANSWER_BYTES }
  const payload = encodeBlockRequest({ kind: 'range', body })
  try {
    const answer = await network.request(peerId, 'blocks', payload, { timeoutMs: ANSWER_MS })
    const [first] = decodeBlockAnswer(answer)
    if (first === undefined) return null
    const { header } = decodeBlock(first.block)
    return header.height === height ? blockDigest(header) : null
  } catch {
    return null
  }
}
