import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'uvu'
import { PageCache } from '../src/page-cache.ts'
import { LEAF_BYTES, LEAVES_AT, StatePage } from '../src/state-page.ts'

const ROOM = 200_000

/** Not a page that any tree has: its bytes are all the same. */
function pageOf(leaves: number, mark: number): StatePage {
  return new StatePage(new Uint8Array(LEAVES_AT + leaves * LEAF_BYTES).fill(mark))
}

test('what is found is what came in last, and all of it has room', () => {
  const change = fc.record({
    path: fc.nat({ max: 300 }),
    leaves: fc.constantFrom(0, 0, 1, 2, 16),
    mark: fc.nat({ max: 255 }),
    isRemoved: fc.boolean(),
  })
  const property = fc.property(fc.array(change, { maxLength: 600 }), (changes) => {
    const cache = new PageCache(ROOM)
    const model = new Map<string, StatePage>()
    for (const { path, leaves, mark, isRemoved } of changes) {
      const name = path.toString(16)
      if (isRemoved && mark % 4 === 0) {
        cache.delete(name)
        model.delete(name)
      } else {
        const page = pageOf(leaves, mark)
        cache.set(name, page)
        model.set(name, page)
      }
      assert.ok(cache.size <= ROOM)
      const found = cache.get(name)
      if (found !== undefined) assert.deepEqual(found.bytes, model.get(name)?.bytes)
    }
    for (const [name, { bytes }] of model) {
      const found = cache.get(name)
      if (found !== undefined) assert.deepEqual(found.bytes, bytes, name)
    }
  })
  fc.assert(property, { numRuns: 60 })
})

test('the upper pages stay while others pass through', () => {
  const cache = new PageCache(ROOM)
  for (let number = 0; number < 80; number += 1) cache.set(`upper ${number}`, pageOf(0, number))
  for (let number = 0; number < 5_000; number += 1) cache.set(`lower ${number}`, pageOf(8, 1))
  for (let number = 0; number < 80; number += 1) {
    assert.deepEqual(cache.get(`upper ${number}`)?.bytes, pageOf(0, number).bytes)
  }
  assert.ok(cache.get('lower 4999'))
  assert.equal(cache.get('lower 0'), undefined)
})

test('what came in may change without it', () => {
  const cache = new PageCache(ROOM)
  const page = pageOf(1, 7)
  cache.set('a', page)
  page.bytes.fill(0)
  assert.deepEqual(cache.get('a')?.bytes, pageOf(1, 7).bytes)
})

test('without room nothing is kept', () => {
  const cache = new PageCache(0)
  cache.set('a', pageOf(0, 1))
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.size, 0)
})

test.run()
