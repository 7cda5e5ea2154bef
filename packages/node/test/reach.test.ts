import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Reach } from '../src/reach.ts'
import { TestClock } from './test-clock.ts'

function world() {
  const clock = new TestClock()
  const connected = new Set(['b'])
  let members = ['a', 'b', 'c']
  const returned: [string, number][] = []
  const reach = new Reach({
    clock,
    self: 'a',
    organisations: () => members.map((id) => ({ id })),
    isConnected: (id) => connected.has(id),
    onReturn: (id, awayMs) => returned.push([id, awayMs]),
  })
  reach.start()
  return { clock, connected, reach, returned, setMembers: (next: string[]) => (members = next) }
}

test('counts how long a member has not answered, and forgets it when it does', () => {
  const { clock, connected, reach, returned } = world()
  clock.advance(5_000)
  assert.equal(reach.awayMs('a'), 0)
  assert.equal(reach.awayMs('b'), 0)
  assert.equal(reach.awayMs('c'), 5_000)
  connected.add('c')
  assert.equal(reach.awayMs('c'), 0)
  clock.advance(1_000)
  assert.deepEqual(returned, [['c', 6_000]])
  connected.delete('c')
  clock.advance(3_000)
  assert.equal(reach.awayMs('c'), 2_000)
})

test('a member that was removed and comes again is counted anew', () => {
  const { clock, reach, setMembers } = world()
  clock.advance(9_000)
  setMembers(['a', 'b'])
  clock.advance(1_000)
  setMembers(['a', 'b', 'c'])
  clock.advance(2_000)
  assert.equal(reach.awayMs('c'), 1_000)
})

test.run()
