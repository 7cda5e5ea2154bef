// What a vote waits for: append and sync of the journal and its marks, on the disk of the temporary
// folder: `npx node packages/storage/bench/journal.ts`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal } from '../src/journal.ts'

const ROUNDS = 1000

function summary(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

async function measure(name: string, step: (journal: Journal, view: number) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
  try {
    const { journal } = await Journal.open({ directory: join(folder, 'guard') })
    const times: number[] = []
    for (let view = 1; view <= ROUNDS; view += 1) {
      const start = performance.now()
      step(journal, view)
      await journal.sync()
      times.push(performance.now() - start)
    }
    await journal.close()
    console.log(`${name}: ${summary(times)}`)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const vote = new Uint8Array(300)
const block = new Uint8Array(300_000)

await measure('journal, vote with marks (two files)', (journal, view) => {
  journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
  journal.append([{ epoch: 0, view, type: 'vote', payload: vote }])
})
await measure('journal, certificate (one file)', (journal, view) => {
  journal.append([{ epoch: 0, view, type: 'certificate', payload: vote }])
})
await measure('journal, block of 300 kB and vote', (journal, view) => {
  journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
  journal.append([
    { epoch: 0, view, type: 'block', payload: block },
    { epoch: 0, view, type: 'vote', payload: vote },
  ])
})
