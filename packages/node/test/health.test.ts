import assert from 'node:assert/strict'
import type { HaltReason } from '@mooring/consensus'
import { StorageError } from '@mooring/storage'
import { test } from 'uvu'
import type { Alarm } from '../src/alarms.ts'
import { Health } from '../src/health.ts'
import type { NodeParts } from '../src/node-parts.ts'
import { NAMES } from './chain-members.ts'
import { type World, withWorld, type WorldOptions } from './chain-world.ts'
import { START } from './test-clock.ts'

const GIB = 1024 ** 3
const PLENTY = { bytes: 1_000, freeBytes: 100 * GIB }

interface Watched {
  world: World
  health: Health
  alarms: [code: string, isActive: boolean][]
  disk: { bytes: number | null; freeBytes: number | null }
  failing: () => string[]
}

async function watch(
  work: (watched: Watched) => Promise<void> | void,
  options: WorldOptions = {},
  changes: Partial<NodeParts> = {},
): Promise<void> {
  await withWorld(async (world) => {
    const alarms: Watched['alarms'] = []
    const disk = { ...PLENTY }
    const health = new Health(
      { ...world.parts, ...changes },
      {
        votes: world.votes,
        disk: { current: () => disk },
        onAlarm: ({ code }: Alarm, isActive) => alarms.push([code, isActive]),
      },
    )
    const failing = () =>
      health
        .ready()
        .filter(({ ok }) => !ok)
        .map(({ name }) => name)
    await work({ world, health, alarms, disk, failing })
    health.close()
  }, options)
}

/** Time passes while all peers are heard. */
function pass({ clock, peers }: World, ms: number): void {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(Math.min(500, ms - passed))
    for (const peer of peers) if (peer.connected) peer.lastHeard = clock.monotonic()
  }
}

const IDLE = { parameters: { heartbeatMs: 0 } }

test('a node that follows an idle chain is ready, for however long it is idle', async () => {
  await watch(async ({ world, health, alarms, failing }) => {
    await world.finalize([world.anchor('st-mary', 1)])
    for (let hours = 0; hours < 3; hours += 1) {
      pass(world, 600_000)
      assert.deepEqual(failing(), [])
      assert.equal(health.waitingMs(), 0)
      assert.equal(health.stall(), null)
    }
    assert.deepEqual(alarms, [])
    assert.deepEqual(
      health.ready().map(({ name }) => name),
      ['database', 'height', 'finality', 'heartbeat', 'peers', 'guard', 'disk', 'running'],
    )
    for (const { detail } of health.ready()) assert.match(detail, /^[A-Z0-9].*\.$/)
  }, IDLE)
})

test('an alarm that somebody has taken note of says so until it is over', async () => {
  await watch(({ health, disk }) => {
    assert.equal(health.acknowledge('disk_low', 'jane'), undefined)
    disk.freeBytes = 1
    assert.deepEqual(health.acknowledge('disk_low', 'jane: ordered'), { again: false })
    assert.equal(health.alarms()[0]?.acknowledged, 'jane: ordered')
    assert.deepEqual(health.acknowledge('disk_low', 'joe'), { again: true })
    disk.freeBytes = PLENTY.freeBytes
    assert.deepEqual(health.alarms(), [])
    disk.freeBytes = 1
    assert.equal(health.alarms()[0]?.acknowledged, null)
  }, IDLE)
})

test('work that waits longer than half a minute makes the node not ready and raises an alarm', async () => {
  await watch(async ({ world, health, alarms, failing }) => {
    await world.finalize()
    pass(world, 60_000)
    assert.equal((await world.mempool.submit(world.anchor('st-mary', 1))).status, 'accepted')
    pass(world, 4_500)
    assert.equal(health.waitingMs(), 4_500)
    assert.equal(health.stall(), null)
    pass(world, 500)
    assert.equal(health.stall()?.code, 'authorities_missing')
    assert.deepEqual(failing(), [])
    pass(world, 25_500)
    assert.deepEqual(failing(), ['finality'])
    assert.deepEqual(alarms, [['authorities_missing', true]])
    const [alarm] = health.alarms()
    assert.equal(alarm?.mor, 'MOR-3001')
    assert.equal(alarm?.severity, 'page')
    assert.match(
      alarm?.detail ?? '',
      /^No block finalized for 31s at height 1, view 2: need 3 of 4/,
    )

    await world.finalize([world.anchor('st-mary', 1)])
    assert.equal(health.waitingMs(), 0)
    assert.deepEqual(failing(), [])
    assert.deepEqual(health.alarms(), [])
    assert.deepEqual(alarms.at(-1), ['authorities_missing', false])
  }, IDLE)
})

