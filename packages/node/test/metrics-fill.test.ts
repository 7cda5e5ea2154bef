import assert from 'node:assert/strict'
import { genesisDigest } from '@mooring/ledger'
import { type Network, startNetwork } from '@mooring/network'
import { Journal, MemoryFileSystem, StorageError } from '@mooring/storage'
import { test } from 'uvu'
import { Health } from '../src/health.ts'
import { createMetrics, type Metrics } from '../src/metrics.ts'
import { fillMetrics, measuredJournal, type MetricsFill } from '../src/metrics-fill.ts'
import { keyOf, NAMES, nullifyOf, votesBy } from './chain-members.ts'
import { type World, withWorld } from './chain-world.ts'
import { TestClock } from './test-clock.ts'

const API = {
  inFlight: 3,
  waiting: 0,
  streams: 2,
  streamsEnded: { gone: 9, slow_consumer: 4, closing: 0, failed: 1 },
}

interface Filled {
  world: World
  metrics: Metrics
  fill: MetricsFill
  /** The lines of a scrape that are about this metric, its labels in front of its value. */
  scrape: (name: string) => Promise<string[]>
}

async function withMetrics(work: (filled: Filled) => Promise<void>): Promise<void> {
  await withWorld(async (world) => {
    const network = await alone(world)
    const parts = {
      ...world.parts,
      network: { ...world.parts.network, stats: () => network.stats() },
      // Whoever may serve blocks may serve wrong ones, a guest of a local list included.
      sync: {
        isActive: false,
        progress: () => ({
          ...world.parts.sync.progress(),
          bad: [
            { name: 'county', reason: 'forged', count: 2 },
            { name: '12D3KooWguest', reason: 'forged', count: 7 },
          ],
        }),
      },
    }
    const disk = { current: () => ({ bytes: 4_096, freeBytes: 1 << 20 }) }
    const health = new Health(parts, { votes: world.votes, disk, onAlarm: () => undefined })
    const metrics = createMetrics()
    const { votes } = world
    const fill = fillMetrics(parts, { metrics, health, votes, disk, api: () => API })
    const scrape = async (name: string) => {
      const lines = (await metrics.text()).split('\n')
      const full = `mooring_${name}`
      return lines
        .filter((line) => line.startsWith(`${full} `) || line.startsWith(`${full}{`))
        .map((line) => line.slice(full.length).trim())
    }
    try {
      await work({ world, metrics, fill, scrape })
    } finally {
      fill.close()
      health.close()
      metrics.close()
      await network.close()
    }
  })
}

/** The names of a scrape with their labels, without values. */
function seriesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('mooring_'))
  return lines.map((line) => line.slice(0, line.lastIndexOf(' ')))
}

/** A network part that knows no other member, for its counters. */
function alone({ genesis, parts }: World): Promise<Network> {
  return startNetwork(
    {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      transportSeed: keyOf('st-mary', 'transport').seed,
      networkId: parts.options.networkId,
      genesisDigest: genesisDigest(genesis),
      protocolVersions: [1, 2],
      members: () => [],
      addresses: () => [],
      log: () => undefined,
    },
    {
      onMessage: () => undefined,
      onTransactions: () => 'ignore',
      onRequest: () => Promise.resolve(new Uint8Array()),
      onPeer: () => undefined,
      status: () => ({ height: 0 }),
    },
  )
}

test('a final block fills what is said of blocks, transactions and views', async () => {
  await withMetrics(async ({ world, scrape }) => {
    world.feed(votesBy([1, 2, 3], 'nullify', nullifyOf(1)))
    await world.finalize([world.anchor('st-mary', 1), world.anchor('county', 1)])
    world.clock.advance(2_000)
    await world.finalize()
    assert.deepEqual(await scrape('chain_final_height'), ['2'])
    assert.deepEqual(await scrape('chain_height'), ['2'])
    assert.deepEqual(await scrape('transactions_total'), [
      '{kind="record.anchor",result="final"} 2',
    ])
    assert.deepEqual(await scrape('chain_block_transactions_count'), ['2'])
    assert.deepEqual(await scrape('chain_block_interval_seconds_sum'), ['2'])
    assert.deepEqual(await scrape('chain_block_interval_seconds_count'), ['1'])
    assert.deepEqual(await scrape('consensus_view'), ['4'])
    assert.deepEqual(await scrape('consensus_views_total'), ['{result="nullified"} 1'])
    assert.deepEqual(await scrape('consensus_proposals_total'), [
      '{authority="riverside",result="nullified"} 1',
    ])
    assert.deepEqual(await scrape('consensus_authority_last_vote_view'), [
      '{authority="st-mary"} 0',
      '{authority="riverside"} 1',
      '{authority="county"} 1',
      '{authority="lakeview"} 1',
    ])
  })
})

