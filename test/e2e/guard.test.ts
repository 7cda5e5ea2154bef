// The guard on real processes: a home restored beside the running original, a guard that is gone, two
// processes with one key, and a disk without room. None of them may lead to two contradicting votes.

import assert from 'node:assert/strict'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { contradictionsOf } from '../../packages/node/src/guard-check.ts'
import { readDevnetState } from '../../packages/cli/src/devnet/state.ts'
import { endOf, spawnMooring } from './command.ts'
import { acknowledge, type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { votesOf } from './guard-votes.ts'

const FINAL = { contentType: 'application/fhir+json', waitMs: 60_000 }
const REJOIN_MS = 90_000

const starting = startDevnet()
let seed = 500

async function submit(devnet: Devnet, index: number): Promise<void> {
  const node = nodeAt(devnet, index)
  seed += 1
  const { records } = await node.client.submitRecords(generatePatient(seed), FINAL)
  await acknowledge(devnet, node, records)
  assert.ok(records.every(({ height }) => height !== null))
}

const isNoSocket = (path: string) => !path.endsWith('.sock')

/** As a backup takes it; the socket of a running node is no file. */
async function copyHome(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, preserveTimestamps: true, filter: isNoSocket })
}

/** The same home with ports of its own, so that only the guard stands in the way. */
async function restore(backup: string, to: string): Promise<void> {
  await copyHome(backup, to)
  const file = join(to, 'config', 'mooring.toml')
  const config = await readFile(file, 'utf8')
  await writeFile(
    file,
    config.replaceAll(/^listen = .*$/gm, (line) =>
      line.includes('/ip4/') ? 'listen = ["/ip4/127.0.0.1/tcp/0"]' : 'listen = "127.0.0.1:0"',
    ),
  )
}

test('acceptance 7: an old backup beside the running original does not start, and says what to do', async () => {
  const devnet = await starting
  const { home, client } = nodeAt(devnet, 3)
  await submit(devnet, 0)
  const backup = join(devnet.folder, 'backup')
  await copyHome(home, backup)
  await submit(devnet, 1)
  const copy = join(devnet.folder, 'copy')
  await restore(backup, copy)
  const { code, stderr } = await devnet.run(['--home', copy, 'start'])
  assert.equal(code, 12, stderr)
  assert.match(stderr, /MOR-1040/)
  assert.match(stderr, /mooring start --rejoin/)
  assert.equal((await client.status()).consensus.live, 4)
  await submit(devnet, 3)
  const { stdout } = await devnet.succeed('devnet check')
  assert.match(stdout, /no contradictory votes +ok/)
  await rm(copy, { recursive: true })
})

test('acceptance 7: a guard that is gone stops the start; a rejoin observes, votes again, and contradicts nothing', async () => {
  const devnet = await starting
  const { home, client } = nodeAt(devnet, 3)
  await devnet.succeed('devnet kill 3')
  const kept = join(devnet.folder, 'kept-guard')
  await cp(join(home, 'guard'), kept, { recursive: true })
  await rm(join(home, 'guard'), { recursive: true })
  const refused = await devnet.run(['--home', home, 'start'])
  assert.equal(refused.code, 12, refused.stderr)
  assert.match(refused.stderr, /MOR-1031/)

  const child = spawnMooring(['--home', home, 'start', '--rejoin'], devnet.folder)
  const ended = endOf(child, 120_000)
  await eventually('it observes, and says so', REJOIN_MS, async () => {
    const { alarms } = await client.status()
    const alarm = alarms.find(({ code }) => code === 'observing')
    if (alarm !== undefined) assert.match(alarm.detail, /because its vote journal was lost/)
    return alarm
  })
  await eventually('it is ready again', REJOIN_MS, async () => {
    await submit(devnet, 0)
    const { alarms, consensus } = await client.status()
    return alarms.length === 0 && consensus.live === 4 ? true : undefined
  })
  await submit(devnet, 3)
  const homes = devnet.nodes.map((node) => join(node.home, 'guard'))
  const votes = await votesOf([...homes, kept], 3)
  assert.ok(votes.length > 0)
  assert.deepEqual(contradictionsOf(votes), [])
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
  await devnet.succeed('devnet restart')
  await submit(devnet, 3)
})

// Members keep one connection for one key, so that the twin may not even get in.
test('acceptance 7: of two processes with one key one ends for good, and they contradict nothing', async () => {
  const devnet = await starting
  const { home } = nodeAt(devnet, 3)
  const twin = join(devnet.folder, 'twin')
  await restore(home, twin)
  const child = spawnMooring(['--home', twin, 'start', '--rejoin'], devnet.folder)
  const ended = endOf(child, 90_000)
  let isOver = false
  const state = await readDevnetState(devnet.dir)
  const original = state?.nodes[3]?.pid ?? 0
  await eventually('one of the two has stopped', 80_000, async () => {
    isOver ||= child.exitCode !== null || !isAlive(original)
    if (isOver) return true
    await submit(devnet, 0).catch(() => undefined)
    return undefined
  })
  if (child.exitCode === null) child.kill('SIGTERM')
  const { code, stderr } = await ended
  if (isAlive(original)) {
    assert.ok(code === 12 || code === 14, `${code} ${stderr}`)
    assert.match(stderr, /MOR-(3012|1061)/)
  }
  const guards = [...devnet.nodes.map((node) => node.home), twin].map((each) => join(each, 'guard'))
  assert.deepEqual(contradictionsOf(await votesOf(guards, 3)), [])
  await rm(twin, { recursive: true })
  await devnet.succeed('devnet restart')
  await submit(devnet, 0)
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
