// Power that fails and disks that are full, under the custodian: what was answered is there, whole, and
// once; what was refused has left nothing.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { verifyProof } from '@mooring/api/verify'
import { genesisDigest } from '@mooring/ledger'
import { generatePatient, readSubmission } from '@mooring/records'
import { MemoryLevel } from '@mooring/storage'
import { test } from 'uvu'
import {
  anchorsOn,
  type Custody,
  eventually,
  observations,
  type Run,
  submission,
  withCustody,
} from './custody-world.ts'

const SEEDS = 25
const SUBMISSIONS = [observations(4), observations(9, 2), observations(2, 40), observations(7, 60)]
const DISTINCT = 20
const DEADLINE_MS = 20_000

/** The same numbers for the same seed. */
function numbersOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Sends what has no answer yet, until all is anchored or the turns are used up. */
async function work(
  { world, block }: Custody,
  { custodian }: Run,
  { answered, turns }: { answered: Map<number, readonly string[]>; turns: number },
): Promise<boolean> {
  for (const [index, each] of SUBMISSIONS.entries()) {
    if (answered.has(index)) continue
    custodian.submitRecords(each).then(
      ({ records }) =>
        answered.set(
          index,
          records.map(({ id }) => id),
        ),
      () => undefined,
    )
  }
  const deadline = performance.now() + DEADLINE_MS
  for (let turn = 0; turn < turns; turn += 1) {
    assert.ok(performance.now() < deadline, 'all is anchored in time')
    world.clock.advance(20)
    await nextTurn()
    if (turn % 10 === 9) await block()
    const isAnswered = answered.size === SUBMISSIONS.length
    if (isAnswered && custodian.counts().pending === 0) return true
  }
  return false
}

async function check(
  custody: Custody,
  run: Run,
  answered: Map<number, readonly string[]>,
): Promise<void> {
  assert.deepEqual(run.failures, [])
  assert.equal(run.custodian.counts().accepted, DISTINCT, 'every record is there once')
  const roots = anchorsOn(custody.world).map(({ root }) => root)
  assert.equal(new Set(roots).size, roots.length, 'no batch is anchored twice')
  const trust = { genesisDigest: genesisDigest(custody.world.genesis) }
  const ids = new Set([...answered.values()].flat())
  assert.equal(ids.size, DISTINCT)
  for (const id of ids) {
    const proof = run.proofs.record(id, true)
    const content = run.content(id)
    assert.ok(proof?.kind === 'record' && content !== undefined)
    assert.ok(verifyProof(proof.json, trust, content).ok)
  }
}

test('power fails at any moment, again and again: nothing answered is lost or anchored twice', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    await withCustody(async (custody) => {
      const random = numbersOf(seed)
      const answered = new Map<number, readonly string[]>()
      const before = new Map<number, readonly string[]>()
      let level = new MemoryLevel('private store')
      for (let failure = 0; failure < 3; failure += 1) {
        const run = await custody.run({ level })
        await work(custody, run, { answered, turns: 1 + Math.floor(random() * 60) })
        for (const [index, ids] of answered) before.set(index, ids)
        run.life.end()
        level = random() < 0.5 ? level.afterPowerLoss(random) : level.afterKill(random)
      }
      const last = await custody.run({ level })
      answered.clear()
      assert.ok(await work(custody, last, { answered, turns: 100_000 }))
      for (const [index, ids] of before)
        assert.deepEqual(answered.get(index), ids, 'the same bytes are the same records')
      await check(custody, last, answered)
    })
  }
})

test('a full disk takes nothing of a submission, and all of it when there is room again', () =>
  withCustody(async (custody) => {
    let isFull = false
    const level = new MemoryLevel('private store', () =>
      isFull
        ? Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
        : Promise.resolve(),
    )
    const { custodian } = await custody.run({ level })
    await custodian.submitRecords(observations(3))
    await eventually(() => custodian.placing.status().waiting === 0, 'the first are placed')
    const size = level.size
    isFull = true
    await assert.rejects(custodian.submitRecords(observations(8)), { code: 'full' })
    await assert.rejects(custodian.submitRecords(submission(generatePatient(3))), { code: 'full' })
    assert.deepEqual([level.size, custodian.counts().accepted], [size, 3])
    isFull = false
    const { records } = await custodian.submitRecords(observations(8))
    assert.deepEqual(
      records.map(({ status }) => status),
      ['known', 'known', 'known', 'accepted', 'accepted', 'accepted', 'accepted', 'accepted'],
    )
    const patient = await custodian.submitRecords(submission(generatePatient(3)))
    assert.ok(patient.records.every(({ status }) => status === 'accepted'))
  }))

test('a full queue refuses with a code, and what it has goes on', () =>
  withCustody(async (custody) => {
    const { holders, world } = custody
    const queue = { recordsMax: 5, bytesMax: 1 << 30, parcelBytesMax: 1 }
    holders.set('away', 'riverside', 'county', 'lakeview')
    const { custodian } = await custody.run({ queue })
    let isAnswered = false
    const answer = custodian.submitRecords(observations(5)).finally(() => {
      isAnswered = true
    })
    await eventually(() => {
      world.clock.advance(50)
      return isAnswered
    }, 'there is an answer')
    assert.ok((await answer).records.every(({ status }) => status === 'received'))
    await assert.rejects(custodian.submitRecords(observations(6)), { code: 'vault_busy' })
    holders.set('up', 'riverside', 'county', 'lakeview')
    await eventually(() => {
      world.clock.advance(50)
      return custodian.placing.status().waiting === 0
    }, 'the queue is empty')
    const { records } = await custodian.submitRecords(observations(6))
    assert.equal(records.filter(({ status }) => status === 'accepted').length, 1)
  }))

test('where too few legal groups could keep it, nothing is taken', () =>
  withCustody(async (custody) => {
    const all = custody.world.parts.members.organisations
    const [first] = all
    const merged = all.map((each, index) =>
      index < 3 ? { ...each, legalGroup: first?.legalGroup ?? '' } : each,
    )
    const { custodian } = await custody.run({ organisations: () => merged })
    await assert.rejects(custodian.submitRecords(observations(1)), { code: 'too_few_holders' })
    assert.equal(custodian.counts().accepted, 0)
  }))

test('nothing of a record is in the clear in any file of the store', () =>
  withCustody(async (custody) => {
    const { custodian } = await custody.run()
    const bundle = generatePatient(11)
    const { resources } = readSubmission(bundle)
    const { records } = await custodian.submitRecords(submission(bundle))
    await eventually(() => custodian.placing.status().waiting === 0, 'all is placed')
    assert.equal(records.length, resources.length)
    const text = new TextDecoder().decode(bundle)
    const words = new Set(text.match(/"[^"]{6,}"/g)?.map((quoted) => quoted.slice(1, -1)))
    words.delete('st-mary')
    const files = await readdir(custody.folder, { recursive: true, withFileTypes: true })
    let bytes = 0
    for (const file of files.filter((each) => each.isFile())) {
      const content = await readFile(join(file.parentPath, file.name))
      bytes += content.length
      for (const word of words)
        assert.ok(!content.includes(word), `${word} is in the clear in ${file.name}`)
    }
    assert.ok(words.size > 50 && bytes > bundle.length, `${words.size} words, ${bytes} bytes`)
  }))

test.run()
