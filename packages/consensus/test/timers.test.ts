import assert from 'node:assert/strict'
import { test } from 'uvu'
import { Bench, blockOn, configOf, GENESIS } from './fixture.ts'

test('a leader that has proposed waits for the votes as long as everybody else', () => {
  const bench = new Bench(configOf(1))
  bench.feed({ type: 'work', waiting: true })
  bench.feed({ type: 'built', view: 1, block: blockOn(GENESIS, 1), failed: false })
  bench.timer('leader')
  assert.deepEqual(bench.given(), ['notarize 1'])
  bench.timer('certification')
  assert.deepEqual(bench.given(), ['notarize 1', 'nullify 1'])
})

test.run()
