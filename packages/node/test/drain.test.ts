// Two whole nodes in this process: what one sees of the other, and its orderly stop as the other sees it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { connectClient } from '@mooring/api/node-client'
import { test } from 'uvu'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { type RunningNode, startNode } from '../src/node.ts'

interface Two {
  first: RunningNode
  second: RunningNode
  home: string
  metrics: string
  again: () => Promise<RunningNode>
}

async function withTwo(scenario: (two: Two) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-drain-'))
  const running: RunningNode[] = []
  try {
    const { basePort } = await findPortBlock(0, 2)
    const devnet = await createDevnet({ dir, nodes: 2, basePort, name: 'drain', heartbeatMs: 200 })
    await writeDevnetConfigs(devnet)
    const start = async (index: number): Promise<RunningNode> => {
      const home = devnet.nodes[index]?.home ?? ''
      const flags = { 'log.file': 'logs/node.log', 'log.format': 'json', 'shutdown.grace': '500ms' }
      const node = await startNode(await loadNodeOptions({ home, flags, env: {} }))
      running.push(node)
      return node
    }
    const [first, second] = [await start(0), await start(1)]
    const home = devnet.nodes[0]?.home ?? ''
    const metrics = `http://127.0.0.1:${basePort + 3}`
    await scenario({ first, second, home, metrics, again: () => start(0) })
  } finally {
    for (const node of running) await node.close()
    await rm(dir, { recursive: true, force: true })
  }
}

async function until<T>(read: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = Date.now() + 20_000
  while (Date.now() < end) {
    const value = await read()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited for ${what}`)
}

const stepsIn = (log: string): string[] =>
  log.split('\n').flatMap((line) => /"step":"(\w+)".*"the node is stopping"/.exec(line)?.[1] ?? [])

test('a node that stops is not ready first, then takes no work, votes no more, and says goodbye', () =>
  withTwo(async ({ first, second, home, metrics, again }) => {
    await until(async () => (first.height() >= 2 ? true : undefined), 'blocks')
    const client = createClient(first.api)
    const stream = await fetch(`${first.api}/v1/events?types=peer`)
    const heard = stream.text()
    assert.equal((await fetch(`${metrics}/readyz`)).status, 200)
    const before = (await client.status()).chain.height

    const closing = first.close()
    const refused = await until(async () => {
      const answer = await fetch(`${metrics}/readyz`)
      return answer.status === 503 ? await answer.text() : undefined
    }, 'a node that is not ready')
    assert.match(refused, /"code":"running"/)
    assert.ok((await client.status()).chain.height >= before, 'reading goes on in the grace')
    await closing
    assert.match(await heard, /retry: 3000\nevent: bye\ndata: {"code":"closing"}\n\n$/)
    const other = createClient(second.api)
    await until(
      async () => ((await other.status()).peers.connected === 0 ? true : undefined),
      'the other to know',
    )
    assert.deepEqual(stepsIn(readFileSync(join(home, 'logs', 'node.log'), 'utf8')), [
      'not_ready',
      'no_new_work',
      'votes_journalled',
      'peers_told',
      'api_closed',
    ])
    assert.equal(existsSync(join(home, 'run', 'mooring.pid')), false)
    await assert.rejects(fetch(first.api))

    const restarted = await again()
    const height = restarted.height()
    await until(async () => (restarted.height() > height + 1 ? true : undefined), 'a vote again')
  }))

test('what it takes another member to see is looked at: delays, clocks, dial-back, connections', () =>
  withTwo(async ({ first, second, home }) => {
    await until(async () => (first.height() >= 8 ? true : undefined), 'blocks')
    const { admin } = connectClient(`unix:${join(home, 'run', 'admin.sock')}`)
    const look = async () => {
      const { items } = await admin.seeing.checks()
      return new Map(items.map((check) => [check.name, check]))
    }
    const well = await look()
    for (const name of ['connections', 'delays', 'clocks', 'dial_back'])
      assert.equal(well.get(name)?.result, 'ok', JSON.stringify(well.get(name)))
    assert.match(well.get('dial_back')?.detail ?? '', /hospital-1 reaches this node at \/ip4\/127/)
    // One other member has it: two would make it sure.
    assert.equal(well.get('checkpoints')?.result, 'warn')
    assert.match(well.get('checkpoints')?.detail ?? '', /is the same at hospital-1/)
    await second.close()
    const alone = await look()
    assert.equal(alone.get('connections')?.result, 'fail')
    assert.match(alone.get('connections')?.detail ?? '', /hospital-1/)
  }))

test('closing twice is closing once', () =>
  withTwo(async ({ first }) => {
    await Promise.all([first.close(), first.close()])
    await first.close()
  }))

test.run()
