// What the offline checks find in homes that were made, and then broken on purpose.

import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { runChecks } from '../src/checks.ts'
import { createDevnet, findPortBlock, writeDevnetConfigs } from '../src/devnet.ts'
import { homeChecks } from '../src/home-checks.ts'
import { hostChecks } from '../src/host-checks.ts'
import { loadNodeOptions } from '../src/load-options.ts'
import { startNode } from '../src/node.ts'

interface Patient {
  home: string
  look: (isMending?: boolean, now?: number) => Promise<Record<string, string>>
  detail: (name: string) => Promise<string>
  run: (work: () => Promise<void>) => Promise<void>
  basePort: number
}

async function withHome(scenario: (patient: Patient) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'mooring-doctor-'))
  try {
    const { basePort } = await findPortBlock(0, 1)
    const made = { dir, nodes: 1, basePort, name: 'doctor', heartbeatMs: 100 }
    const devnet = await createDevnet(made)
    await writeDevnetConfigs(devnet)
    const home = devnet.nodes[0]?.home ?? ''
    const checks = (isMending = false, now = Date.now()) =>
      runChecks(homeChecks({ sources: { home, flags: {}, env: {} }, now: () => now, isMending }))
    await scenario({
      home,
      basePort,
      look: async (isMending, now) =>
        Object.fromEntries(
          (await checks(isMending, now)).map(({ name, result }) => [name, result]),
        ),
      detail: async (name) => (await checks()).find((check) => check.name === name)?.detail ?? '',
      run: async (work) => {
        const flags = { 'log.level': 'silent' }
        const node = await startNode(await loadNodeOptions({ home, flags, env: {} }))
        try {
          while (node.height() < 3) await new Promise((resolve) => setTimeout(resolve, 20))
          await work()
        } finally {
          await node.close()
        }
      },
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const WELL = {
  permissions: 'ok',
  configuration: 'ok',
  genesis: 'ok',
  ports: 'ok',
  certificates: 'ok',
  keys: 'ok',
  guard: 'ok',
  tip: 'ok',
}

test('this computer is one that a node can work on, by checks that can fail', async () => {
  const place = { dataDir: tmpdir(), minFreeBytes: 1 }
  const checks = await runChecks(hostChecks(place))
  const failing = checks.filter(({ result }) => result === 'fail')
  assert.deepEqual(failing, [])
  assert.deepEqual(
    checks.map(({ name }) => name),
    [
      'node_version',
      'signatures',
      'database_library',
      'disk',
      'file_system',
      'open_files',
      'memory',
    ],
  )
  const full = await runChecks(hostChecks({ ...place, minFreeBytes: 2 ** 60 }), new Set(['memory']))
  assert.equal(full.find(({ name }) => name === 'disk')?.result, 'fail')
  assert.equal(full.find(({ name }) => name === 'memory')?.result, 'skip')
})

test('a home that has run is well; files that others may read are closed by --fix', () =>
  withHome(async ({ home, look, run, detail }) => {
    assert.equal((await look())['guard'], 'ok')
    await run(async () => {
      const running = await look()
      assert.equal(running['ports'], 'fail')
      assert.equal(running['tip'], 'fail')
      assert.match(await detail('tip'), /^The home is in use|database open/)
    })
    assert.deepEqual(await look(), WELL)
    assert.match(await detail('guard'), /finalized up to [1-9]/)

    const key = join(home, 'keys', 'consensus.json')
    chmodSync(key, 0o644)
    chmodSync(join(home, 'guard'), 0o750)
    assert.equal((await look())['permissions'], 'fail')
    assert.equal((await look(true))['permissions'], 'ok')
    assert.equal(statSync(key).mode & 0o777, 0o600)
    assert.deepEqual(await look(), WELL)
  }))

test('what is broken is named: clock, journal, key, port, configuration, each by its own check', () =>
  withHome(async ({ home, look, run, detail, basePort }) => {
    await run(() => Promise.resolve())
    assert.equal((await look(false, Date.now() - 3_600_000))['tip'], 'fail')

    const marks = join(home, 'guard', 'signer.state')
    const before = readFileSync(marks)
    writeFileSync(marks, Buffer.alloc(before.length, 0xff))
    assert.deepEqual(await look(), { ...WELL, guard: 'fail' })
    assert.deepEqual(readFileSync(marks), Buffer.alloc(before.length, 0xff), 'nothing was changed')
    writeFileSync(marks, before)

    const server = createServer().listen(basePort + 1, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    assert.deepEqual(await look(), { ...WELL, ports: 'fail' })
    assert.match(await detail('ports'), new RegExp(String(basePort + 1)))
    server.close()

    const key = join(home, 'keys', 'anchor.json')
    const kept = readFileSync(key)
    rmSync(key)
    assert.equal((await look())['keys'], 'fail')
    assert.match(await detail('keys'), /anchor/)
    writeFileSync(key, kept, { mode: 0o600 })

    const config = join(home, 'config', 'mooring.toml')
    writeFileSync(config, readFileSync(config, 'utf8').replace('[http]', '[http]\nlistn = 1'))
    const broken = await look()
    assert.equal(broken['configuration'], 'fail')
    assert.match(await detail('configuration'), /listn/)
    assert.equal(broken['permissions'], 'ok')
    assert.ok(existsSync(config))
  }))

test.run()