test('a scrape reads health, peers and the doors as they are', async () => {
  await withMetrics(async ({ world, scrape }) => {
    await world.finalize()
    await world.mempool.submit(world.anchor('st-mary', 1))
    const away = world.peers.find(({ name }) => name === 'county')
    assert.ok(away)
    Object.assign(away, { connected: false, rttMs: null, direction: null })
    world.clock.advance(3_000)
    assert.deepEqual(await scrape('consensus_work_seconds'), ['3'])
    assert.deepEqual(await scrape('consensus_live'), ['3'])
    assert.deepEqual(await scrape('consensus_fault_tolerance_left'), ['0'])
    assert.deepEqual(await scrape('mempool_transactions'), ['1'])
    assert.deepEqual(await scrape('mempool_oldest_seconds'), ['3'])
    assert.deepEqual(await scrape('p2p_peers'), [
      '{kind="authority",direction="inbound"} 0',
      '{kind="authority",direction="outbound"} 2',
      '{kind="observer",direction="inbound"} 0',
      '{kind="observer",direction="outbound"} 1',
    ])
    assert.deepEqual(await scrape('sync_bad_answers'), ['{peer="county"} 2'])
    const up = await scrape('p2p_peer_up')
    assert.ok(up.includes('{peer="county"} 0') && up.includes('{peer="riverside"} 1'))
    assert.equal((await scrape('p2p_peer_rtt_seconds')).length, 3)
    assert.deepEqual(await scrape('db_size_bytes'), ['4096'])
    assert.deepEqual(await scrape('alarm_active'), ['{code="disk_low",severity="page"} 1'])
    assert.deepEqual(await scrape('ready'), ['0'])
    const conditions = await scrape('ready_condition')
    assert.ok(conditions.includes('{condition="disk"} 0'))
    assert.ok(conditions.includes('{condition="finality"} 1'))
    assert.deepEqual(await scrape('http_in_flight'), ['3'])
    assert.deepEqual(await scrape('sse_clients'), ['2'])
    const dropped = ['{reason="slow_consumer"} 4', '{reason="failed"} 1']
    assert.deepEqual(await scrape('sse_dropped_total'), dropped)
    assert.deepEqual(await scrape('sse_dropped_total'), dropped)
    assert.deepEqual(await scrape('node_role'), ['{role="authority"} 1'])
    assert.deepEqual(await scrape('network_info'), [
      `{network_id="${world.parts.options.networkId}"} 1`,
    ])
  })
})

test('votes, refusals, evidence and requests are counted as they happen', async () => {
  await withMetrics(async ({ world, fill, scrape }) => {
    world.feed({ type: 'work', waiting: true })
    world.clock.advance(1_000)
    assert.deepEqual(await scrape('consensus_nullify_total'), ['{reason="inactivity"} 1'])
    assert.deepEqual(await scrape('guard_last_signed_view'), ['1'])
    for (const code of ['mempool_full', 'wrong_sequence', 'bad_signature', 'root_seen'])
      fill.noteRefused(code)
    assert.deepEqual(await scrape('mempool_rejected_total'), [
      '{reason="full"} 1',
      '{reason="invalid"} 2',
      '{reason="duplicate"} 1',
    ])
    fill.noteOffence({ authority: 'county' })
    // Those that did nothing are counted from 0, so that the first one shows as an increase.
    const equivocations = await scrape('consensus_equivocations_total')
    assert.equal(equivocations.length, NAMES.length)
    assert.deepEqual(
      equivocations.filter((line) => !line.endsWith(' 0')),
      ['{authority="county"} 1'],
    )
    fill.observeRequest({ route: '/v1/status', method: 'GET', status: 200, seconds: 0.002 })
    assert.deepEqual(await scrape('http_requests_total'), [
      '{route="/v1/status",method="GET",status="200"} 1',
    ])
    assert.deepEqual(await scrape('http_request_seconds_count'), ['{route="/v1/status"} 1'])
  })
})

test('acceptance 13: a thousand strangers make no more series than one', async () => {
  await withMetrics(async ({ world, metrics, fill, scrape }) => {
    await world.finalize()
    await metrics.text()
    const before = seriesOf(await metrics.text())
    for (let count = 0; count < 1_000; count += 1) {
      const peerId = `12D3KooW${String(count).padStart(44, 'x')}`
      const stranger = { peerId, name: peerId, authority: false, connected: count % 2 === 0 }
      const known = { rttMs: 5, direction: 'inbound' as const, height: 3, lastError: null }
      world.peers.push({ ...stranger, ...known, lastHeard: 0, redialMs: 9, gossipScore: -4 })
      fill.noteRefused(`made up ${count}`)
    }
    const after = seriesOf(await metrics.text())
    assert.ok((await scrape('p2p_peers')).includes('{kind="guest",direction="inbound"} 500'))
    const fresh = after.filter((series) => !before.includes(series))
    assert.deepEqual(fresh.map((series) => series.replace(/\{.*/, '')).toSorted(), [
      'mooring_mempool_rejected_total',
      'mooring_p2p_peers',
    ])
    assert.ok(!after.join().includes('12D3Koo') && !after.join().includes('made up'))
  })
})

test('a journal that is measured is still the journal', async () => {
  const { journal } = await Journal.open({
    directory: '/guard',
    fileSystem: new MemoryFileSystem(),
  })
  const metrics = createMetrics()
  const measured = measuredJournal(journal, metrics, new TestClock())
  measured.advance({ epoch: 0, notarized: 5, nullified: 0, finalized: 0 })
  measured.append([{ epoch: 0, view: 5, type: 'vote', payload: Uint8Array.of(1) }])
  await measured.sync()
  assert.deepEqual(measured.marks, journal.marks)
  assert.equal(measured.marks.notarized, 5)
  const back = { epoch: 0, notarized: 4, nullified: 0, finalized: 0 }
  assert.throws(() => measured.advance(back), StorageError)
  const text = await metrics.text()
  assert.match(text, /mooring_guard_fsync_seconds_count 1/)
  assert.match(text, /mooring_guard_refusals_total\{reason="guard_regression"\} 1/)
  metrics.close()
  await journal.close()
})

test('every label is a member or a fixed word', async () => {
  await withMetrics(async ({ world, metrics }) => {
    await world.finalize([world.anchor('st-mary', 1)])
    world.clock.advance(60_000)
    const text = await metrics.text()
    assert.doesNotMatch(text, /12D3KooW|[0-9a-f]{32}|\/ip4\/|Hospital/)
    for (const [, value = ''] of text.matchAll(/(?:peer|authority)="([^"]*)"/g))
      assert.ok(
        world.parts.members.list.some(({ name }) => name === value),
        value,
      )
  })
})

test.run()
