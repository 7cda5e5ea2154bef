// The backups of a node by its clock: made when due, the oldest dropped, failures and missed turns told.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@mooring/storage'
import { test } from 'uvu'
import { faultOfSchedule, nextRuns } from '../src/backup-schedule.ts'
import { byNewestName, isScheduledOf } from '../src/backup-format.ts'
import { BackupKeeper } from '../src/backup-keeper.ts'
import { dropOldBackups } from '../src/backup-folder.ts'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { loadNodeOptions, type NodeOptions } from '../src/load-options.ts'
import { createLogger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'
import { startNode } from '../src/node.ts'
import { TestClock } from './test-clock.ts'

const HOUR_MS = 3_600_000
const logger = createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })

interface Kept {
  keeper: BackupKeeper
  clock: TestClock
  options: NodeOptions
  metric: (name: string) => Promise<number>
}

/** Of a home whose node was closed after its first blocks. */
async function withKeeper(flags: Record<string, string>, work: (kept: Kept) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-keeper-'))
  const { basePort } = await findPortBlock(0, 1)
  const devnet = await createDevnet({
    dir: join(folder, 'net'),
    nodes: 1,
    basePort,
    name: 'one',
    heartbeatMs: 100,
  })
  await writeDevnetConfigs(devnet)
  const home = devnet.nodes[0]?.home ?? ''
  const plain = await loadNodeOptions({ home, flags: { 'log.level': 'silent' }, env: {} })
  await (await startNode(plain)).close()
  const options = await loadNodeOptions({ home, flags, env: {} })
  const open = (name: 'chain' | 'records' | 'vault') =>
    openDatabase(join(options.storage.dir, name), { name })
  const databases = {
    chain: await open('chain'),
    records: await open('records'),
    vault: await open('vault'),
  }
  const clock = new TestClock()
  const metrics = createMetrics()
  const keeper = await BackupKeeper.start(options, { databases, clock, logger, metrics })
  try {
    const metric = async (name: string): Promise<number> => {
      const [, value] = new RegExp(`^mooring_${name} (\\S+)$`, 'm').exec(await metrics.text()) ?? []
      return Number(value)
    }
    await work({ keeper, clock, options, metric })
  } finally {
    await keeper.close()
    for (const database of Object.values(databases)) await database.close()
    metrics.close()
    await rm(folder, { recursive: true })
  }
}

async function settled(keeper: BackupKeeper): Promise<void> {
  while ((await keeper.status()).running !== null) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('backups are made when they are due, and the oldest of them goes', () =>
  withKeeper({ 'backup.schedule': '0 * * * *', 'backup.keep': '2' }, async (kept) => {
    const { keeper, clock, options, metric } = kept
    assert.equal(await metric('backup_scheduled'), 1)
    assert.equal(await metric('backup_last_success_timestamp_seconds'), 0)
    for (let hour = 1; hour <= 3; hour += 1) {
      clock.advance(HOUR_MS)
      await settled(keeper)
      assert.equal((await keeper.status()).items.length, Math.min(hour, 2))
    }
    const names = await readdir(options.backup.dir)
    assert.ok(
      names.every((name) =>
        isScheduledOf(name, { node: options.name, networkId: options.networkId }),
      ),
      names.join(' '),
    )
    const { last, next } = await keeper.status()
    assert.equal(Date.parse(last?.createdAt ?? ''), clock.wall())
    assert.equal(Date.parse(next ?? '') - clock.wall(), HOUR_MS)
    assert.equal(await metric('backup_last_success_timestamp_seconds'), clock.wall() / 1_000)
    assert.equal(await metric('backup_last_size_bytes'), last?.bytes)
    assert.equal(keeper.finding(), null)
  }))

test('a backup that fails is an alarm until one succeeds, and leaves nothing behind', () =>
  withKeeper({}, async ({ keeper, options, metric }) => {
    await writeFile(options.backup.dir, 'a file where the folder should be')
    await keeper.begin({ compression: 'zstd', keys: null })
    await assert.rejects(keeper.begin({ compression: 'zstd', keys: null }), { code: 'backup_busy' })
    await keeper.close()
    assert.equal(keeper.finding()?.code, 'backup_failed')
    assert.equal(await metric('backup_failures_total'), 1)
    await rm(options.backup.dir)
  }))

test('a schedule of which two turns passed without a backup is an alarm', () =>
  withKeeper({ 'backup.schedule': '0 4 * * *' }, async ({ keeper, clock }) => {
    await keeper.begin({ compression: 'none', keys: null })
    await settled(keeper)
    assert.equal(keeper.finding(), null)
    // The clock is set forward: no timer saw the nights in between.
    const jump = { wall: clock.wall.bind(clock) }
    clock.wall = () => jump.wall() + 3 * 24 * HOUR_MS
    assert.equal(keeper.finding()?.code, 'backup_old')
  }))

function nameOf(node: string, day: number, how: string, network = 'moor-0a0b0c0d'): string {
  return `${node}-${network}-2026110${day}T040000Z-h7${how}.tar.zst`
}

test('only what that node of that network made on schedule is ever dropped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-backups-'))
  const own = [1, 2, 3].map((day) => nameOf('st-mary', day, '.scheduled'))
  const others = [
    nameOf('st-mary', 1, ''),
    nameOf('st-mary-2', 1, '.scheduled'),
    nameOf('st-mary', 1, '.scheduled', 'moor-ffffffff'),
    'notes.txt',
  ]
  for (const name of [...own, ...others]) await writeFile(join(folder, name), '')
  assert.deepEqual(
    await dropOldBackups(folder, { node: 'st-mary', networkId: 'moor-0a0b0c0d' }, 2),
    [own[0]],
  )
  assert.deepEqual((await readdir(folder)).toSorted(), [...own.slice(1), ...others].toSorted())
  await rm(folder, { recursive: true })
})

test('the newest come first, whatever node or network is before the time', () => {
  const names = [nameOf('b', 1, ''), nameOf('a', 2, ''), 'x.tar', nameOf('c', 3, '.scheduled')]
  const [old = '', newer = '', strange = '', newest = ''] = names
  assert.deepEqual(names.toSorted(byNewestName), [newest, newer, old, strange])
})

test('a line of cron is one, or it is said why not', () => {
  assert.equal(faultOfSchedule('30 3 * * *'), undefined)
  for (const line of ['30 25 * * *', '* * *', 'at night', '0 0 30 2 *']) {
    assert.ok(faultOfSchedule(line), line)
  }
  const runs = nextRuns('30 3 * * *', new Date(2026, 10, 20, 12), 2)
  assert.deepEqual(runs, [new Date(2026, 10, 21, 3, 30), new Date(2026, 10, 22, 3, 30)])
})

test.run()
