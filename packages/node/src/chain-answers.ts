// What this node tells of the chain and of itself, and the door for transactions: the part of the API
// that has nothing to do with records.

import type {
  ApiHandlers,
  Block,
  BlockName,
  BlockSummary,
  Peer,
  Transaction,
  TransactionOutcome,
} from '@mooring/api'
import { fromHex, toHex } from '@mooring/codec'
import { decodeCertificate } from '@mooring/consensus'
import { signersOf } from '@mooring/crypto'
import {
  decodeBlock,
  type DecodedTransaction,
  decodeHeader,
  decodeReceipts,
  decodeTransaction,
  formatGenesisJson,
  type Header,
  blockDigest,
} from '@mooring/ledger'
import type { PeerInfo } from '@mooring/network'
import { contentOf, summaryOfTransaction } from './change-text.ts'
import { summaryOf } from './event-feed.ts'
import { createMembershipAnswers, type MembershipAnswers } from './membership-answers.ts'
import { NodeError } from './node-error.ts'
import type { NodeParts } from './node-parts.ts'
import { unlessPruned } from './pruned.ts'
import { type StatusModules, statusOf } from './status.ts'
import type { Submitted } from './submitted.ts'
import { Waiters } from './waiters.ts'

export type ChainAnswers = Pick<
  ApiHandlers,
  | 'status'
  | 'genesis'
  | 'peers'
  | 'blocks'
  | 'block'
  | 'transaction'
  | 'submitTransactions'
  | 'waitForTransactions'
> &
  MembershipAnswers & { close(): void }

export interface AnswerModules extends StatusModules {
  /** A transaction was refused at the door, with this code. */
  onRefused: (code: string) => void
}

export function createChainAnswers(parts: NodeParts, modules: AnswerModules): ChainAnswers {
  const { committer, chain, network } = parts
  const waiters = new Waiters({
    committer,
    heightOf: (id) => chain.getTransaction(fromHex(id))?.height,
  })
  return {
    status: () => statusOf(parts, modules),
    ...createMembershipAnswers(parts, (id) => finalTransaction(parts, id)?.decoded),
    ...blockReading(parts),
    peers: () => network.peers().map((peer) => peerOf(peer, parts)),
    transaction: (id) => Promise.resolve(transactionOf(parts, id) ?? waitingOf(parts, id)),
    // All are admitted in their order before the first of them waits for the disk.
    submitTransactions: (transactions) => {
      refuseOnLowDisk(parts, modules)
      return submitAll(parts, transactions, modules.onRefused)
    },
    waitForTransactions: (ids, signal) => waiters.wait(ids, signal),
    close: () => waiters.close(),
  }
}

/** What a chain alone can answer. */
export type BlockGround = Pick<NodeParts, 'chain' | 'sets'> & {
  options: Pick<NodeParts['options'], 'genesis' | 'genesisDigest'>
}

export function blockReading(
  ground: BlockGround,
): Pick<ApiHandlers, 'genesis' | 'blocks' | 'block' | 'transaction'> {
  const digest = toHex(ground.options.genesisDigest)
  const json = formatGenesisJson(ground.options.genesis)
  return {
    genesis: () => ({ digest, json }),
    blocks: ({ before, limit }) => Promise.resolve(summaries(ground, before, limit)),
    block: (name) => Promise.resolve(blockOf(ground, name)),
    transaction: (id) => Promise.resolve(transactionOf(ground, id)),
  }
}

/** What was accepted before goes on into blocks; nothing new comes in. */
function refuseOnLowDisk({ options }: NodeParts, { disk }: Pick<AnswerModules, 'disk'>): void {
  const { freeBytes } = disk.current()
  if (freeBytes !== null && freeBytes < options.storage.minFreeBytes)
    throw new NodeError('disk_low')
}

async function submitAll(
  { mempool }: NodeParts,
  transactions: readonly Uint8Array[],
  onRefused: (code: string) => void,
): Promise<TransactionOutcome[]> {
  const outcomes = await mempool.submitAll(transactions)
  return outcomes.map((submitted: Submitted) => {
    if (submitted.status !== 'rejected') return submitted
    const { status, id, code, detail } = submitted
    onRefused(code)
    return { status, id, code, detail }
  })
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
  for (let at = top; at > chain.base && found.length < limit; at -= 1) {
    const header = headerAt(chain, at)
    if (header !== undefined) found.push(summaryOf(header, blockDigest(header)))
  }
  return found
}

function headerAt(chain: NodeParts['chain'], height: number): Header | undefined {
  const encoded = chain.getHeader(height)
  return encoded === undefined ? undefined : decodeHeader(encoded)
}

function blockOf(parts: BlockGround, name: BlockName): Block | undefined {
  const { chain } = parts
  const encoded = unlessPruned('The block was final, and its body was dropped', () =>
    chain.getBlock(placeOf(name, chain)),
  )
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
    contents: ids.map(({ transaction, kind, organisation, sequence }) => ({
      id: toHex(transaction),
      kind,
      organisation,
      sequence,
    })),
    finalization: finalizationOf(parts, header.height),
  }
}

function placeOf(name: BlockName, chain: NodeParts['chain']): number | Uint8Array {
  if (name === 'latest') return chain.tip.height
  return 'height' in name ? name.height : fromHex(name.digest)
}

function finalizationOf({ chain, sets }: BlockGround, height: number): Block['finalization'] {
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

interface FinalTransaction {
  decoded: DecodedTransaction
  height: number
  index: number
  time: number
}

function finalTransaction(
  { chain, options }: Pick<BlockGround, 'chain' | 'options'>,
  id: string,
): FinalTransaction | undefined {
  const location = chain.getTransaction(fromHex(id))
  if (location === undefined) return undefined
  const { height, index } = location
  const what = `The transaction is final in block ${height}, at index ${index}, and its body was dropped`
  const encoded = unlessPruned(what, () => chain.getBlock(height))
  const block = encoded === undefined ? undefined : decodeBlock(encoded)
  const bytes = block?.transactions[index]
  if (block === undefined || bytes === undefined) return undefined
  const decoded = decodeTransaction(bytes, options.genesisDigest)
  return { decoded, height, index, time: block.header.time }
}

function waitingOf({ mempool }: Pick<NodeParts, 'mempool'>, id: string): Transaction | undefined {
  const waiting = mempool.get(id)
  if (waiting === undefined) return undefined
  const open = { height: null, index: null, time: null, receipt: null }
  return { ...describe(waiting), status: 'pending', ...open }
}

function transactionOf(parts: BlockGround, id: string): Transaction | undefined {
  const { chain } = parts
  const found = finalTransaction(parts, id)
  if (found === undefined) return undefined
  const { decoded, height, index, time } = found
  return {
    ...describe(decoded),
    status: 'final',
    height,
    index,
    time: new Date(time).toISOString(),
    receipt: receiptOf(chain, height, index),
  }
}

function describe(
  transaction: DecodedTransaction,
): Pick<Transaction, 'id' | 'kind' | 'expiresAt' | 'organisation' | 'summary' | 'body'> {
  const { id, payload } = transaction
  return {
    id: toHex(id),
    kind: payload.kind,
    expiresAt: new Date(payload.expiresAt).toISOString(),
    organisation: payload.body.organisation,
    summary: summaryOfTransaction(transaction),
    body: contentOf(payload),
  }
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
