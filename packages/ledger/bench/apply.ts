// What a block of 2,000 anchors costs without its signatures, and with: npm run bench -- ledger

import { concatBytes } from '@mooring/codec'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import {
  applyBlock,
  applyTransactions,
  decodeBlock,
  decodeTransaction,
  encodeBlock,
} from '../src/index.ts'
import { anchor, AUTHORITIES, blockOn, contextOf, placeOf, world } from '../test/fixture.ts'

const COUNT = 2_000

await runBench({
  name: 'ledger',
  what: 'decode, check and apply a block',
  options: { transactions: COUNT, rounds: 20 },
  quick: { transactions: 100, rounds: 2 },
  run: ({ options, give }) => measureBlock(options, give),
})

interface Work {
  readonly transactions: number
  readonly rounds: number
}

function measureBlock({ transactions, rounds }: Work, give: Give): void {
  const at = world()
  const anchors = anchorsOf(at, transactions)
  const encoded = encodeBlock(blockOn(at, anchors))
  const context = { ...contextOf(at), isVerified: () => true }
  const time = (what: string, run: () => void): void => {
    const times = Array.from({ length: rounds }, () => millisecondsOf(run)).toSorted(
      (a, b) => a - b,
    )
    give(what, 'ms', quantile(times, 0.5), { at: { transactions } })
  }
  time('decode the block', () => void decodeBlock(encoded))
  time('decode the transactions', () => {
    for (const bytes of anchors) decodeTransaction(bytes, at.digest)
  })
  const decoded = anchors.map((bytes) => decodeTransaction(bytes, at.digest))
  time('select (applyTransactions, verified)', () => {
    applyTransactions(at.state, { ...placeOf(at), isVerified: () => true }, decoded)
  })
  time('decode, check and apply (decodeBlock, applyBlock)', () => {
    const block = decodeBlock(concatBytes(encoded))
    if ('code' in applyBlock(at.state, at.parent, block, context)) throw new Error('invalid')
  })
  time('the same with signatures', () => {
    const block = decodeBlock(encoded)
    if ('code' in applyBlock(at.state, at.parent, block, contextOf(at))) throw new Error('invalid')
  })
}

function anchorsOf(at: ReturnType<typeof world>, count: number): Uint8Array[] {
  const sequences = new Map<string, number>()
  return Array.from({ length: count }, (_, index) => {
    const organisation = AUTHORITIES[index % AUTHORITIES.length] ?? ''
    const sequence = (sequences.get(organisation) ?? 0) + 1
    sequences.set(organisation, sequence)
    return anchor(at, { organisation, sequence })
  })
}

function millisecondsOf(run: () => void): number {
  const began = performance.now()
  run()
  return performance.now() - began
}
