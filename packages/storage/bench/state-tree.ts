// Authenticated updates of trees of a million and ten million keys: `npm run bench -- state`.
//
// The trees are grown on disk, in a real LevelDB, the pages in the order of their paths and the values in that of their
// keys, which is quick, for hardly anything is written twice. Then blocks of changes are measured: new values of keys
// that lie anywhere, and new keys. Each block is hashed, reading the pages that it needs, and then written in one
// synced batch. The cache has the size that a node gives it, is warm, and holds a small part of ten million keys.
// `--keys 1000000` is over in a minute; `--keys 10000000 --smaller 0` measures the large tree alone.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '@mooring/crypto'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { type Database, type DatabaseOperation, openDatabase } from '../src/database.ts'
import { pageKey, valueKey } from '../src/keys.ts'
import { type StateEntry, StateTree } from '../src/state-tree.ts'

interface Case {
  keys: number
  mix: string
  /** Changes a block. */
  block: number
  rounds: number
  entryAt: (index: number) => StateEntry
  /** The target is of the largest blocks: what syncing costs is divided by their size. */
  isTarget: boolean
}

interface Measured {
  database: Database
  tree: StateTree
  counts: { reads: number }
  give: Give
}

const TARGET = { keys: 10_000_000, us: 15 }
const GROWN_AT_ONCE = 20_000
const WARMED = 300_000
const VALUE_BYTES = 40
const PAGE_LETTER = pageKey('')[0]
const MIB = 1_048_576
/** Nowhere near a power of two: keys that follow each other by it lie apart. */
const STRIDE = 7_368_787

await runBench({
  name: 'state',
  what: 'authenticated updates, durable',
  options: { keys: 10_000_000, smaller: 1_000_000, updates: 4_000, rounds: 30 },
  quick: { keys: 20_000, smaller: 0, updates: 400, rounds: 3 },
  runs: 1,
  run: async ({ options: { keys, smaller, updates, rounds }, give, note, say }) => {
    for (const count of smaller > 0 && smaller < keys ? [smaller, keys] : [keys]) {
      const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
      try {
        const database = await openDatabase(join(folder, 'state'), { name: 'chain' })
        give('grown in', 's', await grow(database, count), { at: { keys: count } })
        say(`${count} keys are there`)
        const counts = { reads: 0 }
        const tree = StateTree.open(counting(database, counts))
        warm(tree, count)
        for (const block of [updates / 4, updates / 2, updates]) {
          for (const [mix, entryAt] of Object.entries(mixesOf(count, block))) {
            const isTarget = count >= TARGET.keys && block === updates
            const each = { keys: count, mix, block, rounds, entryAt, isTarget }
            await measure({ database, tree, counts, give }, each)
          }
        }
        give('resident memory', 'MiB', process.memoryUsage().rss / MIB, { at: { keys: count } })
        await database.close()
      } finally {
        await rm(folder, { recursive: true })
      }
    }
    note(
      'Time is from block to block. CPU of all threads has LevelDB in it, which rewrites its tables in the background.',
    )
    note('Resident memory has the mapped tables in it, as far as they were read.')
  },
})

/** Other keys for each size of block. */
function mixesOf(keys: number, block: number): Record<string, Case['entryAt']> {
  return {
    'new values': (index) => entryOf(((index + block) * STRIDE) % keys, block % 251),
    'new keys': (index) => entryOf(keys * block + index, 0),
  }
}

async function grow(database: Database, count: number): Promise<number> {
  const began = performance.now()
  const tree = StateTree.open(database)
  const order = inPathOrder(count)
  for (let from = 0; from < count; from += GROWN_AT_ONCE) {
    const part = Array.from(order.subarray(from, from + GROWN_AT_ONCE), (number) =>
      entryOf(number, 0),
    )
    const operations = tree.begin(tree.view().apply(part))
    const pages = [...operations].filter(({ key }) => key[0] === PAGE_LETTER)
    await database.batch(pages, { sync: false })
    tree.end()
  }
  for (let from = 0; from < count; from += GROWN_AT_ONCE) {
    const length = Math.min(GROWN_AT_ONCE, count - from)
    const values = Array.from({ length }, (_, index): DatabaseOperation => {
      const { key, value } = entryOf(from + index, 0)
      return { type: 'put', key: valueKey(key), value: value ?? new Uint8Array(0) }
    })
    await database.batch(values, { sync: false })
  }
  return (performance.now() - began) / 1_000
}

/** The cache as a node has it that has run for a while: keys that lie anywhere, none of them measured next. */
function warm(tree: StateTree, keys: number): void {
  const count = Math.min(keys, WARMED)
  const view = tree.view()
  for (let index = 0; index < count; index += 1) view.get(keyOf(((keys - index) * STRIDE) % keys))
}

async function measure({ database, tree, counts, give }: Measured, each: Case): Promise<void> {
  const { keys, mix, block, rounds, entryAt, isTarget } = each
  const blockAt = (round: number): StateEntry[] =>
    Array.from({ length: block }, (_, index) => entryAt(round * block + index))
  counts.reads = 0
  let bytes = 0
  const times: number[] = []
  const [cpu, loop] = [process.cpuUsage(), process.threadCpuUsage()]
  for (let round = 1; round <= rounds; round += 1) {
    const entries = blockAt(round)
    const began = performance.now()
    await tree.readAhead(entries.map(({ key }) => key))
    const operations = tree.begin(tree.view().apply(entries))
    await database.batch(
      counted(operations, (size) => {
        bytes += size
      }),
      { sync: true },
    )
    tree.end()
    times.push(((performance.now() - began) * 1_000) / block)
  }
  const updates = rounds * block
  const perKey = ({ user, system }: NodeJS.CpuUsage) => (user + system) / updates
  const [all, own] = [perKey(process.cpuUsage(cpu)), perKey(process.threadCpuUsage(loop))]
  const at = { keys, 'a block': block, mix }
  const middle = quantile(
    times.toSorted((a, b) => a - b),
    0.5,
  )
  give('a key', 'us', middle, { at, ...(isTarget && { target: { under: TARGET.us } }) })
  give('event loop a key', 'us', own, { at })
  give('CPU a key, all threads', 'us', all, { at })
  give('pages read a key', '', counts.reads / updates, { at })
  give('bytes written a key', 'B', bytes / updates, { at })
}

function counting(database: Database, counts: { reads: number }): Pick<Database, 'getSync'> {
  return {
    getSync: (key) => {
      counts.reads += 1
      return database.getSync(key)
    },
  }
}

function* counted(
  operations: Iterable<DatabaseOperation>,
  count: (bytes: number) => void,
): Generator<DatabaseOperation> {
  for (const operation of operations) {
    count(operation.key.length + (operation.type === 'put' ? operation.value.length : 0))
    yield operation
  }
}

/** In the order of the numbers. */
function keyOf(number: number): Uint8Array {
  return new TextEncoder().encode(`batch root ${String(number).padStart(12, '0')}`)
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
