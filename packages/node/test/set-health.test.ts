import assert from 'node:assert/strict'
import { test } from 'uvu'
import {
  driverOf,
  dueShards,
  type HolderView,
  newHolderFor,
  type ShardFault,
  shardStates,
  strengthOf,
} from '../src/set-health.ts'

const GRACE_MS = 1_000
const SET = { k: 3, holders: ['a', 'b', 'c', 'd', 'e'] }

/** Members a to g of groups of their own but for f and g, which share one. */
function view(away: Record<string, number> = {}, members = 'abcdefg'): HolderView {
  return {
    organisations: () =>
      Array.from(members, (id) => ({ id, legalGroup: 'fg'.includes(id) ? 'fg' : id })),
    awayMs: (id) => away[id] ?? 0,
  }
}

function look(away: Record<string, number>, faults: [number, ShardFault][] = [], members?: string) {
  const seen = view(away, members)
  const states = shardStates(SET, seen, new Map(faults))
  return { seen, states, due: dueShards(SET, states, { view: seen, graceMs: GRACE_MS }) }
}

test('a set whose holders all answer is at full strength, and nothing is due', () => {
  const { states, due } = look({})
  assert.deepEqual(states, ['good', 'good', 'good', 'good', 'good'])
  assert.equal(strengthOf(SET, states), 'full')
  assert.equal(driverOf(SET, states), 'a')
  assert.deepEqual(due, [])
})

test('an unreachable holder weakens the set at once, and is replaced after the grace', () => {
  const soon = look({ b: GRACE_MS - 1 })
  assert.equal(strengthOf(SET, soon.states), 'degraded')
  assert.deepEqual(soon.due, [])
  assert.deepEqual(look({ b: GRACE_MS }).due, [1])
})

test('a removed member, a missing shard and a wrong one are due at once', () => {
  const { states, due } = look(
    {},
    [
      [1, 'missing'],
      [2, 'wrong'],
    ],
    'abcdf',
  )
  assert.deepEqual(states, ['good', 'missing', 'wrong', 'good', 'gone'])
  assert.deepEqual(due, [1, 2, 4])
  assert.equal(strengthOf(SET, states), 'lost')
})

test('with k shards left a set is at risk', () => {
  assert.equal(strengthOf(SET, look({ a: 1, b: 1 }).states), 'atRisk')
})

test('the first holder with a good shard drives', () => {
  assert.equal(driverOf(SET, look({ a: 1 }, [[1, 'missing']]).states), 'c')
  assert.equal(driverOf(SET, look({ a: 1, b: 1, c: 1, d: 1, e: 1 }).states), undefined)
})

test('a holder that came back empty gets its own shard again', () => {
  const { seen, states } = look({}, [[1, 'missing']])
  const how = { view: seen, states, ranking: ['f', 'b'] }
  assert.equal(newHolderFor(SET, 1, how), 'b')
})

test('a lost shard goes to the first of the ranking whose group has none of the set', () => {
  const { seen, states } = look({ b: GRACE_MS })
  const ranking = ['a', 'g', 'f', 'e']
  assert.equal(newHolderFor(SET, 1, { view: seen, states, ranking }), 'g')
  const without = look({ b: GRACE_MS, g: 1 })
  assert.equal(newHolderFor(SET, 1, { view: without.seen, states: without.states, ranking }), 'f')
})

test('no group gets a second shard, also while its holder does not answer', () => {
  const { seen, states } = look({ b: GRACE_MS, c: GRACE_MS }, [], 'abcde')
  const ranking = ['c', 'b', 'a', 'd', 'e']
  assert.equal(newHolderFor(SET, 1, { view: seen, states, ranking }), undefined)
})

test.run()
