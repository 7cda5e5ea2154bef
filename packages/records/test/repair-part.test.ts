import assert from 'node:assert/strict'
import { encodeParity, scaleInto, sha256, x25519, x25519PublicKey } from '@mooring/crypto'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { repairPart, type RepairQuestion, sumOfParts } from '../src/repair-part.ts'

const NAMES = Array.from({ length: 10 }, (_, at) => `hospital-${at}`)

function secretOf(name: string): Uint8Array {
  return sha256(new TextEncoder().encode(name))
}

function sharedSecret(self: string, other: string): Uint8Array {
  const shared = x25519(secretOf(self), x25519PublicKey(secretOf(other)))
  assert.ok(shared !== undefined)
  return shared
}

function shardsOf(k: number, n: number, data: Uint8Array): Uint8Array[] {
  const length = data.length / k
  const fragments = Array.from({ length: k }, (_, at) => data.slice(at * length, (at + 1) * length))
  return [...fragments, ...encodeParity(k, n, fragments)]
}

function questionOf(index: number, helpers: readonly number[], nonce = 1): RepairQuestion {
  return {
    nonce: new Uint8Array(16).fill(nonce),
    setId: new Uint8Array(32).fill(7),
    index,
    recipient: 'newcomer',
    helpers: helpers.map((at) => ({ holder: NAMES[at] ?? '', index: at })),
    from: 0,
    count: 1,
  }
}

function partsOf(
  { k, n, shards }: { k: number; n: number; shards: readonly Uint8Array[] },
  question: RepairQuestion,
): Uint8Array[] {
  return question.helpers.map(({ holder, index }) => {
    const shard = shards[index]
    assert.ok(shard !== undefined)
    const secretWith = (other: string) => sharedSecret(holder, other)
    return repairPart({ k, n }, question, { self: holder, shard, secretWith })
  })
}

const codes = fc
  .record({
    n: fc.integer({ min: 2, max: 10 }),
    seed: fc.uint8Array({ minLength: 60, maxLength: 60 }),
  })
  .chain(({ n, seed }) =>
    fc.record({
      n: fc.constant(n),
      seed: fc.constant(seed),
      k: fc.integer({ min: 1, max: n - 1 }),
      order: fc.shuffledSubarray(
        Array.from({ length: n }, (_, at) => at),
        { minLength: n },
      ),
    }),
  )

test('the parts of any k helpers add up to any other shard', () => {
  fc.assert(
    fc.property(codes, ({ k, n, seed, order }) => {
      const data = seed.slice(0, Math.floor(seed.length / k) * k)
      const shards = shardsOf(k, n, data)
      const [missing = 0, ...others] = order
      const parts = partsOf({ k, n, shards }, questionOf(missing, others.slice(0, k)))
      assert.deepEqual(sumOfParts(parts), shards[missing])
    }),
    { numRuns: 60 },
  )
})

const k = 3
const n = 5
const data = Uint8Array.from(
  { length: 3_000 },
  (_, at) => sha256(Uint8Array.of(at % 251, at >> 8))[0] ?? 0,
)
const shards = shardsOf(k, n, data)

test('a part alone has nothing of the shard that it is of', () => {
  const [part] = partsOf({ k, n, shards }, questionOf(0, [1, 2, 3]))
  assert.ok(part !== undefined)
  for (let coefficient = 0; coefficient < 256; coefficient += 1) {
    const scaled = new Uint8Array(part.length)
    scaleInto(scaled, shards[1] ?? scaled, coefficient)
    const same = scaled.filter((byte, at) => byte === part[at]).length
    // One byte in 256 is the same by chance: about four of a thousand.
    assert.ok(same < 40, `${same} bytes of ${part.length} show through`)
  }
})

test('parts of two questions have nothing in common, also with the same helpers', () => {
  const [first] = partsOf({ k, n, shards }, questionOf(0, [1, 2, 3], 1))
  const [second] = partsOf({ k, n, shards }, questionOf(0, [1, 2, 3], 2))
  assert.ok(first !== undefined && second !== undefined)
  const difference = first.slice()
  scaleInto(difference, second, 1)
  assert.ok(difference.filter((byte) => byte === 0).length < 40)
})

test('a helper that has another shard than its own makes the sum a wrong one', () => {
  const wrong = shards.with(2, shards[4] ?? new Uint8Array(0))
  const parts = partsOf({ k, n, shards: wrong }, questionOf(0, [1, 2, 3]))
  assert.notDeepEqual(sumOfParts(parts), shards[0])
})

test('who is no helper of the question gives no part', () => {
  const helper = {
    self: 'hospital-4',
    shard: new Uint8Array(1),
    secretWith: () => new Uint8Array(32),
  }
  assert.throws(() => repairPart({ k, n }, questionOf(0, [1, 2, 3]), helper), RangeError)
  assert.throws(() => repairPart({ k, n }, questionOf(0, [1, 2]), helper), RangeError)
})

test.run()
