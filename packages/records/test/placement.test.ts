import assert from 'node:assert/strict'
import { sha256 } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import {
  placementOrder,
  placeShards,
  type PossibleHolder,
  RecordsError,
  splitOf,
} from '../src/index.ts'

const setOf = (number: number) => sha256(Uint8Array.of(number, number >> 8))

const members: PossibleHolder[] = [
  { id: 'st-anna', legalGroup: 'Anna' },
  { id: 'riverside', legalGroup: 'River' },
  { id: 'riverside-north', legalGroup: 'River' },
  { id: 'county', legalGroup: 'County' },
  { id: 'lakeview', legalGroup: 'Lake' },
  { id: 'hill', legalGroup: 'Hill' },
  { id: 'valley', legalGroup: 'Valley' },
]
const groupOf = new Map(members.map(({ id, legalGroup }) => [id, legalGroup]))

const anyMembers = fc.uniqueArray(
  fc.record({ id: fc.stringMatching(/^[a-z]{1,8}$/), legalGroup: fc.stringMatching(/^[A-E]$/) }),
  { selector: ({ id }) => id, maxLength: 12 },
)

test('k of n by the number of legal groups', () => {
  const table = [0, 1, 2, 3, 4, 5, 6, 100].map((groups) => splitOf(groups))
  assert.deepEqual(table, [
    undefined,
    undefined,
    undefined,
    { k: 2, n: 3 },
    { k: 2, n: 4 },
    { k: 3, n: 5 },
    { k: 3, n: 5 },
    { k: 3, n: 5 },
  ])
})

test('a set has one holder of every legal group, and the order of the members does not matter', () => {
  fc.assert(
    fc.property(anyMembers, fc.nat(60_000), fc.nat(), (some, number, turn) => {
      const setId = setOf(number)
      const order = placementOrder(setId, some)
      const groups = new Map(some.map(({ id, legalGroup }) => [id, legalGroup]))
      const reached = order.map((id) => groups.get(id))
      assert.equal(new Set(reached).size, order.length)
      assert.equal(order.length, new Set(groups.values()).size)
      const turned = [...some.slice(turn % 12), ...some.slice(0, turn % 12)]
      assert.deepEqual(placementOrder(setId, turned), order)
      assert.deepEqual(placeShards(setId, some, order.length), order)
    }),
  )
})

test('who leaves is replaced, and nothing else moves', () => {
  for (let number = 0; number < 300; number += 1) {
    const before = placementOrder(setOf(number), members)
    for (const gone of members) {
      const after = placementOrder(
        setOf(number),
        members.filter(({ id }) => id !== gone.id),
      )
      const group = gone.legalGroup
      const others = (order: string[]) => order.filter((id) => groupOf.get(id) !== group)
      assert.deepEqual(others(after), others(before))
    }
  }
})

test('shards spread evenly over groups, and within a group over its organisations', () => {
  const counts = new Map<string, number>()
  const sets = 6000
  for (let number = 0; number < sets; number += 1) {
    for (const id of placeShards(setOf(number), members, 3)) {
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
  }
  const share = (...ids: string[]) =>
    ids.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0) / (sets / 2)
  for (const id of ['st-anna', 'county', 'lakeview', 'hill', 'valley']) {
    assert.ok(Math.abs(share(id) - 1) < 0.08, `${id} ${share(id)}`)
  }
  assert.ok(Math.abs(share('riverside', 'riverside-north') - 1) < 0.08)
  assert.ok(Math.abs(share('riverside') - 0.5) < 0.08)
})

test('more shards than legal groups are refused', () => {
  assert.throws(
    () => placeShards(setOf(1), members, 7),
    (error) => error instanceof RecordsError && error.code === 'out_of_range',
  )
})

test.run()
