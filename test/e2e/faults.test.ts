// Four of four, three of four, two of four and back: who is away decides whether blocks go on, the
// status says who is missing, and only those who were away are started again.

import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Submission } from '@mooring/api'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { readDevnetState } from '../../packages/cli/src/devnet/state.ts'
import { acknowledge, type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const FINAL_MS = 60_000
const STALL_MS = 60_000
const RECOVERY_MS = 60_000

const starting = startDevnet()

test('acceptance 3: three of four go on', async () => {
  const devnet = await starting
  const { stdout } = await devnet.succeed('devnet kill 3')
  assert.match(stdout, /killed hospital-3; 3 of 4 run, 3 make a quorum: blocks go on/)
  await Promise.all([0, 1, 2].map((index) => submitPatient(devnet, index, 100 + index, FINAL_MS)))
})

test('acceptance 3: two of four wait, keep what they accept, and name exactly the missing', async () => {
  const devnet = await starting
  await devnet.succeed('devnet kill 2')
  const records = await submitPatient(devnet, 0, 200, 0)
  assert.ok(records.every(({ height }) => height === null))
  const { client } = nodeAt(devnet, 0)
  const consensus = await eventually('a stall is told', STALL_MS, async () => {
    const status = await client.status()
    return status.consensus.stall === null ? undefined : status.consensus
  })
  assert.deepEqual(consensus.missing.toSorted(), ['hospital-2', 'hospital-3'])
  assert.ok(consensus.tolerates < 0)
  assert.equal(consensus.stall?.mor, 'MOR-3001')
  const before = (await client.status()).chain.height

  const board = (await devnet.succeed('devnet status')).stdout
  assert.match(board, /^stalled: need 3 of 4 authorities, hospital-0 sees 2 \(MOR-3001\)$/m)
  const named = [...board.matchAll(/^ {2}(hospital-\d) /gm)].map(([, name]) => name)
  assert.deepEqual(named, ['hospital-2', 'hospital-3'])
  const screen = await devnet.run(['status', '--endpoint', nodeAt(devnet, 1).api])
  assert.equal(screen.code, 9, screen.stderr)
  const [, stalled = ''] = screen.stdout.split('\nstalled: ')
  assert.match(stalled, /^no block finalized for [\d.]+ s at height \d+, view \d+ \(MOR-3001\)$/m)
  assert.deepEqual(stalled.match(/hospital-\d/g), ['hospital-2', 'hospital-3'])
  assert.equal((await client.status()).chain.height, before)
})

test('acceptance 3: starting the two again is enough: the others stay, and what waited becomes final', async () => {
  const devnet = await starting
  const before = await pidsOf(devnet)
  const started = performance.now()
  const untilFinal = eventually('what waited is final', RECOVERY_MS, async () => {
    const { records } = await nodeAt(devnet, 0).client.status()
    return records.anchored === records.accepted ? performance.now() : undefined
  })
  const [final] = await Promise.all([untilFinal, devnet.succeed('devnet restart')])
  const seconds = (final - started) / 1_000
  const after = await pidsOf(devnet)
  assert.deepEqual(after.slice(0, 2), before.slice(0, 2))
  assert.ok(after.every((pid) => pid !== null))
  await Promise.all(
    [0, 1, 2, 3].map((index) => submitPatient(devnet, index, 300 + index, FINAL_MS)),
  )
  process.stdout.write(
    `READY in ${devnet.readySeconds.toFixed(1)} s; final again ${seconds.toFixed(1)} s after the restart\n`,
  )
})

test('one block a height, equal states, nothing lost, no contradictory votes', async () => {
  const devnet = await starting
  const { stdout } = await devnet.succeed('devnet check')
  assert.match(stdout, /one block at each height +ok +heights 1 to \d+, 4 nodes/)
  assert.match(stdout, /one state after each block +ok/)
  assert.match(stdout, /everything acknowledged is kept and final +ok +(\d+) of \1 records\n/)
  assert.match(stdout, /no contradictory votes +ok +\d+ votes in 4 journals/)
})

test('a node whose vote journal is gone does not start as if it had never voted', async () => {
  const devnet = await starting
  const { home } = nodeAt(devnet, 3)
  await devnet.succeed('devnet kill 3')
  await rm(join(home, 'guard'), { recursive: true })
  const { code, stderr } = await devnet.run(['--home', home, 'start'])
  assert.equal(code, 12, stderr)
  assert.match(stderr, /MOR-1031/)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function pidsOf(devnet: Devnet): Promise<(number | null)[]> {
  const state = await readDevnetState(devnet.dir)
  return state?.nodes.map(({ pid }) => pid) ?? []
}

// Its records, which are final by then unless nobody waits.
async function submitPatient(
  devnet: Devnet,
  index: number,
  seed: number,
  waitMs: number,
): Promise<Submission['records']> {
  const node = nodeAt(devnet, index)
  const contentType = 'application/fhir+json'
  const options = waitMs === 0 ? { contentType } : { contentType, waitMs }
  const { records } = await node.client.submitRecords(generatePatient(seed), options)
  await acknowledge(devnet, node, records)
  const isFinal = records.every(({ height }) => height !== null)
  assert.ok(isFinal || waitMs === 0, `not final after ${waitMs} ms at ${node.name}`)
  return records
}

test.run()
