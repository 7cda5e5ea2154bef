import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as browser from '../src/ed25519-browser.ts'
import * as native from '../src/ed25519-node.ts'
import { keyPairFromSeed } from '../src/index.ts'

test('both backends sign every message with the same bytes, and both accept them', () => {
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const message = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(seed, message, (secret, bytes) => {
      const keyPair = keyPairFromSeed(new Uint8Array(secret))
      const signature = native.signWithSeed(keyPair, bytes)
      assert.deepEqual([...signature], [...browser.signWithSeed(keyPair, bytes)])
      assert.equal(native.verify(keyPair.publicKey, bytes, signature), true)
      assert.equal(browser.verify(keyPair.publicKey, bytes, signature), true)
    }),
    { numRuns: 60 },
  )
})

test.run()
