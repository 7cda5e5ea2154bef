import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { combineShares, splitSecret } from '../src/shamir.ts'

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

/** A splitting, with the random bytes it was made of. */
const splitting = fc
  .record({ k: fc.integer({ min: 1, max: 6 }), more: fc.integer({ min: 0, max: 4 }) })
  .chain(({ k, more }) =>
    fc.record({
      k: fc.constant(k),
      n: fc.constant(k + more),
      secret: bytesOf(32),
      noise: bytesOf(32 * (k - 1)),
      order: fc.shuffledSubarray(
        Array.from({ length: k + more }, (_, at) => at),
        { minLength: k },
      ),
    }),
  )

test('any k shares or more, in any order, give the secret back', () => {
  fc.assert(
    fc.property(splitting, ({ k, n, secret, noise, order }) => {
      const shares = splitSecret(secret, { k, n, random: () => noise })
      const chosen = shares.filter((_, at) => order.includes(at))
      assert.deepEqual(combineShares(chosen.toReversed()), secret)
    }),
  )
})

test('k - 1 shares fit every secret: some noise explains them with any other one', () => {
  // 2 of 3: share x = secret ^ a * x. Seen one share, each of the 256 secrets has exactly one a.
  const seen = splitSecret(Uint8Array.of(0x42), {
    k: 2,
    n: 3,
    random: () => Uint8Array.of(0x9c),
  })[1]
  const fitting = new Set<number>()
  for (let secret = 0; secret < 256; secret += 1) {
    for (let noise = 0; noise < 256; noise += 1) {
      const random = () => Uint8Array.of(noise)
      const other = splitSecret(Uint8Array.of(secret), { k: 2, n: 3, random })[1]
      if (other?.bytes[0] === seen?.bytes[0]) fitting.add(secret)
    }
  }
  assert.equal(fitting.size, 256)
})

test('the field is that of AES and SLIP-39: values worked out by hand', () => {
  // f(x) = 0x57 + 0x83 x: the product 0x57 * 0x83 = 0xc1 is the example of FIPS 197, and 2 * 0x83 = 0x1d.
  const shares = splitSecret(Uint8Array.of(0x57), {
    k: 2,
    n: 0x57,
    random: () => Uint8Array.of(0x83),
  })
  assert.equal(shares[0]?.bytes[0], 0x57 ^ 0x83)
  assert.equal(shares[1]?.bytes[0], 0x57 ^ 0x1d)
  assert.equal(shares[0x56]?.bytes[0], 0x57 ^ 0xc1)
})

test('a share of another splitting gives another secret, not an error', () => {
  const secret = new Uint8Array(32).fill(7)
  const [first] = splitSecret(secret, { k: 2, n: 3, random: (n) => new Uint8Array(n).fill(1) })
  const [, second] = splitSecret(secret, { k: 2, n: 3, random: (n) => new Uint8Array(n).fill(2) })
  assert.ok(first !== undefined && second !== undefined)
  assert.notDeepEqual(combineShares([first, second]), secret)
})

const random = (length: number): Uint8Array => new Uint8Array(length)

test('what is no splitting and what are no shares is refused', () => {
  const secret = new Uint8Array(4)
  for (const [k, n] of [
    [0, 3],
    [4, 3],
    [2, 256],
    [1.5, 3],
  ] as const) {
    assert.throws(() => splitSecret(secret, { k, n, random }), RangeError)
  }
  assert.throws(
    () => splitSecret(secret, { k: 2, n: 3, random: () => new Uint8Array(3) }),
    RangeError,
  )
  const share = { index: 1, bytes: secret }
  assert.throws(() => combineShares([]), RangeError)
  assert.throws(() => combineShares([share, share]), RangeError)
  assert.throws(() => combineShares([share, { index: 0, bytes: secret }]), RangeError)
  assert.throws(() => combineShares([share, { index: 256, bytes: secret }]), RangeError)
  assert.throws(() => combineShares([share, { index: 2, bytes: new Uint8Array(3) }]), RangeError)
})

test.run()
