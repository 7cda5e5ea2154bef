// A broken chain names those who broke it: at least f + 1, and nobody else.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { convict, culpritsOf } from '../src/accountability.ts'
import { faultsOf, quorumOf } from '../src/quorum.ts'
import type { Certificate } from '../src/types.ts'
import { Bench, blockOn, configOf, GENESIS } from './fixture.ts'

const bench = new Bench(configOf(null))
const first = blockOn(GENESIS, 3)
const second = blockOn(GENESIS, 3, { salt: 1 })

function convicted(...certificates: Certificate[]): { kinds: string[]; culprits: number[] } {
  const evidence = convict(certificates)
  return {
    kinds: [...new Set(evidence.map(({ kind }) => kind))],
    culprits: culpritsOf(evidence, 0),
  }
}

test('two blocks final in one view convict who finalized both', () => {
  assert.deepEqual(
    convicted(bench.finalization(first, [0, 1, 2]), bench.finalization(second, [1, 2, 3])),
    { kinds: ['conflicting_finalize'], culprits: [1, 2] },
  )
})

test('a later chain over another block of the view convicts who notarized both', () => {
  const later = blockOn(second, 4)
  const certificates = [
    bench.notarization(first, [0, 1, 2]),
    bench.finalization(first, [0, 1, 2]),
    bench.notarization(second, [0, 2, 3]),
    bench.notarization(later, [0, 2, 3]),
    bench.finalization(later, [0, 2, 3]),
  ]
  const expected = { kinds: ['conflicting_notarize'], culprits: [0, 2] }
  assert.deepEqual(convicted(...certificates), expected)
  assert.deepEqual(convicted(...certificates.toReversed()), expected)
})

test('a later chain that skips the view convicts who nullified and finalized it', () => {
  const later = blockOn(GENESIS, 4)
  const certificates = [
    bench.finalization(first, [0, 1, 2]),
    bench.nullification(3, [1, 2, 3]),
    bench.finalization(later, [1, 2, 3]),
  ]
  const expected = { kinds: ['nullify_finalize'], culprits: [1, 2] }
  assert.deepEqual(convicted(...certificates), expected)
  assert.deepEqual(convicted(...certificates.toReversed()), expected)
})

test('an honest history convicts nobody, however often it is told', () => {
  const later = blockOn(first, 5)
  const history = [
    bench.nullification(1),
    bench.notarization(first),
    bench.nullification(3),
    bench.nullification(4),
    bench.notarization(later),
    bench.finalization(later),
  ]
  assert.deepEqual(convict([...history, ...history]), [])
})

test('two quorums always share more than can be faulty', () => {
  for (let authorities = 1; authorities <= 100; authorities += 1) {
    const quorum = quorumOf(authorities)
    const all = Array.from({ length: authorities }, (_, index) => index)
    const wide = new Bench(configOf(null, authorities))
    const evidence = convict([
      wide.finalization(first, all.slice(0, quorum)),
      wide.finalization(second, all.slice(-quorum)),
    ])
    assert.ok(culpritsOf(evidence, 0).length > faultsOf(authorities))
  }
})

test('what was signed in another epoch contradicts nothing', () => {
  const elsewhere = bench.finalization(second)
  const subject = { ...elsewhere.subject, epoch: 1 }
  assert.deepEqual(convict([bench.finalization(first), { ...elsewhere, subject }]), [])
})

test.run()
