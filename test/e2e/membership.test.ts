// Four hospitals become seven, and five again, while patients are submitted without a pause; one of them
// gets new keys for every duty on the way. What was proven before is proven after, from the digest of
// genesis alone.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Change, Epoch, Member } from '@mooring/api'
import { createClient } from '@mooring/api/client'
import { test } from 'uvu'
import { randomOf } from '../simulation/random.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { eventually } from './eventually.ts'
import { type Load, startLoad } from './load.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const SETTLE_MS = 90_000
const CHECK_MS = 180_000
const REMOVE_MS = 180_000
const RECORD = '{"resourceType":"Patient","birthDate":"1970-01-01"}'
const DUTIES = ['governance', 'consensus', 'transport', 'anchor', 'seal']
// Their custodians stay to the end, so that everything they promise can be asked of them.
const BUSY = [0, 2, 3]

const starting = startDevnet()
let load: Load | undefined
let earlyId = ''

test('a record is proven while there are four hospitals', async () => {
  process.stdout.write(`SEED=${SEED}\n`)
  const devnet = await starting
  const { client } = nodeAt(devnet, 0)
  const bytes = new TextEncoder().encode(RECORD)
  const contentType = 'application/fhir+json'
  const { records } = await client.submitRecords(bytes, { contentType, waitMs: 60_000 })
  earlyId = records[0]?.id ?? ''
  writeFileSync(join(devnet.folder, 'early.json'), await client.proof(earlyId))
  writeFileSync(join(devnet.folder, 'record.json'), RECORD)
  const busy = { ...devnet, nodes: BUSY.map((index) => nodeAt(devnet, index)) }
  load = startLoad(busy, randomOf(SEED))
})

test('acceptance 8: three more join: admitted, caught up, promoted; the last one begins with a snapshot', async () => {
  const devnet = await starting
  const steps = [
    '4 → 5 authorities, quorum 3 → 4, tolerates 1',
    '5 → 6 authorities, quorum 4, tolerates 2',
    '6 → 7 authorities, quorum 4 → 5, tolerates 2',
  ]
  for (const [added, step] of steps.entries()) {
    const isLast = added === steps.length - 1
    await goesOn('a hospital joins', async () => {
      const flags = isLast ? ' --snapshot' : ''
      const { stderr } = await devnet.succeed(`devnet node add --role authority${flags}`)
      assert.ok(stderr.includes(step), stderr)
      assert.equal(/begins with the snapshot of block \d+$/m.test(stderr), isLast, stderr)
    })
  }
  const members = await membersOf(devnet)
  assert.deepEqual(
    members.map(({ id, authority }) => [id, authority]),
    [0, 1, 2, 3, 4, 5, 6].map((index) => [`hospital-${index}`, index]),
  )
})

test('every key of a hospital is renewed, by a proposal that can be typed twice', async () => {
  const devnet = await starting
  const { home } = nodeAt(devnet, 2)
  const before = await keysOf(devnet, home)
  await goesOn('keys are renewed', async () => {
    const proposed = await devnet.succeed(['--home', home, 'keys', 'rotate', '--type', 'all'])
    const id = /^change ([0-9a-f]{64})$/m.exec(proposed.stdout)?.[1] ?? ''
    // Those that are quick have said already that they are ready.
    assert.match(proposed.stdout, /it waits for 4 more approvals( and \d more nodes? to say|$)/m)
    const again = await devnet.succeed(['--home', home, 'keys', 'rotate', '--type', 'all'])
    assert.match(again.stderr, /it is proposed already/)
    assert.ok(again.stdout.startsWith(`change ${id}\n`))
    for (const index of [0, 1, 3, 4]) {
      await devnet.succeed(['--home', homeOf(devnet, index), 'change', 'approve', id.slice(0, 8)])
    }
    await eventually('the new keys are in use', SETTLE_MS, async () => {
      // The governance key is taken by the command that needs it.
      await devnet.run(['--home', home, 'keys', 'list'])
      const keys = await keysOf(devnet, home)
      const hot = keys.filter(({ duty }) => duty !== 'governance')
      return hot.every(({ state, next }) => state === 'in force' && next === null) || undefined
    })
  })
  const approved = await devnet.succeed(
    `--home ${home} change propose parameters --set deltaMs=160 --reason trial --json`,
  )
  const document: { id: string } = JSON.parse(approved.stdout)
  await devnet.succeed(`--home ${home} change withdraw ${document.id.slice(0, 8)}`)
  const after = await keysOf(devnet, home)
  for (const duty of DUTIES) {
    const [old, now] = [before, after].map((keys) => keys.find((each) => each.duty === duty))
    assert.equal(now?.state, 'in force', duty)
    assert.notEqual(now?.current?.public, old?.current?.public, duty)
  }
})

