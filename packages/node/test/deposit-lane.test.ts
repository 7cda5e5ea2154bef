import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { VaultAnswer } from '@mooring/records'
import { test } from 'uvu'
import { systemClock } from '../src/clock.ts'
import { DepositLane } from '../src/deposit-lane.ts'
import type { QueuedKeys } from '../src/key-deposits.ts'
import { createVaultPeers } from '../src/vault-peers.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const HOLDER = 'riverside'
const ROUNDS = 500

test('a lane that lives for years does not hold what it was answered', async () => {
  const answers: WeakRef<object>[] = []
  let left = ROUNDS
  const done = Promise.withResolvers<void>()
  const lane = createLane({
    answer() {
      const answer: VaultAnswer = { kind: 'done', body: {} }
      answers.push(new WeakRef(answer))
      return Promise.resolve(answer)
    },
    keysLeft: () => left,
    onKeys() {
      left -= 1
      if (left === 0) done.resolve()
    },
  })
  lane.wake()
  await done.promise
  // What a job has looked at through a WeakRef lives to its end.
  await new Promise((resolve) => setTimeout(resolve, 0))
  collectGarbage()
  const alive = answers.filter((answer) => answer.deref() !== undefined)
  assert.equal(answers.length, ROUNDS)
  assert.ok(alive.length < 10, `${alive.length} of ${ROUNDS} answers are still held`)
  await lane.close()
})

test('a lane that is closed does not wait for its holder', async () => {
  const asked = Promise.withResolvers<void>()
  const lane = createLane({
    answer() {
      asked.resolve()
      return new Promise(() => undefined)
    },
    keysLeft: () => 1,
    onKeys: () => assert.fail('nothing was taken'),
  })
  lane.wake()
  await asked.promise
  await lane.close()
})

function createLane(holder: {
  answer: () => Promise<VaultAnswer>
  keysLeft: () => number
  onKeys: () => void
}): DepositLane {
  const bytes = new Uint8Array(32)
  const keys: QueuedKeys = {
    number: 1,
    keyName: '',
    id: bytes,
    deposit: bytes,
    k: 2,
    holders: [HOLDER],
    missing: new Set([0]),
  }
  const nobody = { request: () => Promise.reject(new Error('no network')), peers: () => [] }
  const members = { list: [] }
  return new DepositLane({
    depositor: 'st-mary',
    holder: HOLDER,
    peers: createVaultPeers(HOLDER, { network: nobody, members, answer: holder.answer }),
    clock: systemClock,
    anchorKey: () => undefined,
    keysWaiting: () => (holder.keysLeft() > 0 ? [keys] : []),
    parcelOf: () => Promise.resolve(undefined),
    uploads: {
      create: () => assert.fail('nothing is long'),
      createUnnamed: () => assert.fail('nothing is long'),
      read: () => assert.fail('nothing is long'),
      remove: () => assert.fail('nothing is long'),
      list: () => assert.fail('nothing is long'),
    },
    onKeys() {
      holder.onKeys()
      return Promise.resolve()
    },
    onReceipt: () => Promise.resolve(),
    onRefused: () => undefined,
    onSpoiled: () => assert.fail('nothing is long'),
    onFailed: () => undefined,
    onFatal: (error) => assert.fail(String(error)),
  })
}

test.run()
