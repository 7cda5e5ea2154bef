// What this node tells of the chain and of itself, and the door for transactions: the part of the API
// that has nothing to do with records.

import type {
  ApiHandlers,
  Block,
  BlockName,
  BlockSummary,
  Member,
  Network,
  Peer,
  Transaction,
  TransactionOutcome,
} from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { decodeCertificate, quorumOf } from '@mooring/consensus'
import { formatPeerId, signersOf } from '@mooring/crypto'
import {
  decodeBlock,
  type DecodedTransaction,
  decodeHeader,
  decodeReceipts,
  decodeTransaction,
  formatGenesisJson,
  type Header,
  type Organisation,
  PROTOCOL_VERSION,
  blockDigest,
} from '@mooring/ledger'
import type { PeerInfo } from '@mooring/network'
import { summaryOf } from './event-feed.ts'
import type { Submitted } from './mempool.ts'
import type { NodeParts } from './node-parts.ts'
import { type StatusModules, statusOf } from './status.ts'
import { Waiters } from './waiters.ts'

export type ChainAnswers = Pick<
  ApiHandlers,
  | 'status'
  | 'network'
  | 'genesis'
  | 'members'
  | 'peers'
  | 'blocks'
  | 'block'
  | 'transaction'
  | 'submitTransactions'
  | 'waitForTransactions'
> & { close(): void }

export interface AnswerModules extends StatusModules {
  /** A transaction was refused at the door, with this code. */
  onRefused: (code: string) => void
}

export function createChainAnswers(parts: NodeParts, modules: AnswerModules): ChainAnswers {
  const { options, committer, chain, network } = parts
  const organisations = options.genesis.organisations.map(({ organisation }) => organisation)
  const members = organisations.map(memberOf)
  const digest = toHex(options.genesisDigest)
  const json = formatGenesisJson(options.genesis)
  const waiters = new Waiters({
    committer,
    heightOf: (id) => chain.getTransaction(fromHex(id))?.height,
  })
  return {
    status: () => statusOf(parts, modules),
    network: () => networkOf(parts),
    genesis: () => ({ digest, json }),
    members: () => members,
    peers: () => network.peers().map((peer) => peerOf(peer, parts)),
    blocks: ({ before, limit }) => Promise.resolve(summaries(parts, before, limit)),
    block: (name) => Promise.resolve(blockOf(parts, name)),
    transaction: (id) => Promise.resolve(transactionOf(parts, id)),
    // All are admitted in their order before the first of them waits for the disk.
    submitTransactions: (transactions) =>
      Promise.all(transactions.map((bytes) => submit(parts, bytes, modules.onRefused))),
    waitForTransactions: (ids, signal) => waiters.wait(ids, signal),
    close: () => waiters.close(),
  }
}

async function submit(
  { mempool }: NodeParts,
  bytes: Uint8Array,
  onRefused: (code: string) => void,
): Promise<TransactionOutcome> {
  const submitted: Submitted = await mempool.submit(bytes)
  if (submitted.status !== 'rejected') return submitted
  const { status, id, code, detail } = submitted
  onRefused(code)
  return { status, id, code, detail }
}

function networkOf({ options, execution }: NodeParts): Network {
  const { organisations } = execution.authorities
  return {
    name: options.genesis.networkName,
    networkId: options.networkId,
    genesisDigest: toHex(options.genesisDigest),
    protocolVersion: PROTOCOL_VERSION,
    parameters: { ...execution.parameters },
    authorities: [...organisations],
    quorum: quorumOf(organisations.length),
  }
}

function memberOf({ id, name, legalGroup, roles, keys }: Organisation): Member {
  const byDuty = Object.entries(keys).map(
    ([duty, key]) => [duty, key === null ? null : toHex(key)] as const,
  )
  return {
    id,
    name,
    legalGroup,
    roles: [...roles],
    peerId: formatPeerId(keys.transport),
    keys: Object.fromEntries(byDuty),
  }
}

function peerOf(peer: PeerInfo, { clock, heightOfPeer }: NodeParts): Peer {
  const { peerId, name, connected, direction, rttMs, lastHeard, lastError } = peer
  const silentMs = Math.max(0, Math.round(clock.monotonic() - lastHeard))
  return {
    peerId,
    name,
    connected,
    direction,
    height: heightOfPeer(peerId),
    rttMs,
    lastHeardMs: lastHeard === 0 ? null : silentMs,
    lastError: lastError === null ? null : lastError.message,
  }
}

