// Commits blocks of 1,000 transactions, each of which adds a key to the state, to a chain of 100
// such blocks: `npx node packages/storage/bench/chain.ts`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../src/database.ts'
import { makeBlocks, openChain } from '../test/chain-world.ts'

const TRANSACTIONS = 1000
const BEFORE = 100
const ROUNDS = 50

function summary(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
try {
  const path = join(folder, 'chain')
  const database = await openDatabase(path, { name: 'chain' })
  const chain = await openChain(database)
  const held: number[] = []
  const whole: number[] = []
  for (let round = 0; round < BEFORE + ROUNDS; round += 1) {
    const blocks = makeBlocks(chain, 1, TRANSACTIONS)
    const start = performance.now()
    const committed = chain.commitAll(blocks)
    // The queue starts in a microtask; what runs before the disk answers holds up the event loop.
    await Promise.resolve()
    const returned = performance.now()
    await committed
    if (round < BEFORE) continue
    held.push(returned - start)
    whole.push(performance.now() - start)
  }
  await database.close()
  console.log(`chain, commit of ${TRANSACTIONS} transactions: ${summary(whole)}`)
  console.log(`chain, of it on the event loop: ${summary(held)}`)
  const start = performance.now()
  const again = await openDatabase(path, { name: 'chain' })
  await openChain(again)
  console.log(
    `chain, open at height ${BEFORE + ROUNDS}: ${(performance.now() - start).toFixed(0)} ms`,
  )
  await again.close()
} finally {
  await rm(folder, { recursive: true })
}
