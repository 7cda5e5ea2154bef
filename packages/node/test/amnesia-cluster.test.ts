// Members that lose their disk, or their guard, and come back with the same keys: nothing they sign may
// contradict what they have signed before, and they take part again.

import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeCertificate, decodeVote, type Vote, votesOf } from '@mooring/consensus'
import { Journal } from '@mooring/storage'
import { test } from 'uvu'
import { contradictionsOf } from '../src/guard-check.ts'
import { Cluster } from './cluster.ts'

const WAIT_MS = 30_000

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not so after ${WAIT_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function submit(cluster: Cluster, sequences: readonly number[]): Promise<void> {
  for (const sequence of sequences) {
    const { mempool } = cluster.member(0).agreement
    const { status } = await mempool.submit(cluster.anchor(0, sequence))
    assert.equal(status, 'accepted')
    await cluster.reached(sequence)
  }
}

/** What a guard knows, from a copy, so that a running member is not disturbed. */
async function votesIn(cluster: Cluster, guard: string): Promise<Vote[]> {
  const directory = join(cluster.homeOf(0), '..', `read-${Math.random()}`)
  await cp(guard, directory, { recursive: true })
  const { journal, records } = await Journal.open({ directory })
  await journal.close()
  return records.flatMap(({ type, payload }) => {
    if (type === 'vote') return [decodeVote(payload)]
    return type === 'certificate' ? votesOf(decodeCertificate(payload)) : []
  })
}

/** All votes of one member that any guard knows. */
async function votesOfMember(cluster: Cluster, signer: number, kept: string): Promise<Vote[]> {
  const guards = [0, 1, 2, 3].map((index) => join(cluster.homeOf(index), 'guard'))
  const all = await Promise.all([...guards, kept].map((guard) => votesIn(cluster, guard)))
  return all.flat().filter((vote) => vote.signer === signer)
}

const isBack = (cluster: Cluster, index: number) =>
  cluster.member(index).stores.amnesia.memory === 'whole'

for (const { what, lose, how } of [
  { what: 'its whole disk', lose: '', how: {} },
  { what: 'its guard, and says so', lose: 'guard', how: { rejoin: true } },
  { what: 'nothing, but is told to rejoin', lose: 'nothing', how: { rejoin: true } },
]) {
  test(`a member that lost ${what} observes, votes again, and never against itself`, async () => {
    const cluster = await Cluster.start(4)
    try {
      await submit(cluster, [1, 2, 3])
      await cluster.stopMember(3)
      const kept = join(cluster.homeOf(3), '..', 'kept')
      await cp(join(cluster.homeOf(3), 'guard'), kept, { recursive: true })
      await rm(join(cluster.homeOf(3), lose), { recursive: true, force: true })
      await cluster.startMember(3, how)
      const { stores, agreement } = cluster.member(3)
      assert.notEqual(stores.amnesia.memory, 'whole')
      assert.deepEqual(stores.amnesia.observing(agreement.driver.state)?.until, null)
      await until(
        'it knows from where it may vote',
        () => agreement.driver.state.gathering === null,
      )
      const { voteFrom } = agreement.driver.state
      await submit(cluster, [4, 5, 6, 7, 8, 9])
      await until('it is back', () => isBack(cluster, 3))
      await submit(cluster, [10, 11])
      await until('it votes', () => stores.journal.marks.notarized >= voteFrom)
      const votes = await votesOfMember(cluster, 3, kept)
      assert.deepEqual(contradictionsOf(votes), [])
      const given = await votesIn(cluster, join(cluster.homeOf(3), 'guard'))
      const early = given.filter(({ signer, subject }) => signer === 3 && subject.view < voteFrom)
      const before = new Set((await votesIn(cluster, kept)).map(({ subject }) => subject.view))
      assert.deepEqual(
        early.filter(({ subject }) => !before.has(subject.view)),
        [],
      )
      assert.deepEqual(
        cluster.running().map(({ halted }) => halted),
        [[], [], [], []],
      )
    } finally {
      await cluster.close()
    }
  })
}

test('acceptance 7: a member whose data is deleted fetches the chain and contradicts nothing', async () => {
  const cluster = await Cluster.start(4)
  try {
    await submit(cluster, [1, 2, 3])
    const before = cluster.member(3).stores.journal.marks
    await cluster.stopMember(3)
    await cluster.loseData(3)
    await cluster.startMember(3)
    const { stores } = cluster.member(3)
    assert.equal(stores.amnesia.memory, 'whole')
    assert.deepEqual(stores.journal.marks, before)
    await submit(cluster, [4, 5, 6, 7, 8])
    await until('it votes', () => stores.journal.marks.notarized > before.notarized)
    const votes = await votesIn(cluster, join(cluster.homeOf(3), 'guard'))
    assert.deepEqual(contradictionsOf(votes.filter(({ signer }) => signer === 3)), [])
    assert.deepEqual(
      cluster.running().map(({ halted }) => halted),
      [[], [], [], []],
    )
  } finally {
    await cluster.close()
  }
})

test('a member that stops while it observes goes on observing', async () => {
  const cluster = await Cluster.start(4)
  try {
    await submit(cluster, [1, 2])
    await cluster.stopMember(3)
    await rm(cluster.homeOf(3), { recursive: true })
    await cluster.startMember(3)
    const first = cluster.member(3)
    await until('it has gathered', () => first.agreement.driver.state.gathering === null)
    const { voteFrom } = first.agreement.driver.state
    assert.ok(voteFrom > 2)
    await cluster.stopMember(3)
    await cluster.startMember(3)
    const { stores, agreement } = cluster.member(3)
    assert.equal(stores.amnesia.memory, 'new')
    assert.equal(agreement.driver.state.voteFrom, voteFrom)
    assert.deepEqual(stores.amnesia.observing(agreement.driver.state)?.until, voteFrom)
    await submit(cluster, [3, 4, 5, 6, 7, 8])
    await until('it is back', () => isBack(cluster, 3))
    await cluster.stopMember(3)
    await cluster.startMember(3)
    assert.equal(cluster.member(3).stores.amnesia.memory, 'whole')
    assert.equal(cluster.member(3).agreement.driver.state.voteFrom, 0)
  } finally {
    await cluster.close()
  }
})

test('a network in which nobody has a guard begins when three of four are there', async () => {
  const cluster = await Cluster.prepare(4)
  try {
    await cluster.startMember(0)
    await cluster.startMember(1)
    assert.equal(isBack(cluster, 0), false)
    await cluster.startMember(2)
    await submit(cluster, [1, 2])
    assert.deepEqual(
      [0, 1, 2].map((index) => isBack(cluster, index)),
      [true, true, true],
    )
    await cluster.startMember(3)
    await until(
      'the fourth has asked',
      () => cluster.member(3).agreement.driver.state.gathering === null,
    )
    assert.ok(cluster.member(3).agreement.driver.state.voteFrom > 2, 'it is late, so it observes')
    await submit(cluster, [3, 4, 5, 6, 7, 8])
    await until('the fourth votes', () => isBack(cluster, 3))
  } finally {
    await cluster.close()
  }
})

test('two processes of one key: the one that learns of the other stops voting', async () => {
  const cluster = await Cluster.start(4)
  try {
    await submit(cluster, [1])
    const { halted, agreement } = cluster.member(3)
    const { state } = agreement.driver
    const view = state.view + 1
    const subject = { epoch: 0, view, parentView: 0, height: 0, digest: '0'.repeat(64) }
    const signature = cluster.signVote(3, 'nullify', subject)
    agreement.driver.feed({
      type: 'votes',
      votes: [{ kind: 'nullify', subject, signer: 3, signature }],
    })
    assert.deepEqual(halted, ['duplicate_key'])
    await submit(cluster, [2])
  } finally {
    await cluster.close()
  }
})

test.run()
