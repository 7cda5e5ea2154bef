// What a vote waits for: append and sync of the journal and its marks, on the disk of the temporary
// folder: `npm run bench -- journal`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quantile } from '../../../scripts/bench/figures.ts'
import { runBench } from '../../../scripts/bench/program.ts'
import { Journal } from '../src/journal.ts'

type Step = (journal: Journal, view: number) => void

const vote = new Uint8Array(300)
const block = new Uint8Array(300_000)

const WRITTEN: Record<string, Step> = {
  'vote with marks (two files)': (journal, view) => {
    journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
    journal.append([{ epoch: 0, view, type: 'vote', payload: vote }])
  },
  'certificate (one file)': (journal, view) => {
    journal.append([{ epoch: 0, view, type: 'certificate', payload: vote }])
  },
  'block of 300 kB and vote': (journal, view) => {
    journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
    journal.append([
      { epoch: 0, view, type: 'block', payload: block },
      { epoch: 0, view, type: 'vote', payload: vote },
    ])
  },
}

await runBench({
  name: 'journal',
  what: 'votes to disk',
  options: { rounds: 1_000 },
  quick: { rounds: 20 },
  run: async ({ options, give }) => {
    for (const [written, step] of Object.entries(WRITTEN)) {
      const times = await measure(options.rounds, step)
      give('append and sync, p50', 'ms', quantile(times, 0.5), { at: { written } })
      give('append and sync, p99', 'ms', quantile(times, 0.99), { at: { written } })
    }
  },
})

async function measure(rounds: number, step: Step): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
  try {
    const { journal } = await Journal.open({ directory: join(folder, 'guard') })
    const times: number[] = []
    for (let view = 1; view <= rounds; view += 1) {
      const start = performance.now()
      step(journal, view)
      await journal.sync()
      times.push(performance.now() - start)
    }
    await journal.close()
    return times.toSorted((a, b) => a - b)
  } finally {
    await rm(folder, { recursive: true })
  }
}
