/**
 * As leader names transactions that are not those of its block, that wait with nobody, or too many or too few of
 * them; and when asked for the missing ones gives others, some, more, none, or bytes that mean nothing.
 */
import { type CompactProposal, TRANSACTION_NAME_BYTES } from '@mooring/consensus'
import {
  decodeBlockRequest,
  decodeTransactionsAnswer,
  encodeBlockAnswer,
  encodeTransactionsAnswer,
} from '../../../../packages/node/src/block-exchange.ts'
import type { WholeActor, WholeHands } from '../hands.ts'

const NAMINGS = ['true', 'unknown', 'some unknown', 'other order', 'one less', 'repeated'] as const
const ANSWERS = ['true', 'none', 'one less', 'one more', 'another', 'garbage'] as const

function misname(names: Uint8Array, { random }: WholeHands): Uint8Array {
  const noise = (): number => random.between(0, 255)
  const first = names.subarray(0, TRANSACTION_NAME_BYTES)
  switch (random.pick(NAMINGS)) {
    case 'true':
      return names
    case 'unknown':
      return names.map(noise)
    case 'some unknown':
      return names.map((byte, at) => (at < TRANSACTION_NAME_BYTES ? noise() : byte))
    case 'other order':
      return Uint8Array.of(...names.subarray(TRANSACTION_NAME_BYTES), ...first)
    case 'one less':
      return names.subarray(TRANSACTION_NAME_BYTES)
    case 'repeated':
      return Uint8Array.of(...first, ...names.subarray(0, -TRANSACTION_NAME_BYTES))
  }
}

function misanswer(transactions: Uint8Array[], { random }: WholeHands): Uint8Array {
  const strange = new Uint8Array(80).fill(random.between(0, 255))
  switch (random.pick(ANSWERS)) {
    case 'true':
      return encodeTransactionsAnswer(transactions)
    case 'none':
      return encodeTransactionsAnswer([])
    case 'one less':
      return encodeTransactionsAnswer(transactions.slice(1))
    case 'one more':
      return encodeTransactionsAnswer([...transactions, strange])
    case 'another':
      return encodeTransactionsAnswer([strange, ...transactions.slice(1)])
    case 'garbage':
      return strange
  }
}

export const falseNamer: WholeActor = {
  send: (message, to, hands) => {
    if (message.kind !== 'compact') return hands.say(to, message)
    const proposal: CompactProposal = {
      ...message.proposal,
      names: misname(message.proposal.names, hands),
    }
    for (let again = hands.random.between(1, 3); again > 0; again -= 1)
      hands.say(to, { kind: 'compact', proposal })
  },
  answer: (payload, honest, hands) => {
    const { kind } = decodeBlockRequest(payload)
    if (kind === 'transactions') return misanswer(decodeTransactionsAnswer(honest()), hands)
    return kind === 'digest' && hands.random.chance(0.5) ? encodeBlockAnswer([]) : honest()
  },
}
