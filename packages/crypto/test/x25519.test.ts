import assert from 'node:assert/strict'
import { fromHex, toHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { x25519, x25519PublicKey } from '../src/index.ts'
import * as browser from '../src/x25519-browser.ts'
import * as node from '../src/x25519-node.ts'
import { readVectors } from './shared-vectors.ts'

const backends = { node, browser }
const ZERO = '00'.repeat(32)

interface Vector {
  tcId: number
  comment: string
  public: string
  private: string
  shared: string
  result: 'valid' | 'acceptable' | 'invalid'
}

// RFC 7748 section 5.2.
const RFC_7748: Vector[] = [
  {
    tcId: 0,
    comment: 'RFC 7748, 5.2',
    private: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    public: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    shared: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    result: 'valid',
  },
]

test('both backends give the published results, and refuse a result of zeros', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the published shape
  const shared = readVectors('wycheproof/x25519_test.json') as
    | { numberOfTests: number; testGroups: { tests: Vector[] }[] }
    | undefined
  const tests = shared?.testGroups.flatMap((group) => group.tests) ?? []
  assert.equal(tests.length, shared?.numberOfTests ?? 0)
  for (const vector of [...RFC_7748, ...tests]) {
    for (const [name, backend] of Object.entries(backends)) {
      const result = backend.shared(fromHex(vector.private), fromHex(vector.public))
      // "acceptable": inputs that RFC 7748 takes and some libraries refuse. We take them unless the
      // result is zero, which is the one thing that RFC 9180 asks for.
      const expected = vector.shared === ZERO ? undefined : vector.shared
      assert.equal(result && toHex(result), expected, `${name} ${vector.tcId}: ${vector.comment}`)
    }
  }
})

test('the backends make the same keys and the same secrets, from both sides', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.deepEqual(node.publicKeyOf(a), browser.publicKeyOf(a))
      const secret = x25519(a, x25519PublicKey(b))
      assert.ok(secret !== undefined)
      assert.deepEqual(x25519(b, x25519PublicKey(a)), secret)
      assert.deepEqual(browser.shared(b, browser.publicKeyOf(a)), secret)
      assert.deepEqual(node.shared(a, b), browser.shared(a, b))
    }),
    { numRuns: 30 },
  )
})

test('a public key of any length is an answer, a secret of another one an error', () => {
  const secret = new Uint8Array(32).fill(9)
  for (const length of [0, 31, 33, 64]) {
    assert.equal(x25519(secret, new Uint8Array(length).fill(9)), undefined)
    assert.throws(() => x25519(new Uint8Array(length), secret), RangeError)
    assert.throws(() => x25519PublicKey(new Uint8Array(length)), RangeError)
  }
  assert.equal(x25519(secret, new Uint8Array(32)), undefined)
})

test.run()
