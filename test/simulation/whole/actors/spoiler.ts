/** As leader proposes blocks that must not become final: wrong roots, transactions, time, place. */
import type { ProposalMessage } from '@mooring/consensus'
import { MERKLE_EMPTY_ROOT, merkleRoot } from '@mooring/crypto'
import { decodeBlock } from '@mooring/ledger'
import type { WholeActor, WholeHands } from '../hands.ts'

const FAULTS = [
  'state root',
  'history root',
  'transaction',
  'repeated transaction',
  'time',
  'late',
  'proposer',
  'authority set',
] as const

function spoil(proposal: ProposalMessage, hands: WholeHands): ProposalMessage {
  const wrong = new Uint8Array(32).fill(9)
  const { transactions } = decodeBlock(proposal.block)
  const withTransactions = (all: Uint8Array[]): ProposalMessage =>
    hands.remake(
      proposal,
      () => ({
        transactionCount: all.length,
        transactionRoot: all.length === 0 ? MERKLE_EMPTY_ROOT : merkleRoot(all),
      }),
      all,
    )
  switch (hands.random.pick(FAULTS)) {
    case 'state root':
      return hands.remake(proposal, () => ({ stateRoot: wrong }))
    case 'history root':
      return hands.remake(proposal, () => ({ historyRoot: wrong }))
    case 'transaction':
      return withTransactions([...transactions, new Uint8Array(64).fill(1)])
    case 'repeated transaction':
      return withTransactions([...transactions, ...transactions])
    case 'time':
      return hands.remake(proposal, ({ time }) => ({ time: time + 3_600_000 }))
    case 'late':
      return hands.remake(proposal, ({ time }) => ({ time: time - 3_600_000 }))
    case 'proposer':
      return hands.remake(proposal, () => ({ proposer: 'h-99' }))
    case 'authority set':
      return hands.remake(proposal, () => ({ authoritySetDigest: wrong }))
  }
}

export function spoiler(): WholeActor {
  let spoilt: ProposalMessage | null = null
  return {
    send: (message, to, hands) => {
      if (message.kind !== 'proposal') return hands.say(to, message)
      const { view } = message.proposal.vote.subject
      if (spoilt?.vote.subject.view !== view) spoilt = spoil(message.proposal, hands)
      hands.say(to, { kind: 'proposal', proposal: spoilt })
    },
  }
}
