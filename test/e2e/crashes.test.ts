// kill -9, again and again, while hospitals submit. What was acknowledged is there afterwards, final, and
// no authority has signed what contradicts itself.
//
//   SEED=… KILLS=… npx node test/e2e/crashes.test.ts
//
// The seed says which nodes die, and when; the computer, in the middle of what.

import assert from 'node:assert/strict'
import { test } from 'uvu'
import { randomOf } from '../simulation/random.ts'
import { type Devnet, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { type Promised, startLoad } from './load.ts'
import { controlPower, pauseBetween } from './power.ts'
import { atOnce } from './proving.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const KILLS = Number(process.env['KILLS'] ?? (process.env['CI'] === 'true' ? 50 : 10))
const SETTLE_MS = 90_000
const CHECK_MS = 180_000
const CONTENT_STEP = 10

const starting = startDevnet()
const promised: Promised[] = []

test('acceptance 2: a random node dies under load, and returns, again and again', async () => {
  process.stdout.write(`SEED=${SEED}\n`)
  const devnet = await starting
  const random = randomOf(SEED)
  const power = await controlPower(devnet)
  const load = startLoad(devnet, randomOf(SEED + 1))
  const started = performance.now()
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pauseBetween(random, 100, 1_200)
      await power.cut([random.between(0, devnet.nodes.length - 1)])
    }
  } finally {
    await load.stop()
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  promised.push(...load.promised)
  process.stdout.write(
    `${KILLS} kills in ${seconds} s, ${promised.length} records acknowledged, ${load.refused()} refusals\n`,
  )
  assert.ok(promised.length > 0)
  await untilSettled(devnet)
  await power.checkAlive()
})

test('all of them die in the same moment, and return', async () => {
  const devnet = await starting
  const power = await controlPower(devnet)
  const more = startLoad(devnet, randomOf(SEED + 2))
  try {
    await eventually('every node has work', SETTLE_MS, () => {
      const busy = new Set(more.promised.map(({ node }) => node.name))
      return busy.size === devnet.nodes.length ? true : undefined
    })
    await power.cut(devnet.nodes.map(({ index }) => index))
  } finally {
    await more.stop()
  }
  promised.push(...more.promised)
  await untilSettled(devnet)
  await power.checkAlive()
})

test('acceptance 2: everything that was acknowledged is there, byte for byte', async () => {
  assert.ok(promised.length > 0)
  const chosen = promised.filter((_, index) => index % CONTENT_STEP === 0)
  await atOnce(4, chosen, async ({ id, raw, node }) => {
    assert.deepEqual((await node.client.recordContent(id)).bytes, raw)
  })
})

test('acceptance 2: one block a height, equal states, nothing lost, no contradictory votes', async () => {
  const devnet = await starting
  const { stdout } = await devnet.succeed('devnet check', { timeoutMs: CHECK_MS })
  assert.equal(stdout.match(/ ok /g)?.length, 7, stdout)
  assert.match(stdout, new RegExp(`kept and final +ok +${promised.length} of `))
  assert.match(stdout, /no contradictory votes +ok +\d+ votes in 4 journals/)
  for (const { name, metrics } of devnet.nodes) {
    const text = await (await fetch(`${metrics}/metrics`)).text()
    const seen = text.match(/^mooring_consensus_equivocations_total\{.*\} [1-9]/m)
    assert.equal(seen, null, `${name} has seen contradictory votes: ${seen?.[0]}`)
  }
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function untilSettled(devnet: Devnet): Promise<void> {
  const started = performance.now()
  for (const { name, client } of devnet.nodes) {
    await eventually(`everything that ${name} accepted is anchored`, SETTLE_MS, async () => {
      const { records } = await client.status()
      return records.anchored === records.accepted ? true : undefined
    })
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  process.stdout.write(`everything anchored ${seconds} s after the last start\n`)
}

test.run()
