// Snapshots and pruning from the command line: in the home of a node that has stopped, while it runs, and
// into a new home.

import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@mooring/api/client'
import { test } from 'uvu'
import { answer, copyHome, withHome } from './stopped-home.ts'
import { inWorld, withNode } from './world.ts'

test('a stopped home makes, lists and checks a snapshot, and another home begins with it', async () => {
  await withHome(async ({ run, home, folder, start }) => {
    const made = answer(await run(`--home ${home} snapshot create --json`))
    const { height, digest } = made
    const again = answer(await run(`--home ${home} snapshot create --json`))
    assert.equal(again['digest'], digest, 'the same block is the same snapshot')
    const { items } = answer(await run(`--home ${home} snapshot list --json`))
    assert.deepEqual(items, [{ height, digest, bytes: made['bytes'] }])
    const verified = answer(await run(`--home ${home} snapshot verify ${String(height)} --json`))
    assert.equal(verified['digest'], digest)
    const unknown = await run(`--home ${home} snapshot verify 7`)
    assert.equal(unknown.code, 6)

    const file = join(home, 'snapshots', `${String(height)}.snapshot`)
    const fresh = join(folder, 'fresh')
    copyHome(home, fresh)
    for (const name of ['data', 'snapshots']) rmSync(join(fresh, name), { recursive: true })
    const begun = answer(await run(`--home ${fresh} snapshot fetch ${file} --json`))
    assert.equal(begun['height'], height)
    const twice = await run(`--home ${fresh} snapshot fetch ${file}`)
    assert.equal(twice.code, 7)
    assert.match(twice.stderr, /has a chain already/)

    const node = await start()
    try {
      while (node.height() <= Number(height))
        await new Promise((resolve) => setTimeout(resolve, 20))
      const running = answer(await run(`--home ${home} snapshot create --json`))
      assert.ok(Number(running['height']) > Number(height), 'the node that runs takes it')
      const remote = join(folder, 'remote')
      copyHome(fresh, remote)
      rmSync(join(remote, 'data'), { recursive: true })
      const fetched = answer(await run(`--home ${remote} snapshot fetch ${node.api} --json`))
      assert.equal(fetched['height'], running['height'])
      assert.deepEqual(readdirSync(join(remote, 'data')), ['chain'])
      assert.equal((await createClient(node.api).snapshots()).items.length, 2)
    } finally {
      await node.close()
    }
  })
})

test('a stopped home plans, holds, releases and prunes, and tells what it does not keep', async () => {
  await withHome(async ({ run, home, start }) => {
    const at = `--home ${home}`
    const env = { MOORING_STORAGE_RETENTION: '5' }
    const nothing = answer(await run(`${at} prune plan --json`, { env }))
    assert.equal(nothing['prunableTo'], 0, 'there is no snapshot yet')
    answer(await run(`${at} snapshot create --json`))
    const held = answer(
      await run([...at.split(' '), 'prune', 'hold', 'case-1', '--reason', 'a court', '--json']),
    )
    assert.equal(held['placedAt'], '2026-11-20T09:30:00.000Z')
    const plan = await run(`${at} prune plan`, { env })
    assert.match(plan.stdout, /may go +nothing/)
    assert.match(plan.stdout, /case-1 +2026-11-20T09:30:00.000Z +a court/)
    assert.equal(answer(await run(`${at} prune run --json`, { env }))['blocks'], 0)
    assert.equal(
      (await run([...at.split(' '), 'prune', 'hold', 'case-1', '--reason', 'x'])).code,
      7,
    )
    assert.equal((await run(`${at} prune release case-2`)).code, 6)
    assert.equal((await run(`${at} prune release case-1`)).code, 0)
    const pruned = answer(await run(`${at} prune run --json`, { env }))
    assert.ok(Number(pruned['blocks']) > 0)
    assert.match((await run(`${at} prune plan`, { env })).stdout, /bodies above/)

    const node = await start()
    try {
      const gone = await run(`${at} block get 1`)
      assert.equal(gone.code, 6)
      assert.match(gone.stderr, /MOR-1047/)
      assert.match(gone.stderr, /keeps bodies above\s+height \d+/)
      assert.match((await run(`${at} status`)).stdout, /bodies above/)
    } finally {
      await node.close()
    }
  })
})

test('a home that is none is said to be none, and a file that is none too', async () => {
  await inWorld(async ({ run, folder }) => {
    const none = join(folder, 'none')
    for (const words of ['prune release x', 'snapshot fetch 127.0.0.1:1'])
      assert.equal((await run(`--home ${none} ${words}`)).code, 3, words)
  })
})

test('a node answers for what it keeps, also one elsewhere', async () => {
  await withNode(async ({ run }) => {
    const { items } = answer(await run('snapshot list --json'))
    assert.ok(Array.isArray(items) && items.length === 1)
    assert.match((await run('prune plan')).stdout, /case-4711 +2026-11-20T09:00:00.000Z +court/)
    assert.match((await run('prune run')).stdout, /nothing to drop/)
    assert.match((await run('status')).stdout, /held by case-4711/)
    assert.match((await run('status')).stdout, /bad peers +lakeview \(bad_finalization, 2×\)/)
  })
})

test.run()
