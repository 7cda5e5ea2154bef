// Networks that fall apart, while hospitals submit: halves, one alone, one direction, a cut that moves. A
// part without a quorum never makes a block final; one with a quorum goes on; healed, they are one chain.
//
//   SEED=… npx node test/host/partitions.test.ts
//
// Recovery is measured from the moment of healing until a new block is final at every node.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import { eventually } from '../e2e/eventually.ts'
import { startLoad } from '../e2e/load.ts'
import { randomOf } from '../simulation/random.ts'
import { describeRecovery, startHospitals } from './hospitals.ts'
import { skipWithoutNamespaces } from './namespaces.ts'

await skipWithoutNamespaces()

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const STALL_MS = 25_000
const PROGRESS_MS = 20_000
// What was on its way when the cut fell may still be worked off.
const SETTLE_MS = 1_000

const hospitals = await startHospitals(4)
const load = startLoad(hospitals, randomOf(SEED))

test('acceptance 5: halves: neither makes a block final, both name exactly the others', async () => {
  process.stdout.write(`figure: SEED=${SEED}\n`)
  await hospitals.part([0, 1], [2, 3])
  await pause(SETTLE_MS)
  const before = await hospitals.heights()
  for (const [own, others] of [
    [0, ['hospital-2', 'hospital-3']],
    [3, ['hospital-0', 'hospital-1']],
  ] as const) {
    const consensus = await eventually('a stall is told', STALL_MS, async () => {
      const status = await hospitals.statusOf(own)
      return status.consensus.stall === null ? undefined : status.consensus
    })
    assert.equal(consensus.stall?.mor, 'MOR-3001')
    assert.deepEqual(consensus.missing.toSorted(), others)
    assert.deepEqual(consensus.stall?.detail.match(/hospital-\d/g)?.toSorted(), others)
    process.stdout.write(`hospital-${own}: ${consensus.stall?.detail}\n`)
  }
  assert.deepEqual(await hospitals.heights(), before)
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(`figure: 2|2 healed: ${describeRecovery(recovery)}\n`)
})

test('acceptance 5: one alone: three go on, the one does not, and catches up', async () => {
  await hospitals.part([0, 1, 2], [3])
  await pause(SETTLE_MS)
  const alone = await hospitals.heightOf(3)
  const before = await hospitals.heightOf(0)
  await eventually('three go on', PROGRESS_MS, async () =>
    (await hospitals.heightOf(0)) > before + 5 ? true : undefined,
  )
  const missing = await eventually('the missing one is named', PROGRESS_MS, async () => {
    const { consensus } = await hospitals.statusOf(0)
    return consensus.missing.length > 0 ? consensus : undefined
  })
  assert.deepEqual(missing.missing, ['hospital-3'])
  assert.equal(missing.stall, null)
  assert.equal(await hospitals.heightOf(3), alone)
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(`figure: 3|1 healed: ${describeRecovery(recovery)}\n`)
})

test('a pulled cable: the same', async () => {
  await hospitals.network.unplug(1)
  const before = await hospitals.heightOf(0)
  await eventually('three go on', PROGRESS_MS, async () =>
    (await hospitals.heightOf(0)) > before + 5 ? true : undefined,
  )
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(`figure: cable back: ${describeRecovery(recovery)}\n`)
})

test('one killed and one cut off: each is named with its own reason, and only they are repaired', async () => {
  await hospitals.kill(2)
  await hospitals.part([3], [0, 1])
  const stall = await eventually('both are told apart', STALL_MS, async () => {
    const { stall: told } = (await hospitals.statusOf(0)).consensus
    const isTold = /hospital-2 .*refuses connections.*hospital-3 last seen/.test(told?.detail ?? '')
    return isTold && told !== null ? told : undefined
  })
  assert.equal(stall.mor, 'MOR-3001')
  assert.match(
    stall.detail,
    /^hospital-2 last seen \S+ ago, refuses connections at 10\.77\.0\.3:7420: its node is probably not running; hospital-3 last seen \S+ ago, (nothing heard for \d+ ms|does not answer at 10\.77\.0\.4:7420 within 5 s: its computer is off, or the path to it is cut)\.$/,
  )
  process.stdout.write(`hospital-0: ${stall.detail}\n`)
  const repair = () => Promise.all([hospitals.start(2), hospitals.network.heal()])
  process.stdout.write(
    `figure: one healed, one started: ${describeRecovery(await hospitals.recover(repair))}\n`,
  )
})

test('one direction only: whoever hears and is not heard is missed, and returns', async () => {
  for (const to of [0, 1, 3]) await hospitals.network.cut(2, to)
  const before = await hospitals.heightOf(0)
  await eventually('three go on', PROGRESS_MS, async () =>
    (await hospitals.heightOf(0)) > before + 5 ? true : undefined,
  )
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(`figure: one-way healed: ${describeRecovery(recovery)}\n`)
})

test('a ring of one-way cuts: everybody hears some, and one chain comes of it', async () => {
  for (const from of [0, 1, 2, 3]) await hospitals.network.cut(from, (from + 1) % 4)
  await pause(6_000)
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(`figure: ring healed: ${describeRecovery(recovery)}\n`)
})

test('a cut that moves', async () => {
  const random = randomOf(SEED + 1)
  for (let round = 0; round < 8; round += 1) {
    const order = [0, 1, 2, 3].toSorted(() => random.between(0, 1) - 0.5)
    const size = random.between(1, 2)
    if (random.between(0, 2) === 0) {
      for (const to of order.slice(1)) await hospitals.network.cut(order[0] ?? 0, to)
    } else {
      await hospitals.part(order.slice(0, size), order.slice(size))
    }
    await pause(random.between(300, 2_500))
    if (random.between(0, 1) === 0) await hospitals.network.heal()
  }
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(`figure: moving cut healed: ${describeRecovery(recovery)}\n`)
})

test('acceptance 5: one chain, nothing acknowledged lost, no contradictory votes', async () => {
  await load.stop()
  process.stdout.write(
    `figure: ${load.promised.length} records acknowledged, ${load.refused()} refusals\n`,
  )
  assert.ok(load.promised.length > 0)
  await hospitals.check()
})

test('it stops and leaves nothing behind', async () => {
  await hospitals.close()
})

test.run()
