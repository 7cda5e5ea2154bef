import assert from 'node:assert/strict'
import type { ApiEvent } from '@mooring/api'
import { test } from 'uvu'
import { EventFeed } from '../src/event-feed.ts'
import { withWorld } from './chain-world.ts'

async function read(feed: EventFeed, from: number): Promise<ApiEvent[]> {
  const events: ApiEvent[] = []
  for await (const event of feed.eventsFrom(from)) events.push(event)
  return events
}

test('what is read later is what was told live, each event at its place', async () => {
  await withWorld(async (world) => {
    const feed = new EventFeed(world.parts)
    const live: ApiEvent[] = []
    feed.subscribe((event) => live.push(event))
    const [first, second, third] = [1, 2, 3].map((sequence) => world.anchor('st-mary', sequence))
    assert.ok(first && second && third)
    await world.finalize([first, second])
    world.clock.advance(1_000)
    await world.finalize([], [third, world.anchor('county', 1)])

    const places = live.map(({ type, place }) => [type, place?.height, place?.index])
    assert.deepEqual(places, [
      ['block', 1, 0],
      ['transaction', 1, 1],
      ['transaction', 1, 2],
      ['block', 2, 0],
      ['block', 3, 0],
      ['transaction', 3, 1],
      ['transaction', 3, 2],
    ])
    assert.deepEqual(await read(feed, 0), live)
    assert.deepEqual(await read(feed, 3), live.slice(4))
    assert.deepEqual(await read(feed, 4), [])
    assert.deepEqual(live[5]?.body, {
      id: world.idOf(third),
      height: 3,
      index: 0,
      kind: 'record.anchor',
      organisation: 'st-mary',
      sequence: 3,
    })
    assert.equal(feed.oldestHeight(), 1)
    feed.close()
  })
})

test('a placed event is told only when a reader would find it', async () => {
  await withWorld(async (world) => {
    const feed = new EventFeed(world.parts)
    const tips: number[] = []
    feed.subscribe(({ place }) => {
      assert.ok(place !== null && place.height <= world.parts.chain.tip.height)
      tips.push(world.parts.chain.tip.height)
    })
    await world.finalize([], [])
    assert.deepEqual(tips, [2, 2])
    feed.close()
  })
})

test('a block that becomes final while the history is read is read as well', async () => {
  await withWorld(async (world) => {
    const feed = new EventFeed(world.parts)
    await world.finalize()
    const heights: (number | undefined)[] = []
    for await (const { place } of feed.eventsFrom(1)) {
      heights.push(place?.height)
      if (heights.length === 1) await world.finalize()
    }
    assert.deepEqual(heights, [1, 2])
    feed.close()
  })
})

test('news of this node has no place, and who left hears nothing', async () => {
  await withWorld(async (world) => {
    const feed = new EventFeed(world.parts)
    const told: ApiEvent[] = []
    const unsubscribe = feed.subscribe((event) => told.push(event))
    const alarm = {
      code: 'disk_low',
      mor: 'MOR-1029',
      detail: 'x',
      acknowledged: null,
      since: '2026-11-20T09:00:00Z',
    }
    feed.tellRecord({ id: 'ab', status: 'anchored', height: 7 })
    feed.tellPeer({ name: 'riverside', peerId: '12D3', connected: false })
    feed.tellMember({ organisation: 'riverside', change: 'promoted' })
    feed.tellAlarm({ ...alarm, severity: 'page' }, true)
    assert.deepEqual(
      told.map(({ type, place }) => [type, place]),
      [
        ['record', null],
        ['peer', null],
        ['member', null],
        ['alarm', null],
      ],
    )
    assert.deepEqual(told[3]?.body, { ...alarm, severity: 'page', active: true })
    unsubscribe()
    feed.tellPeer({ name: 'riverside', peerId: '12D3', connected: true })
    await world.finalize()
    assert.equal(told.length, 4)
    feed.close()
  })
})

test.run()