/** Newest first; genesis is no block. */
function summaries(
  { chain }: Pick<NodeParts, 'chain'>,
  before: number | null,
  limit: number,
): BlockSummary[] {
  const { height } = chain.tip
  const top = before === null ? height : Math.min(before - 1, height)
  const found: BlockSummary[] = []
  for (let at = top; at > 0 && found.length < limit; at -= 1) {
    const header = headerAt(chain, at)
    if (header !== undefined) found.push(summaryOf(header, blockDigest(header)))
  }
  return found
}

function headerAt(chain: NodeParts['chain'], height: number): Header | undefined {
  const encoded = chain.getHeader(height)
  return encoded === undefined ? undefined : decodeHeader(encoded)
}

function blockOf(parts: NodeParts, name: BlockName): Block | undefined {
  const { chain } = parts
  const encoded = chain.getBlock(placeOf(name, chain))
  if (encoded === undefined) return undefined
  const { header, digest } = decodeBlock(encoded)
  const receipts = chain.getReceipts(header.height)
  const ids = receipts === undefined ? [] : decodeReceipts(receipts)
  const { nextAuthoritySetDigest: next } = header
  return {
    ...summaryOf(header, digest),
    parent: toHex(header.parent),
    parentView: header.parentView,
    genesisDigest: toHex(header.genesisDigest),
    transactionRoot: toHex(header.transactionRoot),
    stateRoot: toHex(header.stateRoot),
    historyRoot: toHex(header.historyRoot),
    authoritySetDigest: toHex(header.authoritySetDigest),
    nextAuthoritySetDigest: next === null ? null : toHex(next),
    transactions: ids.map(({ transaction }) => toHex(transaction)),
    finalization: finalizationOf(parts, header.height),
  }
}

function placeOf(name: BlockName, chain: NodeParts['chain']): number | Uint8Array {
  if (name === 'latest') return chain.tip.height
  return 'height' in name ? name.height : fromHex(name.digest)
}

function finalizationOf({ chain, sets }: NodeParts, height: number): Block['finalization'] {
  const found = chain.finalizationAtOrAfter(height)
  if (found === undefined) return null
  const { subject, bitmap, signatures } = decodeCertificate(found.finalization)
  return {
    height: subject.height,
    digest: subject.digest,
    view: subject.view,
    signers: signersOf(bitmap).map((index) => sets.nameOf(subject.epoch, index)),
    quorum: signatures.length,
  }
}

function transactionOf(parts: NodeParts, id: string): Transaction | undefined {
  const { chain, mempool, options } = parts
  const location = chain.getTransaction(fromHex(id))
  if (location === undefined) {
    const waiting = mempool.get(id)
    if (waiting === undefined) return undefined
    const open = { height: null, index: null, time: null, receipt: null }
    return { ...describe(waiting), status: 'pending', ...open }
  }
  const { height, index } = location
  const block = chain.getBlock(height)
  const encoded = block === undefined ? undefined : decodeBlock(block)
  const bytes = encoded?.transactions[index]
  if (encoded === undefined || bytes === undefined) return undefined
  return {
    ...describe(decodeTransaction(bytes, options.genesisDigest)),
    status: 'final',
    height,
    index,
    time: new Date(encoded.header.time).toISOString(),
    receipt: receiptOf(chain, height, index),
  }
}

function describe({
  id,
  payload,
}: DecodedTransaction): Pick<Transaction, 'id' | 'kind' | 'expiresAt'> {
  const { kind, expiresAt } = payload
  return { id: toHex(id), kind, expiresAt: new Date(expiresAt).toISOString() }
}

function receiptOf(
  chain: NodeParts['chain'],
  height: number,
  index: number,
): Transaction['receipt'] {
  const encoded = chain.getReceipts(height)
  const receipt = encoded === undefined ? undefined : decodeReceipts(encoded)[index]
  if (receipt === undefined) return null
  const { outcome, organisation, sequence } = receipt
  return { outcome, organisation, sequence }
}
