// Commits blocks of 1,000 transactions, each of which adds a key to the state, to a chain of 100
// such blocks: `npm run bench -- chain`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { openDatabase } from '../src/database.ts'
import { makeBlocks, openChain } from '../test/chain-world.ts'

interface Size {
  transactions: number
  before: number
  rounds: number
}

await runBench({
  name: 'chain',
  what: 'commit blocks',
  options: { transactions: 1_000, before: 100, rounds: 50 },
  quick: { before: 2, rounds: 5 },
  run: async ({ options, give }) => {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
    try {
      const path = join(folder, 'chain')
      await commitBlocks(path, options, give)
      const start = performance.now()
      const again = await openDatabase(path, { name: 'chain' })
      await openChain(again)
      give('open again', 'ms', performance.now() - start, {
        at: { height: options.before + options.rounds },
      })
      await again.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  },
})

async function commitBlocks(path: string, { transactions, before, rounds }: Size, give: Give) {
  const database = await openDatabase(path, { name: 'chain' })
  const chain = await openChain(database)
  const held: number[] = []
  const whole: number[] = []
  for (let round = 0; round < before + rounds; round += 1) {
    const blocks = makeBlocks(chain, 1, transactions)
    const start = performance.now()
    const committed = chain.commitAll(blocks)
    // The queue starts in a microtask; what runs before the disk answers holds up the event loop.
    await Promise.resolve()
    const returned = performance.now()
    await committed
    if (round < before) continue
    held.push(returned - start)
    whole.push(performance.now() - start)
  }
  await database.close()
  for (const [name, times] of Object.entries({ commit: whole, 'of it on the event loop': held })) {
    const ascending = times.toSorted((a, b) => a - b)
    give(`${name}, p50`, 'ms', quantile(ascending, 0.5), { at: { transactions } })
    give(`${name}, p99`, 'ms', quantile(ascending, 0.99), { at: { transactions } })
  }
}