test('a transaction that no block could carry is no work', async () => {
  await watch(async ({ world, health }) => {
    await world.finalize()
    assert.equal(world.mempool.receive([world.anchor('county', 3)]), 'accept')
    pass(world, 120_000)
    assert.equal(health.waitingMs(), 0)
    assert.equal(health.stall(), null)
    assert.equal(world.mempool.receive([world.anchor('county', 1)]), 'accept')
    pass(world, 4_000)
    assert.equal(health.waitingMs(), 4_000)
  }, IDLE)
})

test('under constant load the age counts from the last final block', async () => {
  await watch(async ({ world, health }) => {
    for (let sequence = 1; sequence <= 5; sequence += 1)
      await world.mempool.submit(world.anchor('st-mary', sequence))
    for (let sequence = 1; sequence <= 4; sequence += 1) {
      pass(world, 8_000)
      assert.equal(health.waitingMs(), 8_000)
      await world.finalize([world.anchor('st-mary', sequence)])
      assert.equal(health.waitingMs(), 0)
    }
    assert.equal(health.stall(), null)
  }, IDLE)
})

test('a heartbeat that does not come is waiting work, and three of them make the node not ready', async () => {
  await watch(
    async ({ world, health, failing }) => {
      await world.finalize()
      pass(world, 10_000)
      assert.equal(health.waitingMs(), 0)
      pass(world, 1_000)
      assert.equal(health.waitingMs(), 1_000)
      pass(world, 18_500)
      assert.deepEqual(failing(), [])
      pass(world, 500)
      assert.deepEqual(failing(), ['heartbeat'])
      pass(world, 15_000)
      assert.deepEqual(failing(), ['finality', 'heartbeat'])
    },
    { parameters: { heartbeatMs: 10_000 } },
  )
})

test('a node far behind is not ready', async () => {
  let best = 4
  await watch(
    async ({ world, health, failing }) => {
      await world.finalize()
      assert.deepEqual(failing(), [])
      best = 5
      assert.deepEqual(failing(), ['height'])
      const height = health.ready().find(({ name }) => name === 'height')
      assert.equal(height?.detail, 'Height 1 is 4 blocks behind 5; the node is catching up.')
    },
    IDLE,
    { bestKnownHeight: () => best },
  )
})

test('an authority needs a quorum, an observer a peer', async () => {
  await watch(({ world, failing }) => {
    for (const peer of world.peers) peer.connected = ['riverside', 'county'].includes(peer.name)
    assert.deepEqual(failing(), [])
    for (const peer of world.peers) peer.connected = peer.name === 'riverside'
    assert.deepEqual(failing(), ['peers'])
  }, IDLE)
  await watch(
    ({ world, failing }) => {
      for (const peer of world.peers) peer.connected = peer.name === 'riverside'
      assert.deepEqual(failing(), [])
      for (const peer of world.peers) peer.connected = false
      assert.deepEqual(failing(), ['peers'])
    },
    { ...IDLE, role: 'observer' },
  )
})

