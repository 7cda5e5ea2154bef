// kill -9 at random, again and again, in a network that falls apart and comes together meanwhile, while
// hospitals submit.
//
//   SEED=… KILLS=… npx node test/host/crashes.test.ts

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import { startLoad } from '../e2e/load.ts'
import { randomOf } from '../simulation/random.ts'
import { describeRecovery, inSeconds, startHospitals } from './hospitals.ts'
import { skipWithoutNamespaces } from './namespaces.ts'

await skipWithoutNamespaces()

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const KILLS = Number(process.env['KILLS'] ?? (process.env['CI'] === 'true' ? 50 : 10))

const hospitals = await startHospitals(4)
const load = startLoad(hospitals, randomOf(SEED))

test('any node dies at any moment, on paths that come and go', async () => {
  process.stdout.write(`figure: SEED=${SEED}\n`)
  const random = randomOf(SEED + 1)
  const started = performance.now()
  for (let kill = 0; kill < KILLS; kill += 1) {
    await pause(random.between(100, 1_200))
    const [from, to] = [random.pick(hospitals.indices), random.pick(hospitals.indices)]
    if (from !== to && random.chance(0.4)) await hospitals.network.cut(from, to)
    const victim = random.pick(hospitals.indices)
    await hospitals.checkAlive(victim)
    await hospitals.kill(victim)
    if (random.chance(0.4)) await hospitals.network.heal()
    await hospitals.start(victim)
  }
  const seconds = inSeconds(performance.now() - started)
  const recovery = await hospitals.recover(() => hospitals.network.heal())
  process.stdout.write(
    `figure: ${KILLS} kills in ${seconds}; healed: ${describeRecovery(recovery)}\n`,
  )
})

test('all of them die in the same moment, and return', async () => {
  await hospitals.heights()
  await Promise.all(hospitals.indices.map((index) => hospitals.kill(index)))
  const start = () => Promise.all(hospitals.indices.map((index) => hospitals.start(index)))
  const recovery = await hospitals.recover(start)
  process.stdout.write(`figure: all started again: ${describeRecovery(recovery)}\n`)
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
