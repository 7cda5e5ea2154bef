import assert from 'node:assert/strict'
import { join } from 'node:path'
import { startApi } from '@mooring/api'
import { catalogEntry } from '@mooring/node'
import { test } from 'uvu'
import { memoryPeers } from '../../api/test/memory-peers.ts'
import { OPEN_ACCESS } from '../../api/test/open-access.ts'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { inWorld, runIn, type World } from './world.ts'

const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

test('an operator books, bans and lets in again, over the admin socket', () =>
  withSocket(async ({ run }) => {
    const added = await run(`peer add ${PEER} --address /ip4/203.0.113.7/tcp/7420 --note archive`)
    assert.equal(added.code, 0, added.stderr)
    const banned = await run(`peer ban ${PEER} 203.0.113.9 --reason stolen --json`)
    assert.deepEqual(
      bansIn(banned.stdout).map(({ target }) => target),
      [PEER, '203.0.113.9'],
    )
    const list = await run('peer list')
    assert.match(list.stdout, /12D3KooWDpJ7… +banned +– +– +until it is lifted: stolen/)
    assert.match(list.stdout, /^banned {2}203\.0\.113\.9 {2}until it is lifted: stolen$/m)
    const shown = await run(`peer show ${PEER}`)
    assert.match(shown.stdout, /^dialled at {2}\/ip4\/203\.0\.113\.7\/tcp\/7420$/m)
    assert.equal((await run('peer unban --all')).stdout, 'lifted 2 of the bans\n')
    assert.equal((await run('peer unban --all')).stdout, 'nobody was banned\n')
    assert.equal((await run(`peer remove ${PEER}`)).code, 0)
    const gone = await run(`peer remove ${PEER}`)
    assert.equal(gone.code, 6)
    assert.match(gone.stderr, /\(MOR-1282\)/)
    assert.equal((await run(`peer show ${PEER}`)).code, 6)
  }))

test('connections are made, measured and probed, and what fails says how to go on', () =>
  withSocket(async ({ run, node }) => {
    assert.equal((await run(`peer connect ${PEER}`)).stdout, `${PEER} is connected\n`)
    const pings = await run(`peer ping ${PEER} --count 3`)
    assert.match(pings.stdout, /^1\.5 ms\n1\.5 ms\n1\.5 ms\n3 of 3 answered {2}min 1\.5 ms/)
    assert.equal((await run(`peer probe ${PEER} --json`)).code, 0)
    Object.assign(node.admin.peers, {
      connect: (peerId: string) =>
        Promise.resolve({
          peerId,
          connected: false,
          code: 'dial_failed',
          detail: 'nobody is there',
        }),
      probe: (peerId: string) =>
        Promise.resolve({
          peerId,
          name: 'riverside',
          ok: false,
          height: null,
          steps: [
            { step: 'tcp', address: '/ip4/203.0.113.7/tcp/7420', ok: false, ms: 3, detail: 'cut' },
          ],
        }),
    })
    const failed = await run(`peer connect ${PEER}`)
    assert.equal(failed.code, 4)
    assert.equal(failed.stdout, '')
    assert.match(failed.stderr, /nobody is there/)
    const probed = await run(`peer probe ${PEER}`)
    assert.equal(probed.code, 4)
    assert.match(probed.stderr, /\[fail\] tcp +3\.0 ms {2}\/ip4\/203\.0\.113\.7\/tcp\/7420 {2}cut/)
  }))

test('what is missing on the line is asked for before anything is sent', () =>
  withSocket(async ({ run }) => {
    for (const line of ['peer ban', 'peer unban', 'peer ban x --for soon', 'peer ping x --count y'])
      assert.equal((await run(line)).code, 2, line)
    assert.equal((await run(`peer ping ${PEER} --count 21`)).code, 2)
  }))

function bansIn(text: string): { target: string }[] {
  const document: { bans: { target: string }[] } = JSON.parse(text)
  return document.bans
}

async function withSocket(
  scenario: (world: World & { node: MemoryNode }) => Promise<void>,
): Promise<void> {
  await inWorld(async ({ folder }) => {
    const node = new MemoryNode()
    Object.assign(node.admin, { peers: memoryPeers() })
    const socket = join(folder, 'admin.sock')
    const api = await startApi(
      {
        listen: '127.0.0.1:0',
        metricsListen: null,
        adminSocket: socket,
        hostNames: [],
        catalogue: catalogEntry,
        access: OPEN_ACCESS,
        cursorKey: new Uint8Array(32).fill(7),
        limits: { closeTimeoutMs: 200 },
      },
      node,
    )
    const env = { MOORING_ENDPOINT: `unix:${socket}` }
    try {
      await scenario({ folder, node, run: (line, rest) => runIn(folder, line, { ...rest, env }) })
    } finally {
      await api.close()
    }
  })
}

test.run()
