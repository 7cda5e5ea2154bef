import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { concatBytes } from '@mooring/codec'
import { leafHash, merkleRootOfHashes, sha256, x25519, x25519PublicKey } from '@mooring/crypto'
import {
  encodeShardSet,
  fragmentBytesOf,
  fragmentOffsetOf,
  isShard,
  repairPart,
  type RepairQuestion,
  type ShardSet,
  shardBytesOf,
  shardSetId,
} from '@mooring/records'
import { encodeParity } from '@mooring/crypto'
import { test } from 'uvu'
import { Rebuild, type RebuildItem } from '../src/repair-rebuild.ts'

const HOLDERS = ['a', 'b', 'c', 'd', 'e']
const SHAPE = { k: 3, n: 5 }

type Manner = 'honest' | 'lies' | 'silent' | 'refuses'

interface Made {
  set: ShardSet
  setId: Uint8Array
  shards: Uint8Array[]
}

const random = (length: number) => new Uint8Array(randomBytes(length))

/** A set over random bytes, of segments of this sealed size. */
function makeSet(sizes: readonly number[]): Made {
  const { k, n } = SHAPE
  const columns = sizes.map((size) => {
    const length = Math.ceil(size / k)
    const data = Array.from({ length: k }, () => random(length))
    return [...data, ...encodeParity(k, n, data)]
  })
  const shards = HOLDERS.map((_, index) =>
    concatBytes(...columns.map((column) => column[index] ?? new Uint8Array(0))),
  )
  const leaves = HOLDERS.map((_, index) =>
    merkleRootOfHashes(columns.map((column) => leafHash(column[index] ?? new Uint8Array(0)))),
  )
  const set: ShardSet = {
    custodian: 'a',
    ...SHAPE,
    segmentCount: sizes.length,
    segmentBytes: sizes[0] ?? 0,
    lastSegmentBytes: sizes.at(-1) ?? 0,
    kc: random(32),
    shardRoot: merkleRootOfHashes(leaves),
    leaves,
    gate: random(32),
  }
  return { set, setId: shardSetId(encodeShardSet(set)), shards }
}

const seed = (name: string) => sha256(new TextEncoder().encode(name))

function secretWith(self: string, other: string): Uint8Array {
  const shared = x25519(seed(self), x25519PublicKey(seed(other)))
  assert.ok(shared !== undefined)
  return shared
}

/** Helpers over these sets, each in its manner; what they were asked is noted. */
function helpersOf(sets: readonly Made[], manners: Record<string, Manner>) {
  const asked: string[] = []
  const answer = (holder: string, question: RepairQuestion): Uint8Array | null => {
    const made = sets.find(({ setId }) => Buffer.compare(setId, question.setId) === 0)
    assert.ok(made !== undefined)
    const { set, shards } = made
    const index = HOLDERS.indexOf(holder)
    const last = question.from + question.count - 1
    const end = fragmentOffsetOf(set, last) + fragmentBytesOf(set, last)
    const own = (shards[index] ?? new Uint8Array(0)).slice(
      fragmentOffsetOf(set, question.from),
      end,
    )
    if (manners[holder] === 'lies')
      own.set(sha256(new TextEncoder().encode(`no shard of ${holder}`)))
    const helper = {
      self: holder,
      shard: own,
      secretWith: (other: string) => secretWith(holder, other),
    }
    return repairPart(set, question, helper)
  }
  const ask = (holder: string, questions: readonly RepairQuestion[]) => {
    asked.push(holder)
    const manner = manners[holder] ?? 'honest'
    if (manner === 'silent') return Promise.reject(new Error('no answer'))
    if (manner === 'refuses') return Promise.resolve(questions.map(() => null))
    return Promise.resolve(questions.map((question) => answer(holder, question)))
  }
  return { asked, ask }
}

function itemOf({ set, setId }: Made, index: number): RebuildItem {
  return { set, setId, index, places: HOLDERS.map((holder, at) => ({ holder, index: at })) }
}

async function rebuild(manners: Record<string, Manner>, { missing = 0, count = 3 } = {}) {
  const sets = Array.from({ length: count }, () => makeSet([4_112]))
  const { ask, asked } = helpersOf(sets, manners)
  const work = new Rebuild({ self: 'newcomer', random, ask })
  const rebuilt = await work.small(sets.map((made) => itemOf(made, missing)))
  const isRight = rebuilt.map((each, at) => {
    const set = sets[at]?.set
    return 'shard' in each && set !== undefined && isShard(set, missing, each.shard)
  })
  return { rebuilt, isRight, asked, liars: work.liars }
}

test('makes many shards with one question to each of k helpers', async () => {
  const { isRight, asked, liars } = await rebuild({}, { count: 20 })
  assert.ok(isRight.every(Boolean))
  assert.deepEqual(asked, ['b', 'c', 'd'])
  assert.deepEqual(liars, [])
})

test('who does not answer or does not help is replaced, and is no liar', async () => {
  for (const manner of ['silent', 'refuses'] as const) {
    const { isRight, liars } = await rebuild({ b: manner })
    assert.ok(isRight.every(Boolean))
    assert.deepEqual(liars, [])
  }
})

test('a helper with something else than its shard is named, whoever it is, and not asked again', async () => {
  for (const liar of ['b', 'c', 'd']) {
    const { isRight, liars, asked } = await rebuild({ [liar]: 'lies' }, { count: 8 })
    assert.ok(isRight.every(Boolean), liar)
    assert.deepEqual(liars, [liar])
    // Once for all sets, and until it was found out.
    assert.ok(asked.filter((holder) => holder === liar).length <= 4)
  }
})

test('with too few good helpers the shard is not made, and nobody is named on a guess', async () => {
  const lying = await rebuild({ b: 'lies', c: 'lies' })
  assert.equal(lying.rebuilt.length, 3)
  assert.deepEqual(
    lying.rebuilt,
    lying.rebuilt.map(() => ({ code: 'helpers_disagree' })),
  )
  assert.deepEqual(lying.liars, [])
  const gone = await rebuild({ b: 'silent', c: 'silent' })
  assert.deepEqual(
    gone.rebuilt,
    gone.rebuilt.map(() => ({ code: 'too_few_helpers' })),
  )
})

test('a large shard comes in pieces, and begins again when a helper lied', async () => {
  const made = makeSet([
    1_048_592, 1_048_592, 1_048_592, 1_048_592, 1_048_592, 1_048_592, 1_048_592, 1_048_592,
    1_048_592, 1_048_592, 70_016,
  ])
  const { ask } = helpersOf([made], { c: 'lies' })
  const work = new Rebuild({ self: 'newcomer', random, ask })
  let pieces: Uint8Array[] = []
  let begun = 0
  const failure = await work.large(itemOf(made, 0), {
    begin: () => {
      begun += 1
      pieces = []
      return Promise.resolve()
    },
    piece: (bytes) => {
      pieces.push(bytes)
      return Promise.resolve()
    },
  })
  assert.equal(failure, undefined)
  const shard = concatBytes(...pieces)
  assert.equal(shard.length, shardBytesOf(made.set))
  assert.deepEqual(shard, made.shards[0])
  assert.ok(begun >= 2)
  assert.ok(pieces.length > 1)
})

test.run()
