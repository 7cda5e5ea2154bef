import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { defaultLimits } from '../src/index.ts'
import { backoffMs, parseAddress } from '../src/neighbour.ts'

const PEER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

test('the first retries come within a third of a second', () => {
  for (let failures = 0; failures < defaultLimits.fastRetries; failures += 1) {
    assert.ok(backoffMs(failures, defaultLimits, 0.99) <= 300)
    assert.ok(backoffMs(failures, defaultLimits, 0) >= 200)
  }
})

test('later retries stay between one second and thirty, for ever', () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true })
  const property = fc.property(fc.integer({ min: 8, max: 1e9 }), unit, (failures, random) => {
    const delayMs = backoffMs(failures, defaultLimits, random)
    assert.ok(delayMs >= 1_000 && delayMs <= 30_000, String(delayMs))
  })
  fc.assert(property)
  assert.equal(backoffMs(1_000, defaultLimits, 1), 30_000)
})

test('an address without a peer id gets the one of its member', () => {
  assert.equal(
    parseAddress('/dns4/ledger.hospital-b.example/tcp/7400', PEER).toString(),
    `/dns4/ledger.hospital-b.example/tcp/7400/p2p/${PEER}`,
  )
  assert.throws(() => parseAddress('hospital-b:7400', PEER))
})

test.run()
