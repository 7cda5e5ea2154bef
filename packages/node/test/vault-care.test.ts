import assert from 'node:assert/strict'
import { test } from 'uvu'
import { NOTHING_LOST } from '../src/lost-mark.ts'
import { createLogger } from '../src/logger.ts'
import { ShardFaults } from '../src/shard-faults.ts'
import { CARE_DEFAULTS, VaultCare } from '../src/vault-care.ts'
import { TestClock } from './test-clock.ts'

const unasked = () => Promise.reject(new Error('nobody is asked'))

test('whoever asks how the vault is waits a second at most for a newer count', async () => {
  const clock = new TestClock()
  let isSlow = false
  let counts = 0
  const slow = Promise.withResolvers<void>()
  const logger = createLogger({
    levels: { base: 'error', modules: {} },
    format: 'json',
    destination: { write: () => undefined },
  })
  const care = new VaultCare(CARE_DEFAULTS, {
    peers: { self: 'a', request: unasked, isConnected: () => false },
    view: { organisations: () => [], awayMs: () => 0 },
    faults: new ShardFaults(),
    known: {
      // oxlint-disable-next-line require-yield
      async *all() {
        counts += 1
        if (isSlow) await slow.promise
      },
      get: () => Promise.resolve(undefined),
      sample: () => Promise.resolve([]),
      moved: () => Promise.resolve(),
    },
    candidates: () => [],
    clock,
    logger,
    random: (length) => new Uint8Array(length),
    fetchKeys: unasked,
    fetchShards: unasked,
    isEmpty: () => false,
    repaired: NOTHING_LOST,
    shortSets: () => Promise.resolve([]),
    observe: () => undefined,
  })
  await care.recent()
  await care.recent()
  assert.equal(counts, 1)
  const { surveyedAt } = care.counts()

  isSlow = true
  clock.advance(10_000)
  const both = Promise.all([care.recent(), care.recent()])
  clock.advance(1_000)
  await both
  assert.equal(counts, 2)
  assert.equal(care.counts().surveyedAt, surveyedAt)

  slow.resolve()
  await care.recent()
  assert.equal(care.counts().surveyedAt, clock.wall())
  assert.equal(counts, 2)
  await care.close()
})

test.run()
