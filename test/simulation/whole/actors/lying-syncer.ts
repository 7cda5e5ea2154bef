/**
 * Answers requests for blocks with what is not so: blocks of its own, blocks out of order, finalizations
 * forged, cut short, of another kind or of another block, nothing at all, or bytes that mean nothing.
 */
import { decodeCertificate, encodeCertificate, type Certificate } from '@mooring/consensus'
import { decodeBlock, encodeBlock } from '@mooring/ledger'
import {
  decodeBlockAnswer,
  decodeBlockRequest,
  encodeBlockAnswer,
  type SentBlock,
} from '../../../../packages/node/src/block-exchange.ts'
import type { WholeActor, WholeHands } from '../hands.ts'

const LIES = [
  'nothing',
  'garbage',
  'another block',
  'out of order',
  'forged',
  'own signature only',
  'short',
  'other kind',
  'mixed',
] as const

function anotherBlock({ block, finalization }: SentBlock): SentBlock {
  const { header, transactions } = decodeBlock(block)
  return {
    block: encodeBlock({ header: { ...header, time: header.time + 1 }, transactions }),
    finalization,
  }
}

function withCertificate(
  blocks: readonly SentBlock[],
  change: (certificate: Certificate, at: number) => Certificate,
): SentBlock[] {
  return blocks.map(({ block, finalization }, at) => ({
    block,
    finalization:
      finalization === null ? null : encodeCertificate(change(decodeCertificate(finalization), at)),
  }))
}

function lie(blocks: SentBlock[], hands: WholeHands): Uint8Array {
  const first = blocks.find(({ finalization }) => finalization !== null)?.finalization ?? null
  switch (hands.random.pick(LIES)) {
    case 'nothing':
      return encodeBlockAnswer([])
    case 'garbage':
      return Uint8Array.from({ length: 40 }, () => hands.random.between(0, 255))
    case 'another block':
      return encodeBlockAnswer(blocks.map(anotherBlock))
    case 'out of order':
      return encodeBlockAnswer(blocks.toReversed())
    case 'forged':
      return encodeBlockAnswer(
        withCertificate(blocks.map(anotherBlock), (certificate, at) => ({
          ...certificate,
          subject: { ...certificate.subject, digest: digestOf(blocks[at]) },
        })),
      )
    case 'own signature only':
      return encodeBlockAnswer(
        withCertificate(blocks, (certificate) => {
          const { signature } = hands.sign('finalize', certificate.subject)
          return { ...certificate, signatures: certificate.signatures.map(() => signature) }
        }),
      )
    case 'short':
      return encodeBlockAnswer(
        withCertificate(blocks, (certificate) => ({
          ...certificate,
          signatures: certificate.signatures.slice(1),
        })),
      )
    case 'other kind':
      return encodeBlockAnswer(
        withCertificate(blocks, (certificate) => ({ ...certificate, kind: 'notarize' })),
      )
    case 'mixed':
      return encodeBlockAnswer(
        blocks.map(({ block, finalization }) => ({
          block,
          finalization: finalization === null ? null : first,
        })),
      )
  }
}

function digestOf(sent: SentBlock | undefined): string {
  return sent === undefined
    ? '0'.repeat(64)
    : Buffer.from(decodeBlock(sent.block).digest).toString('hex')
}

export const lyingSyncer: WholeActor = {
  answer: (payload, honest, hands) => {
    const answer = honest()
    if (decodeBlockRequest(payload).kind === 'transactions') return answer
    return hands.random.chance(0.7) ? lie(decodeBlockAnswer(answer), hands) : answer
  },
}
