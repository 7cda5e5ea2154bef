// Applies 2,000 new keys to trees of 10,000 and 100,000:
// `npx node packages/storage/bench/state-tree.ts`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../src/database.ts'
import { type StateEntry, StateTree } from '../src/state-tree.ts'

const NEW_KEYS = 2_000
const ROUNDS = 11

let made = 0

function newEntries(count: number): StateEntry[] {
  return Array.from({ length: count }, () => {
    made += 1
    return { key: new TextEncoder().encode(`batch root ${made}`), value: new Uint8Array(40) }
  })
}

function median(times: number[]): string {
  return (times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0).toFixed(1)
}

async function measure(size: number, folder: string): Promise<void> {
  const database = await openDatabase(join(folder, `${size}`), { name: 'chain' })
  const tree = StateTree.open(database)
  for (let done = 0; done < size; done += 10_000) {
    await database.batch(tree.begin(tree.view().apply(newEntries(10_000))), { sync: false })
    tree.end()
  }
  const times: Record<'apply' | 'encode' | 'write' | 'get' | 'prove', number[]> = {
    apply: [],
    encode: [],
    write: [],
    get: [],
    prove: [],
  }
  let operations = 0
  let bytes = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const entries = newEntries(NEW_KEYS)
    let last = performance.now()
    const lap = (name: keyof typeof times) => {
      const now = performance.now()
      times[name].push(now - last)
      last = now
    }
    const view = tree.view().apply(entries)
    lap('apply')
    const batch = tree.begin(view)
    lap('encode')
    await database.batch(batch, { sync: true })
    lap('write')
    tree.end()
    last = performance.now()
    for (const { key } of entries) view.get(key)
    lap('get')
    for (const { key } of entries) view.prove(key)
    lap('prove')
    operations = batch.length
    bytes = batch.reduce((sum, each) => sum + (each.type === 'put' ? each.value.length : 0), 0)
  }
  await database.close()
  console.log(
    `state tree of ${size}, ${NEW_KEYS} new keys: apply ${median(times.apply)} ms, ` +
      `encode ${median(times.encode)} ms, write ${median(times.write)} ms ` +
      `(${operations} operations, ${(bytes / 1e6).toFixed(1)} MB), ` +
      `get all ${median(times.get)} ms, prove all ${median(times.prove)} ms`,
  )
}

const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
try {
  await measure(10_000, folder)
  await measure(100_000, folder)
} finally {
  await rm(folder, { recursive: true })
}
