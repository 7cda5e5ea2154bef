// A home whose node has stopped, whole and broken, read through the API.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { test } from 'uvu'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { inspectHome } from '../src/inspect.ts'
import { loadNodeOptions, type NodeOptions } from '../src/load-options.ts'
import { startNode } from '../src/node.ts'

async function withStopped(
  scenario: (options: NodeOptions, height: number) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'mooring-inspect-'))
  try {
    const { basePort } = await findPortBlock(0, 1)
    const devnet = await createDevnet({ dir, nodes: 1, basePort, name: 'x', heartbeatMs: 50 })
    await writeDevnetConfigs(devnet)
    const home = devnet.nodes[0]?.home ?? ''
    const flags = { 'log.level': 'silent' }
    const options = await loadNodeOptions({ home, flags, env: {} })
    const node = await startNode(options)
    while (node.height() < 5) await new Promise((resolve) => setTimeout(resolve, 20))
    await node.close()
    await scenario(options, node.height())
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const isReadOnly = { code: 'read_only_view', status: 503 }

test('a stopped home tells its blocks, its checkpoint and that it is stopped; nothing can be given to it', () =>
  withStopped(async (options, height) => {
    const inspection = await inspectHome(options, '127.0.0.1:0')
    try {
      const client = createClient(inspection.url)
      assert.deepEqual(
        inspection.parts.map(({ part, isReadable }) => [part, isReadable]),
        [
          ['chain', true],
          ['records', true],
          ['vault', true],
        ],
      )
      const status = await client.status()
      assert.ok(status.chain.height >= height - 1)
      assert.equal(status.consensus.stall?.code, 'read_only_view')
      const block = await client.block('latest')
      assert.equal(block.height, status.chain.height)
      assert.equal((await client.blocks({ limit: 3 })).items.length, 3)
      assert.equal((await client.checkpoint('latest')).digest, block.digest)
      await assert.rejects(client.ready(), { code: 'not_ready' })
      assert.equal((await client.live()).status, 'ok')
      await assert.rejects(client.peers(), isReadOnly)
      await assert.rejects(client.prune(), isReadOnly)
      await assert.rejects(client.submitTransaction(new Uint8Array([1])), isReadOnly)
      await assert.rejects(startNode(options), { code: 'locked' })
    } finally {
      await inspection.close()
    }
    const again = await startNode(options)
    assert.ok(again.height() >= height - 1, 'nothing was changed')
    await again.close()
  }))

test('of a broken home the rest is read; of one that is all broken the reason is told', () =>
  withStopped(async (options) => {
    const chain = join(options.storage.dir, 'chain')
    writeFileSync(join(chain, 'CURRENT'), 'MANIFEST-999999\n')
    const inspection = await inspectHome(options, '127.0.0.1:0')
    try {
      const client = createClient(inspection.url)
      assert.equal(inspection.parts.find(({ part }) => part === 'chain')?.isReadable, false)
      assert.match(await client.genesis(), /networkName/)
      await assert.rejects(client.block('latest'), isReadOnly)
      await assert.rejects(client.ready(), (error: Error) => /chain/.test(JSON.stringify(error)))
    } finally {
      await inspection.close()
    }
    for (const name of ['records', 'vault'])
      writeFileSync(join(options.storage.dir, name, 'CURRENT'), 'MANIFEST-999999\n')
    await assert.rejects(inspectHome(options, '127.0.0.1:0'), { code: 'nothing_readable' })
    assert.ok(readdirSync(chain).length > 0)
  }))

test.run()
