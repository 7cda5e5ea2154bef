// Commands that look at a node, against a node in memory with a socket of its own.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDevnet } from '@mooring/node'
import { startApi } from '@mooring/api'
import { catalogEntry } from '@mooring/node'
import { test } from 'uvu'
import { OPEN_ACCESS } from '../../api/test/open-access.ts'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { inWorld, type World } from './world.ts'

type SeenWorld = World & { node: MemoryNode; endpoint: string }

function withSocket(scenario: (world: SeenWorld) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    const node = new MemoryNode()
    const adminSocket = join(world.folder, 'admin.sock')
    const api = await startApi(
      {
        listen: '127.0.0.1:0',
        metricsListen: null,
        adminSocket,
        access: OPEN_ACCESS,
        hostNames: [],
        catalogue: catalogEntry,
        cursorKey: new Uint8Array(32),
        limits: { closeTimeoutMs: 200 },
      },
      node,
    )
    const env = { MOORING_ENDPOINT: `unix:${adminSocket}` }
    const run: World['run'] = (line, rest = {}) => world.run(line, { env, ...rest })
    try {
      await scenario({ ...world, run, node, endpoint: api.url })
    } finally {
      await api.close()
    }
  })
}

test('alarms are listed, and noted by whoever acts on them', () =>
  withSocket(async ({ run }) => {
    const list = await run('alarm list')
    assert.equal(list.code, 0, list.stderr)
    assert.match(list.stdout, /No alarm is raised/)
    const noted = await run(['alarm', 'ack', 'disk_low', '--note', 'a disk is ordered', '--json'])
    assert.equal(JSON.parse(noted.stdout).by, 'socket')
    const gone = await run('alarm ack nothing_such')
    assert.equal(gone.code, 6)
    assert.match(gone.stderr, /MOR-1204/)
    assert.equal(gone.stdout, '')
  }))

test('the level of a running node is asked and changed; what is none is refused', () =>
  withSocket(async ({ run }) => {
    assert.equal((await run('debug log-level debug,p2p=trace')).stdout, 'debug,p2p=trace\n')
    assert.equal((await run('debug log-level')).stdout, 'debug,p2p=trace\n')
    const bad = await run('debug log-level !')
    assert.equal(bad.code, 2)
    assert.match(bad.stderr, /MOR-1205/)
  }))

test('a bundle is written whole, for its owner, and over nothing', () =>
  withSocket(async ({ run, folder }) => {
    const made = await run('debug bundle -o help.tar.gz')
    assert.equal(made.code, 0, made.stderr)
    assert.deepEqual(readFileSync(join(folder, 'help.tar.gz')), Buffer.from([0x1f, 0x8b]))
    assert.ok(!existsSync(join(folder, 'help.tar.gz.partial')))
    const again = await run('debug bundle -o help.tar.gz --json')
    assert.equal(again.code, 7)
    assert.match(again.stderr, /MOR-1036/)
  }))

test('events are told as they come, some kinds of them, from a height on', () =>
  withSocket(async ({ run, node }) => {
    for (let count = 0; count < 3; count += 1) node.finalize()
    const tail = await run('events tail --types block --from 1 --count 3 --json')
    assert.equal(tail.code, 0, tail.stderr)
    const events = tail.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      events.map(({ type, id, data }) => [type, id, data.height]),
      [
        ['block', '1.0', 1],
        ['block', '2.0', 2],
        ['block', '3.0', 3],
      ],
    )
    const bad = await run('events tail --types noise')
    assert.equal(bad.code, 2)
    assert.match(bad.stderr, /There are no "noise" events; there are block/)
  }))

test('a checkpoint whose header is not that of its digest is refused', () =>
  withSocket(async ({ run, node, folder }) => {
    assert.equal((await run('checkpoint show')).code, 6)
    node.finalize()
    const show = await run('checkpoint show')
    assert.notEqual(show.code, 0)
    assert.equal(show.stdout, '')
    assert.equal((await run('checkpoint export -o c.json')).stdout, '')
    assert.ok(!existsSync(join(folder, 'c.json')))
  }))

test('the doctor shows what was looked at, and ends with 7 when something failed', () =>
  withSocket(async ({ run, folder }) => {
    const online = await run('doctor')
    assert.equal(online.code, 0, online.stderr)
    assert.match(online.stdout, /^node\n {2}\[ ok \] {3}api: It answers\.\n1 ok, 0 warnings/)
    const { networkId } = await createDevnet({
      dir: folder,
      nodes: 1,
      basePort: 7420,
      name: 'x',
      heartbeatMs: 1_000,
    })
    assert.match(networkId, /^moor-/)
    const home = join(folder, 'hospital-0')
    const offline = `--home ${home} doctor --offline --skip ports,host`
    const well = await run(offline)
    assert.equal(well.code, 0, well.stdout)
    assert.match(well.stdout, /\[ skip \] disk/)
    writeFileSync(join(home, 'config', 'genesis.json'), '{')
    const broken = await run(`${offline} --json`)
    assert.equal(broken.code, 7)
    const { ok, items } = JSON.parse(broken.stdout)
    assert.equal(ok, false)
    const genesis = items.find(({ name }: { name: string }) => name === 'genesis')
    assert.equal(genesis.result, 'fail')
  }))

test.run()
