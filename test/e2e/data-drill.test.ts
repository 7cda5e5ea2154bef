// What an operator does when data is lost, on four hospitals of one process: a restore drill, a chain set
// back, a chain and a vault made whole from the others. In all of it no record that was acknowledged is lost,
// and no key votes twice.

import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@mooring/api/client'
import {
  checkHomeData,
  compactDatabases,
  createBackupOffline,
  createDevnet,
  createLogger,
  findContradictions,
  findPortBlock,
  followPeers,
  loadHomeOptions,
  loadNodeOptions,
  planRepair,
  restoreBackup,
  rollBack,
  runRepair,
  startNode,
  writeDevnetConfigs,
} from '@mooring/node'
import { generatePatient } from '@mooring/records'
import { test } from 'uvu'
import { eventually } from './eventually.ts'

const NODES = 4
const LONG_MS = 90_000
const FINAL = { contentType: 'application/fhir+json', waitMs: 60_000 }

type Running = Awaited<ReturnType<typeof startNode>>

class Hospital {
  readonly home: string
  #node: Running | null = null

  constructor(home: string) {
    this.home = home
  }

  get node(): Running {
    assert.ok(this.#node, `${this.home} does not run`)
    return this.#node
  }

  get client(): Client {
    return createClient(this.node.api, { timeoutMs: LONG_MS })
  }

  async start(): Promise<void> {
    const flags = { 'log.level': 'error', 'metrics.listen': '', 'http.listen': '127.0.0.1:0' }
    this.#node = await startNode(await loadNodeOptions({ home: this.home, flags, env: {} }))
  }

  async stop(): Promise<void> {
    const node = this.#node
    this.#node = null
    await node?.close()
  }
}

const folder = await mkdtemp(join(tmpdir(), 'mooring-drill-'))
const hospitals: Hospital[] = []
const records: string[] = []
let seed = 900

const at = (index: number): Hospital => {
  const found = hospitals[index]
  assert.ok(found)
  return found
}

async function submit(index: number): Promise<void> {
  seed += 1
  const answer = await at(index).client.submitRecords(generatePatient(seed), FINAL)
  assert.ok(answer.records.every(({ height }) => height !== null))
  records.push(...answer.records.map(({ id }) => id))
}

async function caughtUp(index: number): Promise<void> {
  const best = Math.max(...hospitals.filter((_, i) => i !== index).map(({ node }) => node.height()))
  await eventually(`${at(index).home} has block ${best}`, LONG_MS, () =>
    at(index).node.height() >= best ? true : undefined,
  )
}

async function flipIn(database: string, ending: string): Promise<void> {
  const name = (await readdir(database))
    .filter((each) => each.endsWith(ending))
    .toSorted()
    .at(-1)
  assert.ok(name, `${database} has no ${ending}`)
  const bytes = await readFile(join(database, name))
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  await writeFile(join(database, name), bytes)
}

/** What `mooring vault repair` brings back. */
async function broughtBack({ client }: Hospital, id: string) {
  for await (const _ of client.repairVault()) continue
  return await client.record(id)
}

/** The blocks that two hospitals have are the same ones. */
async function isOneChain(): Promise<void> {
  const height = Math.min(...hospitals.map(({ node }) => node.height()))
  const digests = await Promise.all(
    hospitals.map(async ({ client }) => (await client.block(height)).digest),
  )
  assert.equal(new Set(digests).size, 1, `height ${height}: ${digests.join(' ')}`)
}

test('four hospitals take records', async () => {
  const { basePort } = await findPortBlock(0, NODES)
  const devnet = await createDevnet({
    dir: join(folder, 'net'),
    nodes: NODES,
    basePort,
    name: 'drill',
    heartbeatMs: 200,
    parameters: { snapshotInterval: 1_000_000 },
  })
  await writeDevnetConfigs(devnet)
  for (const { home } of devnet.nodes) hospitals.push(new Hospital(home))
  await Promise.all(hospitals.map((hospital) => hospital.start()))
  for (let index = 0; index < NODES; index += 1) await submit(index)
})

test('restore drill: create, wipe, restore, rejoin, no second vote', async () => {
  const hospital = at(3)
  await hospital.stop()
  const own = await loadHomeOptions({ home: hospital.home, flags: {}, env: {} })
  const path = join(folder, 'drill.tar.zst')
  const wish = { path, compression: 'zstd' as const, keys: null, isScheduled: false }
  const { manifest } = await createBackupOffline(own, { ...wish, now: new Date() })
  // It goes on after the backup: what it votes now is in no backup.
  await hospital.start()
  const before = records.length
  await submit(3)
  const newer = records.slice(before)
  await caughtUp(3)
  await hospital.stop()

  const voted = join(folder, 'voted')
  await mkdir(voted)
  await cp(join(hospital.home, 'guard'), join(voted, 'guard'), { recursive: true })
  const safe = join(folder, 'safe')
  await cp(join(hospital.home, 'keys'), safe, { recursive: true })
  await rm(hospital.home, { recursive: true })
  const keys = { from: 'folder', folder: safe } as const
  await restoreBackup({ path, home: hospital.home, keys })
  await hospital.start()
  assert.ok(hospital.node.height() >= manifest.height)
  await eventually('it says that it observes', LONG_MS, async () => {
    const { alarms } = await hospital.client.status()
    return alarms.find(({ code }) => code === 'observing')
  })
  await eventually('it votes again', LONG_MS, async () => {
    const { alarms } = await hospital.client.status()
    return alarms.some(({ code }) => code === 'observing') ? undefined : true
  })
  await submit(3)
  await caughtUp(3)
  await isOneChain()
  assert.ok(newer.length > 0)
  for (const id of newer) {
    const found = await eventually('what it took after the backup is there', LONG_MS, () =>
      broughtBack(hospital, id),
    )
    assert.equal(found.id, id)
  }
  const { contradictions, votes } = await findContradictions([hospital.home, voted])
  assert.deepEqual(contradictions, [])
  assert.ok(votes > 0)
})

test('a chain set back by many blocks is fetched and executed again, to the same blocks', async () => {
  const hospital = at(2)
  await hospital.stop()
  const own = await loadHomeOptions({ home: hospital.home, flags: {}, env: {} })
  const before = await checkHomeData(own)
  assert.deepEqual(before.findings, [])
  const to = Math.max(1, (before.height ?? 0) - 20)
  const { blocks } = await rollBack(own, to, { now: new Date() })
  assert.ok(blocks >= 15, `${blocks} blocks`)
  assert.equal((await checkHomeData(own)).height, to)
  await hospital.start()
  await caughtUp(2)
  await submit(2)
  await isOneChain()
})

test('acceptance 6: a chain without MANIFEST does not start, and is whole again from the others', async () => {
  const hospital = at(1)
  await hospital.stop()
  const own = await loadNodeOptions({ home: hospital.home, flags: {}, env: {} })
  const chain = join(hospital.home, 'data', 'chain')
  for (const name of await readdir(chain)) {
    if (name.startsWith('MANIFEST')) await rm(join(chain, name))
  }
  await assert.rejects(hospital.start(), { name: 'StorageError', code: 'corrupt' })
  const plan = await planRepair(own)
  assert.deepEqual(
    plan.steps.map(({ database, loses }) => [database, loses]),
    [['chain', null]],
  )
  const repaired = await runRepair(own, plan, { now: new Date() })
  const logger = createLogger({ levels: { base: 'error', modules: {} }, format: 'json' })
  const height = await followPeers(own, logger, {
    to: repaired.chain?.needed ?? 0,
    timeoutMs: LONG_MS,
  })
  assert.ok(height >= at(0).node.height() - 20)
  assert.deepEqual((await checkHomeData(own)).findings, [])
  await hospital.start()
  await caughtUp(1)
  await isOneChain()
  await submit(1)
})

test('acceptance 6: a flipped bit in vault and private store does not start, and the holders give back what it hit', async () => {
  const hospital = at(0)
  await hospital.stop()
  const own = await loadHomeOptions({ home: hospital.home, flags: {}, env: {} })
  const taken = records.slice(0, 2)
  // In one record of a log it would be a write that a crash tore, which is no damage.
  await compactDatabases(own)
  for (const name of ['vault', 'records']) {
    await flipIn(join(hospital.home, 'data', name), '.ldb')
  }
  const plan = await planRepair(own)
  const parts = plan.steps.map(({ database }) => database)
  assert.deepEqual(parts.toSorted(), ['records', 'vault'])
  assert.ok(plan.steps.every(({ loses }) => loses !== null))
  await assert.rejects(hospital.start(), { name: 'StorageError', code: 'corrupt' })
  await runRepair(own, plan, { now: new Date() })
  assert.deepEqual((await checkHomeData(own)).findings, [])
  await hospital.start()
  for (const id of taken) {
    const found = await eventually(`record ${id.slice(0, 8)} is in the index again`, LONG_MS, () =>
      broughtBack(hospital, id),
    )
    assert.equal(found.id, id)
  }
  await eventually('the vault is at full strength', LONG_MS, async () => {
    const { reduced, critical, lost } = (await hospital.client.vault()).records
    return reduced + critical + lost === 0 ? true : undefined
  })
})

test('nothing that was acknowledged is lost, and nobody voted twice', async () => {
  await isOneChain()
  for (const hospital of hospitals) await hospital.stop()
  const { contradictions } = await findContradictions(hospitals.map(({ home }) => home))
  assert.deepEqual(contradictions, [])
  await rm(folder, { recursive: true, force: true })
})

test.run()
