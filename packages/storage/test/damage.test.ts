// A closed chain database is damaged in every file, byte by byte as far as time allows. Whatever
// opens must be a chain that once was: the whole one, or an older one where a log lost its end.

import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { type DatabaseOptions, openDatabase } from '../src/database.ts'
import { StorageError } from '../src/errors.ts'
import { liveTablesOf } from '../src/level-manifest.ts'
import { askAll, makeBlocks, openChain } from './chain-world.ts'
import { inFolder } from './folder.ts'

const BLOCKS = 18
const SIZE = { blocks: BLOCKS, transactions: 2 }

type Answers = Map<string, string>

/** Makes a chain over several openings, and returns what it answered at each height. */
async function makeChain(path: string, openings: number): Promise<Map<number, Answers>> {
  const answers = new Map<number, Answers>()
  for (let opening = 0; opening < openings; opening += 1) {
    const database = await openDatabase(path, { name: 'chain' })
    const chain = await openChain(database)
    for (const block of makeBlocks(chain, BLOCKS / openings, SIZE.transactions)) {
      await chain.commit(block)
      answers.set(chain.tip.height, askAll(chain, SIZE))
    }
    await database.close()
  }
  return answers
}

interface Outcome {
  height: number
  answers: Answers
}

/** What a copy of the database says after the damage, or the code of the error at opening. */
async function damaged(
  path: string,
  damage: (copy: string) => Promise<void>,
  options: Partial<DatabaseOptions> = {},
): Promise<Outcome | string> {
  const copy = `${path}-copy`
  await rm(copy, { recursive: true, force: true })
  await cp(path, copy, { recursive: true })
  await damage(copy)
  try {
    const database = await openDatabase(copy, { name: 'chain', ...options })
    try {
      const chain = await openChain(database)
      return { height: chain.tip.height, answers: askAll(chain, SIZE) }
    } finally {
      await database.close()
    }
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error))
    return error.code
  }
}

function flip(file: string, at: number, mask: number): (copy: string) => Promise<void> {
  return async (copy) => {
    const bytes = await readFile(join(copy, file))
    bytes[at] = (bytes[at] ?? 0) ^ mask
    await writeFile(join(copy, file), bytes)
  }
}

async function filesOf(path: string): Promise<{ name: string; size: number }[]> {
  const files: { name: string; size: number }[] = []
  for (const name of await readdir(path)) {
    if (name === 'LOCK' || name.startsWith('LOG')) continue
    files.push({ name, size: (await readFile(join(path, name))).length })
  }
  return files
}

async function liveTables(path: string): Promise<Set<number>> {
  const manifest = (await readFile(join(path, 'CURRENT'), 'utf8')).trim()
  const live = liveTablesOf(await readFile(join(path, manifest)))
  assert.ok(live)
  return live
}

function spread(size: number, count: number): number[] {
  const step = Math.max(1, size / count)
  const at: number[] = []
  for (let position = step / 2; position < size; position += step) at.push(Math.floor(position))
  return at
}

test('acceptance 6: a flipped bit in any file gives the right chain, an older one, or an error', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const good = await makeChain(path, 2)
    const codes = new Set<string>()
    for (const { name, size } of await filesOf(path)) {
      for (const at of spread(size, 40)) {
        const outcome = await damaged(path, flip(name, at, 1 << (at % 8)))
        if (typeof outcome === 'string') {
          codes.add(outcome)
          continue
        }
        assert.deepEqual(outcome.answers, good.get(outcome.height), `${name} ${at}`)
        assert.ok(outcome.height === BLOCKS || name.endsWith('.log'), `${name} ${at}`)
      }
    }
    assert.deepEqual([...codes], ['corrupt'])
  })
})

test('acceptance 6: a truncated or missing file gives an older chain or an error', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const good = await makeChain(path, 2)
    for (const { name, size } of await filesOf(path)) {
      const cuts = spread(size, 8).map((at) => (copy: string) => truncate(join(copy, name), at))
      const outcomes: (Outcome | string)[] = []
      for (const damage of [...cuts, (copy: string) => rm(join(copy, name))]) {
        outcomes.push(await damaged(path, damage))
      }
      for (const outcome of outcomes) {
        if (typeof outcome === 'string') {
          assert.ok(['corrupt', 'missing'].includes(outcome), `${name}: ${outcome}`)
        } else {
          assert.ok(name.endsWith('.log'), name)
          assert.deepEqual(outcome.answers, good.get(outcome.height))
        }
      }
    }
  })
})

test('a table that a crash left half written is not one of the database', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const good = (await makeChain(path, 3)).get(BLOCKS)
    const tables = (await filesOf(path)).filter(({ name }) => name.endsWith('.ldb'))
    const [table] = tables
    assert.ok(good !== undefined && table !== undefined)
    for (const size of [0, 20, table.size - 1]) {
      const outcome = await damaged(path, async (copy) => {
        const half = join(copy, '009999.ldb')
        await cp(join(copy, table.name), half)
        await truncate(half, size)
      })
      assert.deepEqual(outcome, { height: BLOCKS, answers: good }, `${size} bytes`)
    }
    const live = await liveTables(path)
    for (const { name, size } of tables) {
      // LevelDB may have left one that it has just replaced.
      if (!live.has(Number.parseInt(name, 10))) continue
      const outcome = await damaged(path, (copy) => truncate(join(copy, name), size - 1))
      assert.equal(outcome, 'corrupt', name)
    }
  })
})

test('acceptance 6: damage after the files were checked is met at the read and never answered', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'chain')
    const good = (await makeChain(path, 1)).get(BLOCKS)
    assert.ok(good)
    // Opening turns the log into a table.
    await (await openDatabase(path, { name: 'chain' })).close()
    const table = (await filesOf(path)).find(({ name }) => name.endsWith('.ldb'))
    assert.ok(table)
    let errors = 0
    for (const at of spread(table.size, 60)) {
      const damage = flip(table.name, at, 1 << (at % 8))
      const outcome = await damaged(path, damage, { checkedBytesMax: 0 })
      if (typeof outcome === 'string') {
        errors += 1
        continue
      }
      for (const [question, answer] of outcome.answers) {
        if (answer === good.get(question)) continue
        // The one thing that cannot be known to be missing is a transaction's place.
        const isLostPlace = question.startsWith('transaction') && answer === 'undefined'
        assert.ok(isLostPlace || answer.startsWith('error '), `${at} ${question}: ${answer}`)
        errors += 1
      }
    }
    assert.ok(errors > 30)
  })
})

test.run()
