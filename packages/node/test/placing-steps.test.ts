// Steps of one record that several things find out at the same time: it leaves the queue once.

import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sign } from '@mooring/crypto'
import { depositReceiptMessage, type VaultAnswer } from '@mooring/records'
import type { HolderUpdate } from '@mooring/storage'
import { test } from 'uvu'
import { AtRest } from '../src/at-rest.ts'
import { KeyDeposits } from '../src/key-deposits.ts'
import { createLogger } from '../src/logger.ts'
import { Placing } from '../src/placing.ts'
import { encodeShards } from '../src/queued-records.ts'
import type { VaultPeers } from '../src/vault-peers.ts'
import { QUEUE_LIMITS, type QueuedRecord } from '../src/vault-queue.ts'
import { genesisWith, keyOf, NAMES } from './chain-members.ts'
import { TestClock } from './test-clock.ts'

const [OWN = '', ...OTHERS] = NAMES
const [LAST = ''] = OTHERS
const SET_ID = new Uint8Array(32).fill(1)
const KEY_NAME = 'key'
const TURNS = 20

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await nextTurn()
}

function queuedRecord(): QueuedRecord {
  const shard = new Uint8Array(16)
  const nothing = new Uint8Array(0)
  return {
    id: new Uint8Array(32),
    arrival: 1,
    setId: SET_ID,
    k: 2,
    bytes: 64,
    isSpooled: false,
    keyName: KEY_NAME,
    since: 0,
    holders: [...NAMES],
    isReceipted: NAMES.map(() => false),
    isAccepted: false,
    parcel: { set: nothing, manifest: nothing, queued: encodeShards(NAMES.map(() => shard)) },
  }
}

/** Every holder signs; the last one waits for the gate. */
function peersWith(gate: Promise<void>): VaultPeers {
  return {
    self: OWN,
    isConnected: () => true,
    request: async (holder, request) => {
      if (holder === LAST) await gate
      const items = request.kind === 'deposit' ? request.body.items : []
      const shards = items.map(({ index }) => ({ setId: SET_ID, index }))
      const message = depositReceiptMessage({ depositor: OWN, holder, shards })
      const signature = sign(keyOf(holder, 'anchor'), message)
      const answer: VaultAnswer = { kind: 'receipt', body: { holder, signature, refused: [] } }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is asked here
      return answer as never
    },
  }
}

test('a class key that becomes safe while the last receipt comes in is no second step', async () => {
  const organisations = genesisWith({}).organisations.map(({ organisation }) => organisation)
  const gate = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const updates: HolderUpdate[] = []
  const failures: unknown[] = []
  let isSafe = false
  const atRest = new AtRest(new Uint8Array(32))
  const keys = new KeyDeposits({
    organisation: OWN,
    organisations: () => organisations,
    store: { put: async () => [], deposits: async () => [], updateDeposits: async () => undefined },
    atRest,
  })
  keys.isSafe = () => isSafe
  const placing = new Placing({
    limits: QUEUE_LIMITS,
    organisations: () => organisations,
    peers: peersWith(gate.promise),
    store: {
      async *queued() {},
      getQueued: async () => undefined,
      getRecord: () => undefined,
      updateHolders: async (more) => {
        updates.push(...more)
        await written.promise
      },
    },
    keys,
    uploads: { create: fail, createUnnamed: fail, read: fail, remove: fail, list: noUploads },
    atRest,
    clock: new TestClock(),
    logger: createLogger({
      levels: { base: 'error', modules: {} },
      format: 'json',
      destination: { write: () => undefined },
    }).module('records'),
    onAccepted: () => undefined,
    onFatal: (error) => failures.push(error),
  })
  await placing.start()
  placing.add([queuedRecord()])
  await turns()
  assert.equal(updates.length, 0)
  isSafe = true
  gate.resolve()
  await turns()
  keys.onSafe(KEY_NAME)
  await turns()
  assert.deepEqual(
    updates.map(({ step }) => step),
    ['whole'],
  )
  written.resolve()
  await placing.close()
  assert.deepEqual(failures, [])
  assert.equal(placing.status().waiting, 0)
})

async function* noUploads(): AsyncGenerator<never> {}

function fail(): never {
  throw new Error('no record here is long')
}

test.run()