test('acceptance 8: two leave: their nodes end by themselves, and the others drop them at once', async () => {
  const devnet = await starting
  for (const index of [5, 1]) {
    await goesOn('a hospital leaves', async () => {
      const { stdout } = await devnet.succeed(`devnet node remove ${index}`, {
        timeoutMs: REMOVE_MS,
      })
      assert.match(stdout, /its node has stopped by itself/)
    })
    const { items } = await nodeAt(devnet, 0).client.peers()
    assert.ok(!items.some(({ name }) => name === `hospital-${index}`))
    const ended = await devnet.run(['--home', homeOf(devnet, index), 'start'], {
      timeoutMs: REMOVE_MS,
    })
    assert.equal(ended.code, 14, ended.stderr)
    assert.match(ended.stderr, /this node was removed from the network \(MOR-1060\)|MOR-1061/)
  }
  const { stdout } = await devnet.succeed('devnet status')
  assert.match(stdout, /5 of 5 nodes run/)
})

test('nothing that was acknowledged is lost, and the check over all epochs is clean', async () => {
  const devnet = await starting
  assert.ok(load !== undefined)
  await load.stop()
  for (const index of BUSY) {
    const { name, client } = nodeAt(devnet, index)
    await eventually(`everything that ${name} accepted is anchored`, SETTLE_MS, async () => {
      const { records } = await client.status()
      return records.anchored === records.accepted ? true : undefined
    })
    // Shards that were on their way to those who left go to others first.
    await eventually(`everything of ${name} has its shards`, SETTLE_MS, async () => {
      const { records } = await client.vault()
      return records.lost === 0 ? true : undefined
    })
  }
  const promised = load.promised.length
  const { stdout } = await devnet.succeed('devnet check', { timeoutMs: CHECK_MS })
  assert.equal(stdout.match(/ ok /g)?.length, 7, stdout)
  assert.match(stdout, new RegExp(`kept and final +ok +${promised} of ${promised} records`))
  process.stdout.write(`${promised} records acknowledged, ${load.refused()} refusals\n`)
})

test('the history names the change that ended each epoch', async () => {
  const devnet = await starting
  const { items: epochs }: { items: Epoch[] } = JSON.parse(
    (await devnet.succeed('member history --json')).stdout,
  )
  assert.deepEqual(
    epochs.toReversed().map(({ endedBy }) => kindOf(endedBy)),
    ['admit', 'role', 'admit', 'role', 'admit', 'role', 'rekey', 'remove', 'remove', null],
  )
  assert.deepEqual(
    epochs.toReversed().map(({ authorities }) => authorities.length),
    [4, 4, 5, 5, 6, 6, 7, 7, 6, 5],
  )
})

test('what was proven before is proven after, and the old proof holds', async () => {
  const devnet = await starting
  const { genesisDigest, folder } = devnet
  const flags = `--file record.json --genesis-digest ${genesisDigest} --steps`
  const early = await devnet.succeed(`proof verify early.json ${flags}`)
  assert.match(early.stdout, /^VERIFIED/m)
  writeFileSync(join(folder, 'late.json'), await nodeAt(devnet, 0).client.proof(earlyId))
  assert.match((await devnet.succeed(`proof verify late.json ${flags}`)).stdout, /^VERIFIED/m)

  const newest = load?.promised.at(-1)
  assert.ok(newest !== undefined)
  writeFileSync(join(folder, 'newest.json'), await newest.node.client.proof(newest.id))
  writeFileSync(join(folder, 'newest-record.json'), newest.raw)
  const line = `proof verify newest.json --file newest-record.json --genesis-digest ${genesisDigest} --steps`
  const { stdout } = await devnet.succeed(line)
  assert.match(stdout, /^VERIFIED/m)
  assert.match(stdout, /^ *6 .*epoch \d/m)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

// The load goes on while something happens: more is acknowledged at its end than at its start.
async function goesOn(what: string, work: () => Promise<void>): Promise<void> {
  assert.ok(load !== undefined)
  const before = load.promised.length
  await work()
  const { promised } = load
  await eventually(`records are acknowledged while ${what}`, SETTLE_MS, () =>
    promised.length > before ? true : undefined,
  )
}

const kindOf = (change: Change | null) => change?.kind ?? null

function homeOf(devnet: Devnet, index: number): string {
  return join(devnet.dir, `hospital-${index}`)
}

async function membersOf({ nodes }: Devnet): Promise<Member[]> {
  return (await createClient(nodes[0]?.api ?? '').members()).items
}

type ListedKey = {
  duty: string
  current: { public: string } | null
  next: { public: string } | null
  state: string
}

async function keysOf(devnet: Devnet, home: string): Promise<ListedKey[]> {
  const { stdout } = await devnet.succeed(['--home', home, 'keys', 'list', '--json'])
  const { items }: { items: ListedKey[] } = JSON.parse(stdout)
  return items
}

test.run()
