import assert from 'node:assert/strict'
import { join } from 'node:path'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { toHex } from '@mooring/codec'
import {
  decodeMessage,
  type Evidence,
  evidenceOf,
  type Subject,
  type Vote,
  type VoteKind,
  voteMessage,
} from '@mooring/consensus'
import { keyPairFromSeed, sign } from '@mooring/crypto'
import { EvidenceStore, openDatabase } from '@mooring/storage'
import { test } from 'uvu'
import { createEvidenceAnswers } from '../src/evidence-answers.ts'
import { createLogger } from '../src/logger.ts'
import { describeOffence, type Offence, Offences } from '../src/offences.ts'
import { TestClock } from './test-clock.ts'

const genesisDigest = new Uint8Array(32).fill(9)
const pairs = [1, 2, 3, 4, 5].map((byte) => keyPairFromSeed(new Uint8Array(32).fill(byte)))
const publicKeys = pairs.map(({ publicKey }) => publicKey)
// In epoch 1 the first authority is gone, so that everybody else has another position.
const SETS = [
  { organisations: ['a', 'b', 'c', 'd'], keys: publicKeys.slice(0, 4) },
  { organisations: ['b', 'c', 'd', 'e'], keys: publicKeys.slice(1) },
]
const sets = {
  of: (epoch: number) => SETS[epoch],
  nameOf: (epoch: number, index: number) => SETS[epoch]?.organisations[index] ?? '?',
}

function voteOf(kind: VoteKind, digest: string, at: { epoch: number; view: number }, pair: number) {
  const subject: Subject = { ...at, parentView: 0, height: 1, digest: digest.repeat(32) }
  const signature = sign(pairs[pair] ?? fail(), voteMessage(genesisDigest, kind, subject))
  return (signer: number): Vote => ({ kind, subject, signer, signature })
}

function fail(): never {
  throw new Error('no such pair')
}

function offence(epoch: number, view: number, pair: number, signer: number): Evidence {
  const first = voteOf('notarize', 'aa', { epoch, view }, pair)(signer)
  const second = voteOf('notarize', 'bb', { epoch, view }, pair)(signer)
  return evidenceOf(first, second) ?? fail()
}

interface World {
  offences: Offences
  told: Offence[]
  sent: [peerId: string, ids: number][]
  blamed: string[]
  clock: TestClock
  settle: () => Promise<void>
}

async function withWorld(folder: string, work: (world: World) => Promise<void>): Promise<void> {
  const database = await openDatabase(join(folder, 'chain'), { name: 'chain' })
  const store = await EvidenceStore.open(database)
  const clock = new TestClock()
  const told: Offence[] = []
  const sent: [string, number][] = []
  const blamed: string[] = []
  const offences = new Offences({
    store,
    sets,
    genesisDigest,
    clock,
    logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
    peers: () => ['p1', 'p2'],
    send: (peerId, frame) => {
      const message = decodeMessage(frame)
      assert.equal(message.kind, 'evidence')
      sent.push([peerId, message.kind === 'evidence' ? message.evidence.length : 0])
    },
    blame: (peerId, reason) => blamed.push(`${peerId} ${reason}`),
    onNew: (each) => told.push(each),
    onFatal: (error) => assert.fail(String(error)),
  })
  const settle = () => offences.idle()
  try {
    await work({ offences, told, sent, blamed, clock, settle })
  } finally {
    await settle()
    await database.close()
  }
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-offences-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('an offence is told once and passed to all, whoever saw it and how often', async () => {
  await inFolder(async (folder) => {
    await withWorld(folder, async ({ offences, told, sent, settle }) => {
      offences.take(offence(0, 5, 2, 2))
      offences.take(offence(0, 5, 2, 2))
      offences.offered('p1', [offence(0, 5, 2, 2)])
      await settle()
      assert.deepEqual(
        told.map(({ authority }) => authority),
        ['c'],
      )
      assert.deepEqual(sent, [
        ['p1', 1],
        ['p2', 1],
      ])
      const [only] = offences.list()
      assert.ok(only)
      assert.equal(describeOffence(only), 'c notarized two different blocks in view 5 of epoch 0')
    })
    await withWorld(folder, async ({ offences, told, sent, settle }) => {
      offences.take(offence(0, 5, 2, 2))
      offences.greet('p7')
      await settle()
      assert.deepEqual([told, sent], [[], [['p7', 1]]], 'a restart tells nobody again')
    })
  })
})

test('evidence is judged by the set of its own epoch', async () => {
  await inFolder((folder) =>
    withWorld(folder, async ({ offences, told, blamed, settle }) => {
      offences.offered('p1', [offence(1, 3, 2, 1), offence(0, 3, 2, 2)])
      await settle()
      assert.deepEqual(
        told.map(({ authority }) => authority),
        ['c', 'c'],
      )
      offences.offered('p1', [offence(1, 4, 2, 2)])
      assert.deepEqual(blamed, ['p1 bad_evidence'], 'position 2 is d in epoch 1')
      offences.offered('p2', [offence(7, 1, 2, 2)])
      await settle()
      assert.equal(told.length, 2, 'an epoch to come is nobody’s fault')
      assert.equal(blamed.length, 1)
    }),
  )
})

test('nobody is accused by what does not convict, and who offers it is to blame', async () => {
  await inFolder((folder) =>
    withWorld(folder, async ({ offences, told, blamed, settle }) => {
      const good = offence(0, 5, 2, 2)
      const forged = { ...good, second: { ...good.second, signature: new Uint8Array(64) } }
      const framed = offence(0, 5, 2, 1)
      offences.offered('p1', [forged])
      offences.offered('p2', [framed, good])
      offences.take(framed)
      await settle()
      assert.deepEqual(told, [])
      assert.deepEqual(blamed, ['p1 bad_evidence', 'p2 bad_evidence'])
    }),
  )
})

test('who offers all the time is heard some of the time', async () => {
  await inFolder((folder) =>
    withWorld(folder, async ({ offences, told, clock, settle }) => {
      for (let view = 1; view <= 20; view += 1) offences.offered('p1', [offence(0, view, 2, 2)])
      await settle()
      assert.equal(told.length, 16)
      clock.advance(11_000)
      offences.offered('p1', [offence(0, 30, 2, 2)])
      await settle()
      assert.equal(told.length, 17)
    }),
  )
})

test('a list has pages, newest first, and each piece its bytes', async () => {
  await inFolder((folder) =>
    withWorld(folder, async ({ offences, settle }) => {
      for (const view of [1, 2, 3]) offences.take(offence(0, view, 2, 2))
      await settle()
      const answers = createEvidenceAnswers(offences, sets)
      const first = answers.listEvidence({ before: null, limit: 2 })
      assert.deepEqual(
        first.items.map(({ view }) => view),
        [3, 2],
      )
      const second = answers.listEvidence({ before: first.next, limit: 2 })
      assert.deepEqual([second.items.map(({ view }) => view), second.next], [[1], null])
      const [item] = second.items
      assert.ok(item)
      const found = answers.evidence(item.id)
      assert.deepEqual(found?.evidence, item)
      assert.equal(item.key, toHex(publicKeys[2] ?? fail()))
      assert.equal(answers.evidence('0'.repeat(64)), undefined)
    }),
  )
})

test.run()
