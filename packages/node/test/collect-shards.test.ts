import assert from 'node:assert/strict'
import { test } from 'uvu'
import { collectShards, type Wanted } from '../src/collect-shards.ts'
import { TestClock } from './test-clock.ts'

const HEDGE_MS = 100
const HOLDERS = ['a', 'b', 'c', 'd', 'e']

interface Answering {
  /** What a holder answers for its shard; none at all: it never answers. */
  [holder: string]: 'good' | 'wrong' | 'missing' | 'fails' | 'never'
}

function wanted(k = 3): Wanted<string> {
  return {
    k,
    places: HOLDERS.map((holder, index) => ({ holder, index })),
    bytes: 1,
    check: (index, answer) => answer === `shard ${index}`,
  }
}

function collect(answering: Answering, wants: Wanted<string>[] = [wanted()]) {
  const clock = new TestClock()
  const asked: string[] = []
  const bad: string[] = []
  const abort = new AbortController()
  const done = collectShards(wants, {
    clock,
    hedgeMs: HEDGE_MS,
    signal: abort.signal,
    onBad: ({ place, code }) => bad.push(`${place.holder} ${code}`),
    ask: (holder, items) => {
      asked.push(`${holder} ${items.length}`)
      const how = answering[holder] ?? 'good'
      if (how === 'fails') return Promise.reject(new Error('closed'))
      if (how === 'never') return new Promise(() => undefined)
      return Promise.resolve(
        items.map(({ index }) => {
          if (how === 'missing') return null
          return how === 'wrong' ? 'something else' : `shard ${index}`
        }),
      )
    },
  })
  return { done, asked, bad, clock, abort }
}

async function good(done: ReturnType<typeof collect>['done']): Promise<number[]> {
  const [first] = await done
  return [...(first?.good.keys() ?? [])].toSorted((a, b) => a - b)
}

test('asks k holders when all is well, each once for all sets', async () => {
  const { done, asked, bad } = collect({}, [wanted(), wanted(), wanted()])
  assert.equal((await done).length, 3)
  assert.deepEqual(asked, ['a 3', 'b 3', 'c 3'])
  assert.deepEqual(bad, [])
})

test('one that fails, lies or has none is replaced at once; those that lie are named', async () => {
  const { done, asked, bad } = collect({ a: 'wrong', b: 'fails' })
  assert.deepEqual(await good(done), [2, 3, 4])
  assert.equal(asked.length, 5)
  assert.deepEqual(bad, ['a shard_wrong'])
  const missing = collect({ a: 'missing' })
  assert.deepEqual(await good(missing.done), [1, 2, 3])
  assert.deepEqual(missing.bad, ['a shard_missing'])
})

test('a slow one is joined by another after a while', async () => {
  const { done, asked, clock } = collect({ b: 'never' })
  clock.advance(HEDGE_MS - 1)
  assert.equal(asked.length, 3)
  clock.advance(1)
  assert.deepEqual(await good(done), [0, 2, 3])
})

test('what a slow one answers in the end still counts', async () => {
  const clock = new TestClock()
  const late = Promise.withResolvers<string[]>()
  const done = collectShards([wanted()], {
    clock,
    hedgeMs: HEDGE_MS,
    signal: new AbortController().signal,
    onBad: () => undefined,
    ask: (holder, [item]) => {
      if (holder === 'a') return late.promise
      if (holder === 'd' || holder === 'e') return Promise.reject(new Error('closed'))
      return Promise.resolve([`shard ${item?.index}`])
    },
  })
  clock.advance(HEDGE_MS)
  late.resolve(['shard 0'])
  assert.deepEqual(await good(done), [0, 1, 2])
})

test('with fewer than k good ones the answer has what there is, and why', async () => {
  const { done } = collect({ a: 'fails', b: 'wrong', c: 'missing' })
  const [first] = await done
  assert.deepEqual([...(first?.good.keys() ?? [])], [3, 4])
  assert.deepEqual(
    first?.failures.map(({ holder }) => holder),
    ['a'],
  )
})

test('large answers are asked for in parts', async () => {
  const large = { ...wanted(), bytes: 3 << 20 }
  const { done, asked } = collect({}, [large, large])
  await done
  assert.deepEqual(asked, ['a 1', 'a 1', 'b 1', 'b 1', 'c 1', 'c 1'])
})

test('ends when it is cancelled', async () => {
  const { done, abort } = collect({ a: 'never', b: 'never', c: 'never' })
  abort.abort(new Error('nobody waits'))
  await assert.rejects(done, /nobody waits/)
})

test.run()
