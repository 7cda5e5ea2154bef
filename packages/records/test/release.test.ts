import assert from 'node:assert/strict'
import { test } from 'uvu'
import {
  accessRequestDigest,
  type AccessWitness,
  checkRelease,
  type ReleaseInput,
  signWitness,
  verifyWitness,
} from '../src/index.ts'
import { anchorKeyOf, bytesOf, requestOf } from './access-world.ts'

const requestDigest = accessRequestDigest(requestOf())
const GROUPS: Record<string, string> = { a: 'one', b: 'two', c: 'two', d: 'three', e: 'four' }

function witness(holder: string): AccessWitness {
  return signWitness(anchorKeyOf(holder), holder, requestDigest)
}

function codeOf(witnesses: readonly AccessWitness[], changes: Partial<ReleaseInput> = {}) {
  return checkRelease({
    requestDigest,
    witnesses,
    holders: ['a', 'b', 'c', 'd'],
    k: 3,
    memberOf: (id) => {
      const legalGroup = GROUPS[id]
      return legalGroup === undefined
        ? undefined
        : { anchorKey: anchorKeyOf(id).publicKey, legalGroup }
    },
    ...changes,
  })
}

test('k witnesses of different owners are enough, in any order', () => {
  assert.equal(codeOf(['a', 'b', 'd'].map(witness)), undefined)
  assert.equal(codeOf(['d', 'b', 'a', 'c'].map(witness)), undefined)
})

test('fewer are not, and neither are the same owner twice, strangers, and who keeps no shard', () => {
  for (const names of [
    [],
    ['a', 'b'],
    ['a', 'a', 'a'],
    ['a', 'b', 'c'],
    ['a', 'b', 'e'],
    ['a', 'b', 'x'],
  ]) {
    assert.equal(codeOf(names.map(witness)), 'too_few_witnesses', names.join())
  }
})

test('a witness is by the holder that it names, for this request', () => {
  const forged = { holder: 'd', signature: witness('b').signature }
  assert.equal(codeOf([witness('a'), witness('b'), forged]), 'witness_forged')
  const other = { ...witness('d'), signature: witness('d').signature.map((byte) => byte ^ 1) }
  assert.equal(codeOf([witness('a'), witness('b'), other]), 'witness_forged')
  const elsewhere = { requestDigest: bytesOf('another request') }
  assert.equal(codeOf(['a', 'b', 'd'].map(witness), elsewhere), 'witness_forged')
  assert.ok(verifyWitness(witness('a'), anchorKeyOf('a').publicKey, requestDigest))
  assert.ok(!verifyWitness(witness('a'), anchorKeyOf('b').publicKey, requestDigest))
})

test.run()
