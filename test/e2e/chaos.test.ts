// A devnet that is broken on purpose with the commands that anybody has for it: cuts, long paths, a node
// that stands still, one that lies with its own keys. Whatever it was, one chain comes of it.

import assert from 'node:assert/strict'
import type { Status } from '@mooring/api'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { acknowledge, type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'

const FINAL_MS = 60_000
const KNOWN_MS = 60_000
// Long enough for several blocks, if somebody could make them.
const QUIET_BLOCKS_MS = 3_000

const starting = startDevnet()
let seed = 900

test('acceptance 5: halves make no block final, and go on as one chain once they are healed', async () => {
  const devnet = await starting
  const { stdout } = await devnet.succeed(['devnet', 'partition', '0,1|2,3'])
  assert.equal(stdout, 'cut into 2: hospital-0, hospital-1 wait; hospital-2, hospital-3 wait\n')
  const before = await heights(devnet)
  const waiting = await Promise.all([0, 2].map((index) => submit(devnet, index, 0)))
  assert.ok(waiting.flat().every(({ height }) => height === null))
  const stalled = await eventually('both sides name the other one', KNOWN_MS, async () => {
    const [left, right] = await Promise.all([0, 3].map((index) => statusOf(devnet, index)))
    const sides = [left, right].map((side) => side?.consensus.missing.toSorted().join() ?? '')
    return sides.every((side) => side !== '') ? sides : undefined
  })
  assert.deepEqual(stalled, ['hospital-2,hospital-3', 'hospital-0,hospital-1'])
  await new Promise((resolve) => setTimeout(resolve, QUIET_BLOCKS_MS))
  assert.ok(Math.max(...(await heights(devnet))) <= Math.max(...before) + 1)
  await devnet.succeed('devnet heal')
  await untilAllFinal(devnet)
})

test('acceptance 5: three go on without the fourth, which follows when the cut ends by itself', async () => {
  const devnet = await starting
  const { stdout } = await devnet.succeed('devnet partition hospital-3 --for 12s --json')
  const cut: { sides: { nodes: string[]; hasQuorum: boolean }[] } = JSON.parse(stdout)
  assert.deepEqual(
    cut.sides.map(({ nodes, hasQuorum }) => [nodes.length, hasQuorum]),
    [
      [1, false],
      [3, true],
    ],
  )
  const left = await statusOf(devnet, 3)
  await submit(devnet, 1, FINAL_MS)
  const { chain } = await statusOf(devnet, 0)
  assert.ok(chain.height > left.chain.height)
  await eventually('the fourth has all of it', FINAL_MS, async () => {
    const { chain: own, peers } = await statusOf(devnet, 3)
    return own.height > chain.height && peers.connected === 3 ? true : undefined
  })
})

test('a ban of a member holds over a restart, and is told', async () => {
  const devnet = await starting
  const home = ['--home', nodeAt(devnet, 3).home]
  const ban = ['peer', 'ban', 'hospital-0', '--reason', 'stolen machine', ...home]
  assert.match((await devnet.succeed(ban)).stderr, /without hospital-0 a quorum may be missing/)
  await devnet.succeed('devnet restart 3')
  const { stdout } = await devnet.succeed(['peer', 'list', ...home])
  assert.match(stdout, /^hospital-0 .* banned .* until it is lifted: stolen machine$/m)
  const refused = await devnet.run(['peer', 'connect', 'hospital-0', ...home])
  assert.equal(refused.code, 7)
  assert.match(refused.stderr, /MOR-1286/)
  await devnet.succeed(['peer', 'unban', 'hospital-0', ...home])
  await devnet.succeed(['peer', 'connect', 'hospital-0', ...home])
  await devnet.succeed(['peer', 'probe', 'hospital-0', ...home])
  await devnet.succeed('devnet heal')
})

test('paths get longer, a node stands still, and blocks go on', async () => {
  const devnet = await starting
  const slow = await devnet.succeed('devnet latency 40ms 2')
  assert.match(slow.stdout, /^3 paths take 40ms longer each way: those of hospital-2$/m)
  const home = nodeAt(devnet, 0).home
  const words = ['peer', 'ping', 'hospital-2', '--count', '3', '--json', '--home', home]
  const times = await eventually('the slow path answers', KNOWN_MS, async () => {
    const { stdout } = await devnet.succeed(words)
    const { roundTripsMs }: { roundTripsMs: (number | null)[] } = JSON.parse(stdout)
    const answered = roundTripsMs.filter((ms) => ms !== null)
    return answered.length > 0 ? answered : undefined
  })
  // Both ways are slow: a lower bound, whatever the computer does besides. A path is never early by its own
  // clock; a ping is told in whole milliseconds of another one.
  assert.ok(
    times.every((ms) => ms >= 2 * 40 - 1),
    times.join(),
  )
  await submit(devnet, 2, FINAL_MS)
  await devnet.succeed('devnet pause 3')
  await submit(devnet, 0, FINAL_MS)
  await devnet.succeed('devnet resume')
  await devnet.succeed('devnet heal')
  await untilAllFinal(devnet)
})

test('a node that votes twice is named by all, and one that lies stops nobody', async () => {
  const devnet = await starting
  for (const behaviour of ['equivocate', 'lie']) {
    await devnet.succeed(`devnet byzantine 3 ${behaviour}`)
    await submit(devnet, 0, FINAL_MS)
    if (behaviour !== 'equivocate') continue
    const accused = await eventually('all three have evidence', KNOWN_MS, async () => {
      const lists = await Promise.all(
        [0, 1, 2].map((index) => nodeAt(devnet, index).client.evidenceList()),
      )
      const names = lists.map(({ items }) => [...new Set(items.map((each) => each.authority))])
      return names.every((each) => each.length > 0) ? names.flat() : undefined
    })
    assert.deepEqual([...new Set(accused)], ['hospital-3'])
  }
  const board = await devnet.succeed('devnet status')
  assert.match(board.stdout, /^hospital-3 +lie /m)
  await devnet.succeed('devnet byzantine 3 honest')
})

test('under load the promises hold, and every record is there', async () => {
  const devnet = await starting
  await devnet.succeed('devnet latency 5ms')
  const { stdout } = await devnet.succeed('devnet load --rate 20/s --duration 5s --json')
  const load: { submitted: number; final: number; open: number } = JSON.parse(stdout)
  assert.ok(load.submitted > 0)
  assert.deepEqual([load.final, load.open], [load.submitted, 0])
  const check = await devnet.succeed('devnet check')
  assert.match(check.stdout, /everything acknowledged is kept and final +ok +(\d+) of \1 records\n/)
  assert.match(check.stdout, /no contradictory votes +ok/)
  assert.match(check.stdout, /evidence names nobody who is honest +ok +it names hospital-3/)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

function statusOf(devnet: Devnet, index: number): Promise<Status> {
  return nodeAt(devnet, index).client.status()
}

async function heights(devnet: Devnet): Promise<number[]> {
  const reports = await Promise.all(devnet.nodes.map(({ client }) => client.status()))
  return reports.map(({ chain }) => chain.height)
}

async function submit(devnet: Devnet, index: number, waitMs: number) {
  const node = nodeAt(devnet, index)
  seed += 1
  const options = { contentType: 'application/fhir+json', waitMs }
  const { records } = await node.client.submitRecords(generatePatient(seed), options)
  await acknowledge(devnet, node, records)
  if (waitMs > 0) assert.ok(records.every(({ height }) => height !== null))
  return records
}

async function untilAllFinal(devnet: Devnet): Promise<void> {
  await eventually('what was accepted is final', FINAL_MS, async () => {
    const reports = await Promise.all(devnet.nodes.map(({ client }) => client.status()))
    return reports.every(({ records }) => records.anchored === records.accepted) ? true : undefined
  })
}

test.run()
