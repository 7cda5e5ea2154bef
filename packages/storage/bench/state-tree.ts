// Authenticated updates of trees of a million and ten million keys: `npm run bench -- state`.
//
// The trees are grown on disk, in a real LevelDB, in the order of their paths, which is quick. Then blocks of changes
// are measured: new values of keys that lie anywhere, and new keys. A block costs all that happens until it is durable:
// its pages read and checked, their nodes hashed, the new pages written in one synced batch. The cache has the size that
// a node gives it, and holds a small part of ten million keys.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '@mooring/crypto'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { type Database, openDatabase } from '../src/database.ts'
import { type StateEntry, StateTree } from '../src/state-tree.ts'

interface Size {
  updates: number
  rounds: number
}

const TARGET = { keys: 10_000_000, us: 15 }
const GROWN_AT_ONCE = 20_000
const VALUE_BYTES = 40
/** Nowhere near a power of two: keys that follow each other by it lie apart. */
const STRIDE = 7_368_787

await runBench({
  name: 'state',
  what: 'authenticated updates, durable',
  options: { keys: 10_000_000, updates: 4_000, rounds: 60 },
  quick: { keys: 20_000, updates: 500, rounds: 3 },
  runs: 1,
  run: async ({ options: { keys, ...size }, give, note, say }) => {
    for (const count of [keys / 10, keys]) {
      const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
      try {
        const database = await openDatabase(join(folder, 'state'), { name: 'chain' })
        await grow(database, count, say)
        await measure(database, { ...size, keys: count }, give)
        await database.close()
      } finally {
        await rm(folder, { recursive: true })
      }
    }
    note(
      'Time is from the changes of a block to the next block; CPU is of all threads, the disk included.',
    )
  },
})

async function grow(database: Database, count: number, say: (line: string) => void): Promise<void> {
  const began = performance.now()
  const tree = StateTree.open(database)
  const order = inPathOrder(count)
  for (let from = 0; from < count; from += GROWN_AT_ONCE) {
    const part = Array.from(order.subarray(from, from + GROWN_AT_ONCE), (number) =>
      entryOf(number, 0),
    )
    await database.batch(tree.begin(tree.view().apply(part)), { sync: false })
    tree.end()
  }
  say(`${count} keys after ${Math.round((performance.now() - began) / 1_000)} s`)
}

async function measure(
  database: Database,
  size: Size & { keys: number },
  give: Give,
): Promise<void> {
  const { keys, updates, rounds } = size
  const mixes = {
    'new values': (index: number) => entryOf((index * STRIDE) % keys, 1),
    'new keys': (index: number) => entryOf(keys + index, 0),
  }
  for (const [mix, entryAt] of Object.entries(mixes)) {
    const tree = StateTree.open(database)
    const blockAt = (round: number): StateEntry[] =>
      Array.from({ length: updates }, (_, index) => entryAt(round * updates + index))
    const blocks: number[] = []
    const [cpu, thread] = [process.cpuUsage(), process.threadCpuUsage()]
    for (let round = 0; round < rounds; round += 1) {
      const block = blockAt(round)
      const began = performance.now()
      await database.batch(tree.begin(tree.view().apply(block)), { sync: true })
      tree.end()
      blocks.push(((performance.now() - began) * 1_000) / updates)
    }
    const at = { keys, mix }
    const isTarget = keys >= TARGET.keys
    const perUpdate = ({ user, system }: NodeJS.CpuUsage) => (user + system) / (rounds * updates)
    give(
      'a key',
      'us',
      quantile(
        blocks.toSorted((a, b) => a - b),
        0.5,
      ),
      {
        at,
        ...(isTarget && { target: { under: TARGET.us } }),
      },
    )
    give('CPU a key', 'us', perUpdate(process.cpuUsage(cpu)), { at })
    give('of it on the event loop', 'us', perUpdate(process.threadCpuUsage(thread)), { at })
  }
}

function keyOf(number: number): Uint8Array {
  return new TextEncoder().encode(`batch root ${number}`)
}

function entryOf(number: number, mark: number): StateEntry {
  return { key: keyOf(number), value: new Uint8Array(VALUE_BYTES).fill(mark) }
}

/** Sorted by the first 28 bits of their paths; what is equal in these may lie in any order. */
function inPathOrder(count: number): Float64Array {
  const numbers = 2 ** 24
  const numbered = Float64Array.from({ length: count }, (_, number) => {
    const [a = 0, b = 0, c = 0, d = 0] = sha256(keyOf(number))
    return (a * 2 ** 20 + b * 2 ** 12 + c * 2 ** 4 + (d >>> 4)) * numbers + number
  })
  return numbered.toSorted().map((each) => each % numbers)
}
