import assert from 'node:assert/strict'
import { test } from 'uvu'
import { InTurn } from '../src/in-turn.ts'

test('work begins when what came before has ended, also where that failed', async () => {
  const turns = new InTurn()
  const first = Promise.withResolvers<string>()
  const told: string[] = []
  const failed = turns.run(async () => {
    told.push('first begins')
    return await first.promise
  })
  const second = turns.run(() => Promise.resolve(told.push('second begins')))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(told, ['first begins'])
  first.reject(new Error('no disk'))
  await assert.rejects(failed, /no disk/)
  assert.equal(await second, 2)
  assert.deepEqual(told, ['first begins', 'second begins'])
})

test.run()
