/** Gossips transactions that nobody may take: noise, forged signatures, lanes of others, gaps. */
import { bytesMax, encode, list } from '@mooring/codec'
import { createTransaction } from '@mooring/ledger'
import type { WholeActor, WholeHands } from '../hands.ts'
import { keyOf, nameOf } from '../keys.ts'

const batchSchema = list(bytesMax(1 << 20), 4_096)

function forged(hands: WholeHands): Uint8Array {
  const { random, process } = hands
  const victim = random.pick(hands.others)
  const sequence = random.between(1, 60)
  const transaction = createTransaction({
    genesisDigest: hands.chain,
    keyPair: keyOf(random.chance(0.5) ? hands.index : victim, 'anchor'),
    kind: 'record.anchor',
    expiresAt: (process.life?.wall() ?? 0) + 60_000,
    body: {
      organisation: nameOf(victim),
      sequence,
      batchRoot: new Uint8Array(32).fill(random.between(0, 255)),
      sizeBucket: 16,
    },
  })
  transaction[transaction.length - 1] = (transaction.at(-1) ?? 0) ^ 1
  return transaction
}

export const gossipPolluter: WholeActor = {
  act: (hands) => {
    const { random } = hands
    if (random.chance(0.8)) return
    if (random.chance(0.2))
      return hands.pollute(Uint8Array.from({ length: 50 }, () => random.between(0, 255)))
    hands.pollute(encode(batchSchema, [forged(hands)]))
  },
}