test('a halt and a drain are conditions, and only the halt is an alarm', async () => {
  let reason: HaltReason | null = null
  let isDraining = false
  await watch(
    ({ health, alarms, failing, world }) => {
      assert.deepEqual(failing(), [])
      reason = { code: 'state_diverged', digest: '0'.repeat(64), view: 7 }
      isDraining = true
      assert.deepEqual(failing(), ['guard', 'running'])
      pass(world, 1_000)
      assert.deepEqual(alarms, [['state_diverged', true]])
      const [alarm] = health.alarms()
      assert.equal(alarm?.mor, 'MOR-3011')
      assert.match(alarm?.detail ?? '', /^This node has stopped voting\. This node computes/)
      const { since } = alarm ?? {}
      pass(world, 5_000)
      assert.equal(since, new Date(START + 1_000).toISOString())
      assert.equal(health.alarms()[0]?.since, since)
    },
    IDLE,
    { halted: () => reason, isDraining: () => isDraining },
  )
})

test('a disk that fills is an alarm first, and a condition when it is nearly full', async () => {
  await watch(({ health, alarms, disk, failing }) => {
    disk.freeBytes = 0.3 * GIB
    assert.equal(health.alarms()[0]?.severity, 'ticket')
    assert.deepEqual(failing(), [])
    disk.freeBytes = 0.2 * GIB
    const [alarm] = health.alarms()
    assert.equal(alarm?.severity, 'page')
    assert.equal(alarm?.mor, 'MOR-1029')
    assert.equal(alarm?.detail, '204.8MiB are free for the data; it needs 256MiB.')
    assert.deepEqual(failing(), ['disk'])
    disk.freeBytes = null
    assert.deepEqual(failing(), [])
    assert.deepEqual(health.alarms(), [])
    assert.deepEqual(alarms, [
      ['disk_low', true],
      ['disk_low', false],
    ])
  }, IDLE)
})

function none(): undefined {
  return undefined
}

function failed(): never {
  throw new StorageError('full', 'the chain cannot be written', { path: '/srv/secret' })
}

test('a database that has failed is told by its title, without a path', async () => {
  await withWorld(({ parts, votes }) => {
    const chain = {
      tip: parts.chain.tip,
      state: failed,
      getBlock: none,
      getHeader: none,
      getReceipts: none,
      finalizationAtOrAfter: none,
      getTransaction: none,
      epochs: () => [],
      base: 0,
      prunedTo: 0,
    }
    const disk = { current: () => PLENTY }
    const health = new Health({ ...parts, chain }, { votes, disk, onAlarm: none })
    const database = health.ready().find(({ name }) => name === 'database')
    assert.deepEqual(database, { name: 'database', ok: false, detail: 'The disk is full.' })
    health.close()
  })
})

test('the node lives without peers, and not without timers', async () => {
  await watch(({ world, health }) => {
    for (const peer of world.peers) peer.connected = false
    world.clock.advance(600_000)
    assert.deepEqual(
      health.live().map(({ ok }) => ok),
      [true],
    )
    const { timers } = world.clock
    health.close()
    assert.equal(world.clock.timers, timers - 1)
    world.clock.advance(30_000)
    const [condition] = health.live()
    assert.equal(condition?.ok, false)
    assert.equal(condition?.detail, 'No timer has run for 30s.')
  }, IDLE)
})

test('no text names a path, a key or an address beyond those of members', async () => {
  await watch(async ({ world, health, disk }) => {
    disk.freeBytes = 1
    await world.mempool.submit(world.anchor('st-mary', 1))
    for (const peer of world.peers) peer.connected = false
    world.clock.advance(60_000)
    const texts = [...health.ready(), ...health.alarms()].map(({ detail }) => detail).join('\n')
    assert.doesNotMatch(texts, /[0-9a-f]{16}|12D3KooW|\/(?:tmp|home|srv)\//)
    for (const name of NAMES.slice(1)) assert.ok(texts.includes(name))
  }, IDLE)
})

test('a node that observes is not ready, and says until when and why', async () => {
  await watch(
    ({ world, health, alarms, failing }) => {
      pass(world, 1_000)
      assert.deepEqual(failing(), ['guard'])
      assert.deepEqual(alarms, [['observing', true]])
      const [alarm] = health.alarms()
      assert.match(alarm?.detail ?? '', /until view 9 because its vote journal was lost\.$/)
      return Promise.resolve()
    },
    IDLE,
    { observing: () => ({ until: 9, memory: 'lost' }) },
  )
})

test.run()
