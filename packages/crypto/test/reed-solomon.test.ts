import assert from 'node:assert/strict'
import { fromHex } from '@mooring/codec'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { combinationFor, encodeParity, gfMultiply, reconstruct, scaleInto } from '../src/index.ts'

function noise(length: number, seed: number): Uint8Array {
  let state = seed + 1
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    return state >>> 24
  })
}

function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) yield []
  else
    for (let first = from; first <= n - k; first += 1)
      for (const rest of subsets(n, k - 1, first + 1)) yield [first, ...rest]
}

/** Multiplication as the polynomial arithmetic that it is, bit by bit. */
function slowMultiply(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit -= 1) {
    product <<= 1
    if (product & 0x100) product ^= 0x11d
    if ((b >>> bit) & 1) product ^= a
  }
  return product
}

test('products are those of the field modulo 0x11d', () => {
  for (let a = 0; a < 256; a += 1)
    for (let b = 0; b < 256; b += 1) assert.equal(gfMultiply(a, b), slowMultiply(a, b), `${a} ${b}`)
})

test('every k of n fragments give the data back, for every n up to 10', () => {
  let combinations = 0
  for (let n = 1; n <= 10; n += 1) {
    for (let k = 1; k <= n; k += 1) {
      const data = Array.from({ length: k }, (_, at) => noise(13, 100 * n + at))
      const all = [...data, ...encodeParity(k, n, data)]
      assert.equal(all.length, n)
      for (const kept of subsets(n, k)) {
        combinations += 1
        const fragments = all.map((fragment, at) => (kept.includes(at) ? fragment : null))
        assert.deepEqual(reconstruct(k, n, fragments), data, `${kept.join(' ')} of ${k}/${n}`)
      }
    }
  }
  assert.equal(combinations, 2036)
})

test('any fragment is the combination of any k, which is how one is repaired', () => {
  for (const [k, n] of [
    [2, 3],
    [2, 4],
    [3, 5],
    [4, 7],
  ] as const) {
    const data = Array.from({ length: k }, (_, at) => noise(31, at))
    const all = [...data, ...encodeParity(k, n, data)]
    for (const present of subsets(n, k)) {
      for (let target = 0; target < n; target += 1) {
        const order = present.toReversed()
        const coefficients = combinationFor(k, n, order, target)
        const sum = new Uint8Array(31)
        for (const [at, from] of order.entries())
          scaleInto(sum, all[from] ?? assert.fail(), coefficients[at] ?? assert.fail())
        assert.deepEqual(sum, all[target], `${target} from ${order.join(' ')}`)
      }
    }
  }
})

test('a sum is right for every length and wherever the bytes lie', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 70 }),
      fc.nat({ max: 7 }),
      fc.nat({ max: 7 }),
      fc.nat({ max: 255 }),
      (length, sumAt, sourceAt, coefficient) => {
        const sums = noise(length + 16, 1)
        const sources = noise(length + 16, 2)
        const expected = sums.map((byte, at) => {
          if (at < sumAt || at >= sumAt + length) return byte
          return byte ^ slowMultiply(coefficient, sources[at - sumAt + sourceAt] ?? assert.fail())
        })
        const before = sources.slice()
        scaleInto(
          sums.subarray(sumAt, sumAt + length),
          sources.subarray(sourceAt, sourceAt + length),
          coefficient,
        )
        assert.deepEqual(sums, expected)
        assert.deepEqual(sources, before)
      },
    ),
    { numRuns: 500 },
  )
})

test('what is lost of large and odd fragments comes back, with more than is needed at hand', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.nat({ max: 8 }),
      fc.nat({ max: 300 }),
      fc.infiniteStream(fc.nat()),
      (k, parity, length, choices) => {
        const n = k + parity
        const data = Array.from({ length: k }, (_, at) => noise(length, at))
        const fragments: (Uint8Array | null)[] = [...data, ...encodeParity(k, n, data)]
        for (let lost = 0; lost < parity; lost += 1) {
          fragments[(choices.next().value ?? 0) % n] = null
        }
        assert.deepEqual(reconstruct(k, n, fragments), data)
      },
    ),
  )
})

// Made by reed-solomon-erasure 6.0 (Rust), whose matrix Backblaze and klauspost/reedsolomon share.
const ELSEWHERE: [k: number, data: string[], parity: string[]][] = [
  [2, ['3da3173961d6cf61', '23719a0244296e81'], ['011a104f2b3590bc']],
  [2, ['3ebac6420c953d4c', 'a5800eb13e1da8f8'], ['15ce4bb968980a39', '8ef4834a5a109f8d']],
  [
    3,
    ['3e5d9184b6d141b6', '35e73b7c14c6423c', '3aa9400a6b7cd0e5'],
    ['3113eaf2c96bd36f', '7ee674143ba01865'],
  ],
  [
    5,
    [
      '40d0851c60c8275e',
      '59d27d71b601e9b1',
      'aee7073a7a7d8a0b',
      '977e5b8709354212',
      'f0067d9c043a0447',
    ],
    ['29797a2b2bd2dea6', '039db6745ff399f1', 'fa791513d59a45e6', '681dc51e8e03194c'],
  ],
]

test('parity is the bytes that other implementations make', () => {
  for (const [k, data, parity] of ELSEWHERE) {
    const made = encodeParity(k, k + parity.length, data.map(fromHex))
    assert.deepEqual(made, parity.map(fromHex))
  }
})

test('a shape that is no code is an error of the program', () => {
  const [a, b] = [noise(4, 1), noise(5, 2)]
  assert.throws(() => encodeParity(0, 2, []), RangeError)
  assert.throws(() => encodeParity(3, 2, [a, a, a]), RangeError)
  assert.throws(() => encodeParity(200, 257, Array(200).fill(a)), RangeError)
  assert.throws(() => encodeParity(2, 3, [a]), RangeError)
  assert.throws(() => encodeParity(2, 3, [a, b]), RangeError)
  assert.throws(() => reconstruct(2, 3, [a, null, null]), RangeError)
  assert.throws(() => reconstruct(2, 3, [a, a]), RangeError)
  assert.throws(() => combinationFor(2, 3, [0, 0], 1), RangeError)
  assert.throws(() => combinationFor(2, 3, [0, 3], 1), RangeError)
  assert.throws(() => combinationFor(2, 3, [0, 1], 3), RangeError)
  assert.throws(() => combinationFor(2, 3, [0], 1), RangeError)
  assert.throws(() => scaleInto(a, a.slice(), 256), RangeError)
})

test.run()
