// A leader that dies in each phase of its view, while hospitals submit. How far it had come is read from
// its own journal after its death; a phase is held open until the kill by what happens around the leader:
// the others do not run, or do not hear each other.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import { eventually } from '../e2e/eventually.ts'
import { startLoad } from '../e2e/load.ts'
import { randomOf } from '../simulation/random.ts'
import { describeRecovery, inSeconds, startHospitals } from './hospitals.ts'
import { skipWithoutNamespaces } from './namespaces.ts'
import { type Phase, progressOf } from './phases.ts'

await skipWithoutNamespaces()

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
// The moment is met nearly always; a busy computer may miss it.
const TRIES = 8
const TURN_MS = 20_000
const PHASE_MS = 3_000
const FAILOVER_MS = 20_000
const POLL_MS = 2
const AUTHORITIES = 4

const hospitals = await startHospitals(AUTHORITIES)
const load = startLoad(hospitals, randomOf(SEED))
const random = randomOf(SEED + 1)

const othersOf = (leader: number) => hospitals.indices.filter((index) => index !== leader)
const progress = (index: number) => progressOf(hospitals.nodeAt(index).home, index, AUTHORITIES)

// Its view has begun and it has proposed nothing yet.
async function untilItsTurn(leader: number): Promise<number> {
  const [other = 0] = othersOf(leader)
  const { name } = hospitals.nodeAt(leader)
  return eventually(`${name} leads`, TURN_MS, async () => {
    const { consensus } = await hospitals.statusOf(other)
    if (consensus.leader !== name) return undefined
    const { view, phase } = await progress(leader)
    return view === consensus.view && phase === 'nothing' ? view : undefined
  })
}

// False when the view went by before the phase was seen.
async function untilPhase(leader: number, view: number, phase: Phase): Promise<boolean> {
  const deadline = performance.now() + PHASE_MS
  while (performance.now() < deadline) {
    const seen = await progress(leader)
    if (seen.view !== view) return false
    if (seen.phase === phase) return true
    await pause(POLL_MS)
  }
  return false
}

async function killIn(phase: Phase, hold: (leader: number) => Promise<void>): Promise<number> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const leader = random.between(0, AUTHORITIES - 1)
    const view = await untilItsTurn(leader)
    await hold(leader)
    const isMet = await untilPhase(leader, view, phase)
    if (isMet) await hospitals.kill(leader)
    for (const other of othersOf(leader)) hospitals.thaw(other)
    await hospitals.network.heal()
    if (!isMet) continue
    const died = await progress(leader)
    if (died.view === view && died.phase === phase) return leader
    await hospitals.recover(() => hospitals.start(leader))
  }
  return assert.fail(`no leader died in the phase "${phase}" in ${TRIES} tries`)
}

async function goOnWithout(leader: number): Promise<number> {
  const [other = 0] = othersOf(leader)
  const before = await hospitals.heightOf(other)
  const from = performance.now()
  await eventually('the others go on', FAILOVER_MS, async () =>
    (await hospitals.heightOf(other)) > before + 1 ? true : undefined,
  )
  return performance.now() - from
}

async function survive(phase: Phase, hold: (leader: number) => Promise<void>): Promise<void> {
  const leader = await killIn(phase, hold)
  const failoverMs = await goOnWithout(leader)
  const recovery = await hospitals.recover(() => hospitals.start(leader))
  process.stdout.write(
    `figure: leader killed, ${phase}: two blocks after ${inSeconds(failoverMs)}; started again: ${describeRecovery(recovery)}\n`,
  )
}

test('before its proposal', async () => {
  process.stdout.write(`figure: SEED=${SEED}\n`)
  await survive('nothing', () => Promise.resolve())
})

test('after its proposal, which two others have not read', async () => {
  await survive('proposed', async (leader) => {
    for (const other of othersOf(leader).slice(1)) hospitals.freeze(other)
    await Promise.resolve()
  })
})

test('after its notarization, which nobody else has', async () => {
  await survive('notarized', async (leader) => {
    const [a = 0, b = 0, c = 0] = othersOf(leader)
    await hospitals.part([a], [b, c])
    await hospitals.part([b], [c])
  })
})

test('after the finalization of its block', async () => {
  await survive('finalized', () => Promise.resolve())
})

test('one chain, nothing acknowledged lost, no contradictory votes', async () => {
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
