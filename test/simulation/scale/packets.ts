/**
 * What travels between the nodes of a run, and how many bytes it takes: those of the real encoding. Blocks and
 * transactions are numbers here, so that theirs are added.
 */
import {
  type Certificate,
  encodeCertificate,
  encodeMessage,
  type Outgoing,
  type Proposal,
  TRANSACTION_NAME_BYTES,
} from '@mooring/consensus'
import { encodeBlockRequest } from '../../../packages/node/src/block-exchange.ts'
import { decodeTransactionBatch } from '../../../packages/node/src/transaction-gossip.ts'
import type { Body } from './chain.ts'

/** A final block as it is served; one of which the server has a finalization has it. */
export interface Served {
  readonly body: Body
  readonly finalization: Certificate | null
}

export interface ProposalPacket {
  readonly kind: 'proposal'
  readonly proposal: Proposal
  readonly body: Body
  /** Names its transactions. */
  readonly isCompact: boolean
}

/** Of a compact proposal: those that the receiver lacks. */
export interface AskedTransactions {
  readonly kind: 'ask-transactions'
  readonly digest: string
  readonly count: number
  readonly of: number
}

export type Packet =
  | { readonly kind: 'message'; readonly message: Outgoing }
  | ProposalPacket
  | {
      readonly kind: 'gossip'
      readonly name: number
      readonly transactions: readonly number[]
      /** By its sender, so that nobody hands it on. */
      readonly isSentToAll: boolean
    }
  | AskedTransactions
  | { readonly kind: 'transactions'; readonly digest: string; readonly count: number }
  | { readonly kind: 'ask-block'; readonly digest: string }
  | { readonly kind: 'ask-range'; readonly from: number }
  | { readonly kind: 'block'; readonly digest: string; readonly body: Body | null }
  | { readonly kind: 'range'; readonly served: readonly Served[] }

/** Larger proposals go over the bulk lane, as `node/src/driver.ts` has it. */
export const URGENT_BYTES_MAX = 64 << 10
/** Of a gossip message: its tag, its list, the topic and what gossipsub wraps around both. */
const GOSSIP_BYTES = 100
/** Around an answer, and around each block in it. */
const ANSWER_BYTES = 8
const REQUEST_BYTES = encodeBlockRequest({
  kind: 'range',
  body: { from: 1_000, to: 1_128, bytesMax: 4 << 20 },
}).length

/** Stands for the bytes of a transaction: as many, and its number in front. */
export function bytesOfTransaction(transaction: number, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes)
  new DataView(data.buffer).setUint32(0, transaction)
  return data
}

export function transactionsIn(batch: Uint8Array): number[] {
  const list = decodeTransactionBatch(batch)
  if (list === null) throw new Error('a batch of gossip cannot be read')
  return list.map((data) => new DataView(data.buffer, data.byteOffset).getUint32(0))
}

export function bytesOf(packet: Packet, transactionBytes: number): number {
  switch (packet.kind) {
    case 'message':
      return encodeMessage(packet.message).length
    case 'proposal':
      return bytesOfProposal(packet, transactionBytes)
    case 'ask-transactions':
      return REQUEST_BYTES + Math.ceil(packet.of / 8)
    case 'transactions':
      return ANSWER_BYTES + packet.count * (transactionBytes + 3)
    case 'gossip':
      return GOSSIP_BYTES + packet.transactions.length * (transactionBytes + 3)
    case 'ask-block':
    case 'ask-range':
      return REQUEST_BYTES
    case 'block':
      return ANSWER_BYTES + (packet.body?.bytes ?? 0)
    case 'range':
      return packet.served.reduce(
        (sum, { body, finalization }) =>
          sum +
          ANSWER_BYTES +
          body.bytes +
          (finalization === null ? 0 : encodeCertificate(finalization).length),
        ANSWER_BYTES,
      )
  }
}

function bytesOfProposal(
  { proposal, body, isCompact }: ProposalPacket,
  transactionBytes: number,
): number {
  const { vote, justification } = proposal
  const nothing = new Uint8Array(0)
  if (!isCompact) {
    const message = { kind: 'proposal', proposal: { vote, justification, block: nothing } } as const
    return encodeMessage(message).length + body.bytes
  }
  const count = body.transactions.length
  const names = new Uint8Array(count * TRANSACTION_NAME_BYTES)
  const compact = { vote, justification, header: nothing, names }
  const headerBytes = body.bytes - count * (transactionBytes + 3)
  return encodeMessage({ kind: 'compact', proposal: compact }).length + headerBytes
}
