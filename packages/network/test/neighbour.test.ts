import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { defaultLimits } from '../src/index.ts'
import { backoffMs, noAnswer, parseAddress } from '../src/neighbour.ts'

const PEER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

test('the first retries come within a third of a second', () => {
  for (let failures = 0; failures < defaultLimits.fastRetries; failures += 1) {
    for (const hasAnswered of [true, false]) {
      assert.ok(backoffMs({ failures, hasAnswered }, defaultLimits, 0.99) <= 300)
      assert.ok(backoffMs({ failures, hasAnswered }, defaultLimits, 0) >= 200)
    }
  }
})

test('acceptance 4: later ones stay between one second and thirty where somebody refuses, and two where nobody answers', () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true })
  const property = fc.property(fc.integer({ min: 8, max: 1e9 }), unit, (failures, random) => {
    const refusedMs = backoffMs({ failures, hasAnswered: true }, defaultLimits, random)
    assert.ok(refusedMs >= 1_000 && refusedMs <= 30_000, String(refusedMs))
    const silentMs = backoffMs({ failures, hasAnswered: false }, defaultLimits, random)
    assert.ok(silentMs >= 1_000 && silentMs <= 2_000, String(silentMs))
  })
  fc.assert(property)
  assert.equal(backoffMs({ failures: 1_000, hasAnswered: true }, defaultLimits, 1), 30_000)
})

test('why nobody answers is said so that a person can act on it', () => {
  const member = { peerId: PEER, name: 'riverside', authority: true }
  const places = [parseAddress('/ip4/10.2.0.7/tcp/7420', PEER)]
  const refused = new Error('connection error 10.2.0.7:7420: connect ECONNREFUSED 10.2.0.7:7420')
  assert.equal(
    noAnswer(member, places, 5_000, refused).message,
    `riverside (${PEER}) refuses connections at 10.2.0.7:7420: its node is probably not running`,
  )
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  assert.equal(
    noAnswer(member, places, 5_000, timeout).message,
    `riverside (${PEER}) does not answer at 10.2.0.7:7420 within 5 s: its computer is off, or the path to it is cut`,
  )
  const other = new Error('getaddrinfo ENOTFOUND ledger.riverside.example')
  const named = [parseAddress('/dns4/ledger.riverside.example/tcp/7420', PEER)]
  assert.equal(
    noAnswer(member, named, 5_000, other).message,
    `riverside (${PEER}) cannot be reached at ledger.riverside.example:7420: getaddrinfo ENOTFOUND ledger.riverside.example`,
  )
})

test('an address without a peer id gets the one of its member', () => {
  assert.equal(
    parseAddress('/dns4/ledger.hospital-b.example/tcp/7400', PEER).toString(),
    `/dns4/ledger.hospital-b.example/tcp/7400/p2p/${PEER}`,
  )
  assert.throws(() => parseAddress('hospital-b:7400', PEER))
})

test.run()
