// What a block of 2,000 anchors costs without its signatures: npx node packages/ledger/bench/apply.ts

import { concatBytes } from '@mooring/codec'
import {
  applyBlock,
  applyTransactions,
  decodeBlock,
  decodeTransaction,
  encodeBlock,
} from '../src/index.ts'
import { anchor, AUTHORITIES, blockOn, contextOf, placeOf, world } from '../test/fixture.ts'

const COUNT = 2_000
const RUNS = 20

const at = world()
const sequences = new Map<string, number>()
const anchors = Array.from({ length: COUNT }, (_, index) => {
  const organisation = AUTHORITIES[index % AUTHORITIES.length] ?? ''
  const sequence = (sequences.get(organisation) ?? 0) + 1
  sequences.set(organisation, sequence)
  return anchor(at, { organisation, sequence })
})
const encoded = encodeBlock(blockOn(at, anchors))
const context = { ...contextOf(at), isVerified: () => true }

function measure(what: string, run: () => void): void {
  const times: number[] = []
  for (let index = 0; index < RUNS; index += 1) {
    const start = performance.now()
    run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const [best = 0, median = 0] = [times[0], times[RUNS / 2]]
  console.log(
    `${what.padEnd(44)} ${best.toFixed(1).padStart(7)} best ${median.toFixed(1)} median ms`,
  )
}

console.log(`${COUNT} anchors of ${anchors[0]?.length} bytes, block of ${encoded.length} bytes`)
measure('decode the block', () => decodeBlock(encoded))
measure('decode the transactions', () => {
  for (const bytes of anchors) decodeTransaction(bytes, at.digest)
})
const decoded = anchors.map((bytes) => decodeTransaction(bytes, at.digest))
measure('select (applyTransactions, verified)', () => {
  applyTransactions(at.state, { ...placeOf(at), isVerified: () => true }, decoded)
})
measure('decode, check and apply (decodeBlock, applyBlock)', () => {
  const block = decodeBlock(concatBytes(encoded))
  if ('code' in applyBlock(at.state, at.parent, block, context)) throw new Error('invalid')
})
measure('the same with signatures', () => {
  const block = decodeBlock(encoded)
  if ('code' in applyBlock(at.state, at.parent, block, contextOf(at))) throw new Error('invalid')
})
