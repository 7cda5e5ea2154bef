import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sign } from '@mooring/crypto'
import { depositReceiptMessage, type VaultAnswer, type VaultRequest } from '@mooring/records'
import { test } from 'uvu'
import { type Clock, systemClock } from '../src/clock.ts'
import { DepositLane } from '../src/deposit-lane.ts'
import type { QueuedKeys } from '../src/key-deposits.ts'
import { encodeShards } from '../src/queued-records.ts'
import { createVaultPeers } from '../src/vault-peers.ts'
import type { QueuedRecord } from '../src/vault-queue.ts'
import { keyOf } from './chain-members.ts'
import { TestClock } from './test-clock.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const DEPOSITOR = 'st-mary'
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

test('keys wait a moment for shards under them, and go with them', async () => {
  const world = new SigningHolder()
  world.keys = 1
  world.lane.wakeForKeys()
  await turns()
  assert.deepEqual(world.asked, [])
  world.lane.add(queuedRecord(1), 0)
  world.lane.wake()
  await turns()
  assert.deepEqual(world.asked, ['deposit-with-keys'])
  assert.deepEqual([world.keys, world.lane.size], [0, 0])
  world.lane.add(queuedRecord(2), 0)
  world.lane.wake()
  await turns()
  world.keys = 1
  world.lane.wakeForKeys()
  world.clock.advance(1_000)
  await turns()
  assert.deepEqual(world.asked, ['deposit-with-keys', 'deposit', 'deposit-keys'])
  await world.lane.close()
})

test('a holder that does not know keys with shards is given the keys first, until it is back', async () => {
  const world = new SigningHolder()
  world.isOld = true
  for (const number of [1, 2]) {
    world.keys = 1
    world.lane.add(queuedRecord(number), 0)
    world.lane.wake()
    await turns()
    assert.deepEqual([world.keys, world.lane.size], [0, 0])
  }
  const apart = ['deposit-keys', 'deposit']
  assert.deepEqual(world.asked, ['deposit-with-keys', ...apart, ...apart])
  world.isOld = false
  world.asked.length = 0
  world.lane.retryNow()
  await turns()
  world.keys = 1
  world.lane.add(queuedRecord(3), 0)
  world.lane.wake()
  await turns()
  assert.deepEqual(world.asked, ['deposit-with-keys'])
  await world.lane.close()
})

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn()
}

function queuedRecord(number: number): QueuedRecord {
  const nothing = new Uint8Array(0)
  return {
    id: new Uint8Array(32).fill(number),
    arrival: number,
    setId: new Uint8Array(32).fill(number),
    k: 2,
    bytes: 16,
    isSpooled: false,
    keyName: '',
    since: 0,
    holders: [HOLDER],
    isReceipted: [false],
    isAccepted: false,
    parcel: { set: nothing, manifest: nothing, queued: encodeShards([new Uint8Array(16)]) },
  }
}

/** Takes all that it is given, and signs for it; an old one does not know every request. */
class SigningHolder {
  readonly clock = new TestClock()
  readonly asked: VaultRequest['kind'][] = []
  readonly lane: DepositLane
  isOld = false
  keys = 0

  constructor() {
    this.lane = createLane(
      {
        answer: (request) => Promise.resolve(this.#answer(request)),
        keysLeft: () => this.keys,
        onKeys: () => {
          this.keys -= 1
        },
      },
      this.clock,
    )
  }

  #answer(request: VaultRequest): VaultAnswer {
    this.asked.push(request.kind)
    if (request.kind === 'deposit-keys') return { kind: 'done', body: {} }
    const isKnown = request.kind === 'deposit' || !this.isOld
    if (!isKnown || (request.kind !== 'deposit' && request.kind !== 'deposit-with-keys'))
      return { kind: 'refusal', body: { code: 'request_malformed', retryAfterMs: 0 } }
    const shards = [...this.lane.waiting()].map(([{ setId }, index]) => ({ setId, index }))
    const message = depositReceiptMessage({ depositor: DEPOSITOR, holder: HOLDER, shards })
    const signature = sign(keyOf(HOLDER, 'anchor'), message)
    return { kind: 'receipt', body: { holder: HOLDER, signature, refused: [] } }
  }
}

function createLane(
  holder: {
    answer: (request: VaultRequest) => Promise<VaultAnswer>
    keysLeft: () => number
    onKeys: () => void
  },
  clock: Clock = systemClock,
): DepositLane {
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
  const answer = (_: string, request: VaultRequest) => holder.answer(request)
  return new DepositLane({
    depositor: DEPOSITOR,
    holder: HOLDER,
    peers: createVaultPeers(HOLDER, { network: nobody, members, answer }),
    clock,
    anchorKey: () => keyOf(HOLDER, 'anchor').publicKey,
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
