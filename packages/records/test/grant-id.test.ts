import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { grantIdOf, indexOfGrantId } from '../src/index.ts'
import { GRANT_ID_BYTES } from '../src/grant-id.ts'

const SEED = new Uint8Array(32).fill(1)
const random = (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length))

test('the wallet finds the number of every key in the id', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (index) => {
      assert.equal(indexOfGrantId(SEED, grantIdOf(SEED, index, random)), index)
    }),
  )
  assert.throws(() => grantIdOf(SEED, 2 ** 48, random), RangeError)
  assert.throws(() => grantIdOf(SEED, -1, random), RangeError)
})

test('for everybody else ids in a row have nothing in common', () => {
  const other = new Uint8Array(32).fill(2)
  const ids = Array.from({ length: 512 }, (_, index) => grantIdOf(SEED, index, random))
  const found = ids.filter((id) => indexOfGrantId(other, id) !== undefined)
  assert.ok(found.length <= 2, `${found.length} of 512`)
  // Each bit is set in about half of them: 256, give or take six standard deviations.
  for (let bit = 0; bit < 8 * GRANT_ID_BYTES; bit += 1) {
    const set = ids.filter((id) => ((id[bit >> 3] ?? 0) >> (bit & 7)) & 1).length
    assert.ok(set > 188 && set < 324, `bit ${bit} in ${set} of 512`)
  }
  assert.equal(indexOfGrantId(SEED, new Uint8Array(15)), undefined)
})

test.run()
