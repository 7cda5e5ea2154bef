import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'uvu'
import { resolveEndpoint } from '../src/endpoint.ts'
import { type DevnetState, isRunning, writeDevnetState } from '../src/devnet/state.ts'
import type { Context } from '../src/index.ts'
import { inWorld } from './world.ts'

function contextIn(folder: string, env: Record<string, string> = {}): Context {
  return {
    stdout: { write: () => true },
    stderr: { write: () => true },
    stdin: (async function* () {})(),
    env: { HOME: folder, ...env },
    cwd: folder,
    now: () => new Date(0),
    onInterrupt: () => () => undefined,
    startNode: () => assert.fail('nothing is started'),
  }
}

function devnet(dir: string, pids: (number | null)[]): DevnetState {
  return {
    version: 1,
    name: 'default',
    dir,
    networkId: 'moor-00000000',
    genesisDigest: '0'.repeat(64),
    basePort: 7420,
    heartbeatMs: 1_000,
    nodes: pids.map((pid, index) => ({
      index,
      name: `hospital-${index}`,
      home: join(dir, `hospital-${index}`),
      peerId: '12D3KooW',
      api: `http://127.0.0.1:${8421 + 10 * index}`,
      metrics: `http://127.0.0.1:${8423 + 10 * index}`,
      pid,
      startedAt: null,
    })),
  }
}

test('--endpoint wins over MOORING_ENDPOINT, that over the home, the home over the usual port', () =>
  inWorld(async ({ folder }) => {
    const usual = await resolveEndpoint(contextIn(folder), {})
    const url = 'http://127.0.0.1:7421'
    assert.deepEqual(usual, { url, web: url, origin: 'the default' })

    mkdirSync(join(folder, '.mooring', 'config'), { recursive: true })
    const config = 'config_version = 1\n[node]\nname = "a"\n[http]\nlisten = "127.0.0.1:9421"\n'
    writeFileSync(join(folder, '.mooring', 'config', 'mooring.toml'), config)
    const home = await resolveEndpoint(contextIn(folder), {})
    assert.equal(home.url, 'http://127.0.0.1:9421')
    assert.match(home.origin, /\.mooring$/)
    const moved = contextIn(folder, { MOORING_HTTP_LISTEN: '127.0.0.1:9999' })
    assert.equal((await resolveEndpoint(moved, {})).url, 'http://127.0.0.1:9999')

    const context = contextIn(folder, { MOORING_ENDPOINT: 'http://127.0.0.1:9521/' })
    assert.equal((await resolveEndpoint(context, {})).url, 'http://127.0.0.1:9521')
    const flag = await resolveEndpoint(context, { endpoint: '127.0.0.1:9621' })
    const named = 'http://127.0.0.1:9621'
    assert.deepEqual(flag, { url: named, web: named, origin: '--endpoint' })
  }))

test('the admin socket of the home goes before its port, once it is there', () =>
  inWorld(async ({ folder }) => {
    const home = join(folder, '.mooring')
    mkdirSync(join(home, 'config'), { recursive: true })
    mkdirSync(join(home, 'run'))
    const config = 'config_version = 1\n[node]\nname = "a"\n[http]\nlisten = "127.0.0.1:9421"\n'
    writeFileSync(join(home, 'config', 'mooring.toml'), config)
    const socket = join(home, 'run', 'admin.sock')
    writeFileSync(socket, 'no socket')
    const web = 'http://127.0.0.1:9421'
    assert.equal((await resolveEndpoint(contextIn(folder), {})).url, web)
    rmSync(socket)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    try {
      const found = await resolveEndpoint(contextIn(folder), {})
      assert.deepEqual(found, { url: `unix:${socket}`, web, origin: `[admin] socket of ${home}` })
    } finally {
      server.close()
    }
  }))

test('without a home the first living node of the devnet in this folder is asked', () =>
  inWorld(async ({ folder }) => {
    const dir = join(folder, '.devnet', 'default')
    await writeDevnetState(devnet(dir, [null, null]))
    assert.equal((await resolveEndpoint(contextIn(folder), {})).origin, 'the default')
    // A pid that lives, but is that of another program: this test.
    await writeDevnetState(devnet(dir, [process.pid, process.pid]))
    assert.equal((await resolveEndpoint(contextIn(folder), {})).origin, 'the default')
  }))

test('a node runs only when the process with its pid was started for its home', async () => {
  assert.equal(await isRunning({ pid: null, home: '/nowhere' }), false)
  assert.equal(await isRunning({ pid: process.pid, home: '/nowhere' }), false)
  assert.equal(await isRunning({ pid: 2 ** 22 - 1, home: '/nowhere' }), false)
})

test('no answer, a slow answer and a foreign answer are told apart', () =>
  inWorld(async ({ run }) => {
    const absent = await run('status --endpoint 127.0.0.1:1')
    assert.equal(absent.code, 4)
    assert.match(absent.stderr, /Nothing answers at http:\/\/127\.0\.0\.1:1 \(--endpoint\)/)

    const server = createServer((request, response) => {
      if (request.url === '/v1/status') response.end('<html>')
    })
    const url = await new Promise<string>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        assert.ok(typeof address === 'object' && address !== null)
        resolve(`http://127.0.0.1:${address.port}`)
      })
    })
    try {
      const foreign = await run(`block get 1 --timeout 50ms --endpoint ${url}`)
      assert.equal(foreign.code, 4)
      assert.match(foreign.stderr, /gave no answer within 50ms/)
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }))

test.run()
