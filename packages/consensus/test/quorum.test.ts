import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { faultsOf, leaderOf, quorumOf } from '../src/quorum.ts'

// n, Byzantine faults, quorum, crashes survived: the table of consensus.md 1.1.
const TABLE = [
  [1, 0, 1, 0],
  [2, 0, 2, 0],
  [3, 0, 2, 1],
  [4, 1, 3, 1],
  [5, 1, 4, 1],
  [6, 1, 4, 2],
  [7, 2, 5, 2],
  [8, 2, 6, 2],
  [9, 2, 6, 3],
  [10, 3, 7, 3],
  [13, 4, 9, 4],
  [31, 10, 21, 10],
  [100, 33, 67, 33],
] as const

test('quorums and faults are those of the table', () => {
  for (const [authorities, faults, quorum, crashes] of TABLE) {
    assert.equal(faultsOf(authorities), faults, `${authorities} authorities`)
    assert.equal(quorumOf(authorities), quorum, `${authorities} authorities`)
    assert.equal(authorities - quorumOf(authorities), crashes)
  }
})

test('two quorums share an honest authority, and the honest alone are a quorum', () => {
  for (let authorities = 1; authorities <= 256; authorities += 1) {
    const quorum = quorumOf(authorities)
    const faults = faultsOf(authorities)
    assert.ok(Number.isInteger(quorum))
    assert.ok(2 * quorum - authorities >= faults + 1)
    assert.ok(authorities - faults >= quorum)
  }
})

test('quorums drawn at random intersect in more than the faulty', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.nat()), (size, stream) => {
      const quorum = quorumOf(size)
      const draw = (): Set<number> => {
        const all = Array.from({ length: size }, (_, index) => index)
        const drawn = new Set<number>()
        while (drawn.size < quorum) {
          const [picked] = all.splice((stream.next().value ?? 0) % all.length, 1)
          if (picked !== undefined) drawn.add(picked)
        }
        return drawn
      }
      const second = draw()
      const shared = [...draw()].filter((one) => second.has(one))
      assert.ok(shared.length > faultsOf(size))
    }),
  )
})

test('every authority leads in turn, and epochs start with different ones', () => {
  const turns = [1, 2, 3, 4, 5].map((view) => leaderOf(0, view, 4))
  assert.deepEqual(turns, [1, 2, 3, 0, 1])
  assert.equal(leaderOf(1, 1, 4), 2)
  assert.equal(leaderOf(7, 1, 4), 0)
})

test.run()
