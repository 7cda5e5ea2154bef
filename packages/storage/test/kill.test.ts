// A process that commits blocks and votes is killed where it stands; what it said was durable is
// there afterwards. (A killed process loses nothing the kernel has: the power failures of
// journal-power.test.ts are harder on the journal.)

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'uvu'
import { openDatabase } from '../src/database.ts'
import { Journal } from '../src/journal.ts'
import { verifyChain } from '../src/verify.ts'
import { chainOptions, openChain } from './chain-world.ts'
import { inFolder } from './folder.ts'

const ROUNDS = 3
const COMMITS = 15

function moduleUrl(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href)
}

const WORKER = `
import { openDatabase } from ${moduleUrl('../src/database.ts')}
import { Journal } from ${moduleUrl('../src/journal.ts')}
import { makeBlocks, openChain } from ${moduleUrl('./chain-world.ts')}

const [home] = process.argv.slice(2)
const chain = await openChain(await openDatabase(home + '/chain', { name: 'chain' }))
const { journal } = await Journal.open({ directory: home + '/guard' })
for (;;) {
  const [block] = makeBlocks(chain, 1, 20)
  const view = chain.tip.height + 1
  journal.advance({ epoch: 0, notarized: view, nullified: 0, finalized: 0 })
  journal.append([{ epoch: 0, view, type: 'vote', payload: block.digest }])
  await journal.sync()
  console.log('voted ' + view)
  await chain.commit(block)
  console.log('committed ' + view)
}
`

/** Lets it run until some commits are told, then kills it; the last view of each kind it told. */
async function runAndKill(home: string): Promise<{ voted: number; committed: number }> {
  const script = join(home, 'worker.mts')
  await writeFile(script, WORKER)
  const worker = spawn(process.execPath, [script, home], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(worker, 'exit')
  const told = { voted: 0, committed: 0 }
  let commits = 0
  for await (const line of createInterface({ input: worker.stdout })) {
    const [kind, view] = line.split(' ')
    if (kind === 'voted') told.voted = Number(view)
    if (kind === 'committed') {
      told.committed = Number(view)
      commits += 1
    }
    if (commits === COMMITS) worker.kill('SIGKILL')
  }
  await exit
  return told
}

test('what a killed process said was durable is there', async () => {
  await inFolder(async (home) => {
    let height = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const told = await runAndKill(home)
      assert.ok(told.committed >= height + COMMITS)
      const { journal, records, marks } = await Journal.open({ directory: join(home, 'guard') })
      assert.ok(marks.notarized >= told.voted)
      assert.ok(records.some(({ view }) => view === told.voted))
      await journal.close()
      const database = await openDatabase(join(home, 'chain'), { name: 'chain' })
      const chain = await openChain(database)
      assert.ok(chain.tip.height >= told.committed)
      assert.deepEqual((await verifyChain(database, chainOptions)).problems, [])
      height = chain.tip.height
      await database.close()
    }
  })
})

test.run()
