// A newcomer among real nodes in this process: it has keys and the genesis, and begins with a snapshot.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { test } from 'uvu'
import { createDevnet, type Devnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { type RunningNode, startNode } from '../src/node.ts'

const NODES = 4
const NEWCOMER = 3

async function start(devnet: Devnet, index: number, flags: Record<string, string> = {}) {
  const home = devnet.nodes[index]?.home ?? ''
  return startNode(
    await loadNodeOptions({ home, flags: { 'log.level': 'error', ...flags }, env: {} }),
  )
}

async function until<T>(read: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = Date.now() + 30_000
  while (Date.now() < end) {
    const value = await read()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited for ${what}`)
}

async function snapshotsOf(node: RunningNode) {
  return (await createClient(node.api).snapshots()).items
}

test('members take the same snapshots while they run, and a newcomer begins with one and follows', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-newcomer-'))
  const running: RunningNode[] = []
  try {
    const { basePort } = await findPortBlock(0, NODES)
    const devnet = await createDevnet({
      dir,
      nodes: NODES,
      basePort,
      name: 'newcomer',
      heartbeatMs: 100,
      parameters: { snapshotInterval: 10, expiryWindowMs: 1_500 },
    })
    await writeDevnetConfigs(devnet)
    for (const index of [0, 1, 2]) running.push(await start(devnet, index))
    const [first] = running
    assert.ok(first)
    await until(async () => (first.height() >= 45 ? true : undefined), 'blocks')
    const same = await until(async () => {
      const all = await Promise.all(running.map(snapshotsOf))
      const digests = new Set(all.map((items) => items[0]?.digest ?? ''))
      return digests.size === 1 && all[0]?.[0] !== undefined ? all[0] : undefined
    }, 'one digest')
    assert.equal((same[0]?.height ?? 1) % 10, 0)
    assert.ok(same.length <= 3)

    const newcomer = await start(devnet, NEWCOMER, { 'sync.mode': 'snapshot' })
    running.push(newcomer)
    const client = createClient(newcomer.api)
    const { storage, chain } = await client.status()
    assert.ok(storage.base > 0, 'it has nothing of the first blocks')
    assert.ok(chain.height > storage.base)
    await until(async () => (newcomer.height() >= first.height() ? true : undefined), 'the tip')
    const height = newcomer.height()
    const ofBoth = await Promise.all([client.block(height), createClient(first.api).block(height)])
    assert.equal(ofBoth[0].digest, ofBoth[1].digest)
    await assert.rejects(client.block(1), { code: 'pruned', status: 410 })

    await running.shift()?.close()
    await until(
      async () => (newcomer.height() > height + 5 ? true : undefined),
      'blocks that need the vote of the newcomer',
    )
    await newcomer.close()
    running.pop()
    const again = await start(devnet, NEWCOMER)
    running.push(again)
    const { storage: kept } = await createClient(again.api).status()
    assert.equal(kept.base, storage.base)
    await until(async () => (again.height() > height + 10 ? true : undefined), 'blocks again')
  } finally {
    for (const node of running.toReversed()) await node.close()
    await rm(dir, { recursive: true, force: true })
  }
})

test.run()
