// A member whose machine somebody else has votes for two blocks in one view, to one of the others. All
// honest nodes get to know it, name nobody else, and still know it after a restart; what they export is
// checked without any of them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import { commandEnvironment } from './command.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const HOSTILE = fileURLToPath(new URL('hostile-member.ts', import.meta.url))
const KNOWN_MS = 90_000

const starting = startDevnet()

async function addressOf(devnet: Devnet, index: number): Promise<string> {
  const { peerId } = nodeAt(devnet, index)
  const config = await readFile(join(nodeAt(devnet, 3).home, 'config', 'mooring.toml'), 'utf8')
  const found = [...config.matchAll(/\/ip4\/[^"]+\/p2p\/(\w+)/g)].find(([, id]) => id === peerId)
  assert.ok(found, `no address of node ${index}`)
  return found[0]
}

test('evidence against the guilty reaches all honest nodes, and names nobody else', async () => {
  const devnet = await starting
  await devnet.succeed('devnet kill 3')
  const { consensus } = await nodeAt(devnet, 0).client.status()
  const target = `equivocation-${consensus.view + 3}=${await addressOf(devnet, 0)}`
  const hostile = spawn(
    process.execPath,
    [HOSTILE, nodeAt(devnet, 3).home, devnet.genesisDigest, target],
    { cwd: devnet.folder, env: commandEnvironment(), stdio: ['pipe', 'ignore', 'inherit'] },
  )
  try {
    const honest = devnet.nodes.slice(0, 3)
    const lists = await eventually('all three know', KNOWN_MS, async () => {
      const pages = await Promise.all(honest.map(({ client }) => client.evidenceList()))
      return pages.every(({ items }) => items.length > 0) ? pages : undefined
    })
    const ids = lists.map(({ items }) => items.map(({ id }) => id))
    assert.deepEqual(ids, [ids[0], ids[0], ids[0]])
    const all = lists.flatMap(({ items }) => items)
    assert.deepEqual([...new Set(all.map(({ authority }) => authority))], ['hospital-3'])
    for (const { client, metrics } of honest) {
      const { alarms } = await client.status()
      assert.match(alarms.map(({ detail }) => detail).join(), /hospital-3 notarized two different/)
      const text = await (await fetch(`${metrics}/metrics`)).text()
      assert.match(text, /^mooring_consensus_equivocations_total\{authority="hospital-3"\} [1-9]/m)
    }
  } finally {
    const exit = once(hostile, 'exit')
    hostile.kill('SIGKILL')
    await exit
  }
})

test('it is kept over a restart, exported, and checked without a node', async () => {
  const devnet = await starting
  await devnet.succeed('devnet kill 2')
  await devnet.succeed('devnet restart 2')
  const { api, client } = nodeAt(devnet, 2)
  const [kept] = await eventually('the node answers again', KNOWN_MS, async () => {
    const { items } = await client.evidenceList()
    return items
  })
  assert.equal(kept?.authority, 'hospital-3')
  const list = await devnet.succeed(['evidence', 'list', '--endpoint', api])
  assert.match(list.stdout, /hospital-3 {2}notarized two different blocks/)
  const id = kept?.id ?? ''
  await devnet.succeed(['evidence', 'export', id, '-o', 'votes.cbor', '--endpoint', api])
  const words = ['evidence', 'verify', 'votes.cbor', '--genesis', devnet.genesisFile]
  const { stdout } = await devnet.succeed(words)
  assert.match(stdout, /^VERIFIED {2}hospital-3 notarized two different blocks/)
})

test('who was away learns of it when it comes back', async () => {
  const devnet = await starting
  await devnet.succeed('devnet restart 3')
  const { client } = nodeAt(devnet, 3)
  await eventually('the accused knows as well', KNOWN_MS, async () => {
    const { items } = await client.evidenceList()
    return items.length > 0 ? true : undefined
  })
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
