import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import type { Client } from '../src/client.ts'
import { startApi } from '../src/index.ts'
import { connectClient } from '../src/node-client.ts'
import { routes } from '../src/routes.ts'
import { OPEN_ACCESS } from './open-access.ts'
import { MemoryNode } from './memory-node.ts'
import { problemOf, refusal } from './serving.ts'

interface World {
  admin: Client
  url: string
  socket: string
  stop: () => Promise<void>
}

async function withSocket(
  scenario: (world: World) => Promise<void>,
  place: (folder: string) => string = (folder) => join(folder, 'admin.sock'),
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-admin-'))
  const adminSocket = place(folder)
  const api = await startApi(
    {
      listen: '127.0.0.1:0',
      metricsListen: null,
      adminSocket,
      hostNames: [],
      catalogue: () => undefined,
      access: OPEN_ACCESS,
      cursorKey: new Uint8Array(32),
      limits: { closeTimeoutMs: 200 },
    },
    new MemoryNode(),
  )
  try {
    const admin = connectClient(`unix:${adminSocket}`)
    await scenario({ admin, url: api.url, socket: adminSocket, stop: () => api.close() })
  } finally {
    await api.close()
    rmSync(folder, { recursive: true })
  }
}

test('the socket is for its owner alone, serves everything, and is gone after the node', () =>
  withSocket(async ({ admin, socket, stop }) => {
    assert.equal(statSync(socket).mode & 0o777, 0o600)
    assert.deepEqual(await admin.admin.access.caller(), { name: 'socket', role: 'admin' })
    assert.equal((await admin.status()).node.name, 'st-mary')
    assert.equal((await admin.ready()).status, 'ok')
    await stop()
    assert.throws(() => statSync(socket), /ENOENT/)
  }))

test('what administers the node is not served to the network', () =>
  withSocket(async ({ url }) => {
    for (const { path, method } of Object.values(routes)) {
      if (!path.startsWith('/v1/admin/')) continue
      const answer = await fetch(`${url}${path}`, { method })
      assert.equal((await refusal(answer, 403)).code, 'admin_socket_only', path)
    }
  }))

test('bodies, refusals and streams pass the socket as they pass a port', () =>
  withSocket(async ({ admin }) => {
    const submitted = await admin.submitTransaction(Uint8Array.of(1, 2, 3))
    assert.equal(submitted.status, 'accepted')
    await assert.rejects(admin.block(99), { code: 'unknown_block', status: 404 })
    const stop = new AbortController()
    const opened = admin.events({ signal: stop.signal })[Symbol.asyncIterator]()
    const first = opened.next()
    setTimeout(() => stop.abort(), 50)
    assert.equal((await first).done, true)
  }))

test('a socket that a killed process left behind is replaced', () =>
  withSocket(
    async ({ admin }) => assert.equal((await admin.admin.access.caller()).role, 'admin'),
    (folder) => {
      const path = join(folder, 'admin.sock')
      writeFileSync(path, 'left behind')
      return path
    },
  ))

test('a path longer than the kernel takes is reached all the same', () =>
  withSocket(
    async ({ admin }) => assert.equal((await admin.admin.access.caller()).role, 'admin'),
    (folder) => {
      const deep = join(folder, 'a'.repeat(60), 'b'.repeat(60))
      mkdirSync(deep, { recursive: true })
      return join(deep, 'admin.sock')
    },
  ))

test('who runs the node sees how it is doing, and changes how much it says', () =>
  withSocket(async ({ admin, socket }) => {
    const { seeing } = admin.admin
    assert.deepEqual(
      (await seeing.checks()).items.map(({ name }) => name),
      ['api'],
    )
    assert.deepEqual((await seeing.checks(['api'])).items, [])
    assert.deepEqual(await seeing.setLogLevel('info,p2p=debug'), { level: 'info,p2p=debug' })
    assert.deepEqual(await seeing.logLevel(), { level: 'info,p2p=debug' })
    assert.equal((await problemOf(seeing.setLogLevel('!'))).code, 'level_invalid')
    const noted = await seeing.acknowledge('disk_low', 'a disk is ordered')
    assert.deepEqual(noted, {
      code: 'disk_low',
      by: 'socket',
      note: 'a disk is ordered',
      again: false,
    })
    assert.equal((await problemOf(seeing.acknowledge('quiet', ''))).code, 'alarm_unknown')
    const bundle = await seeing.bundle({ sinceMs: 1_000, profileMs: 0, isRedacted: true })
    assert.equal(bundle.headers.get('content-type'), 'application/gzip')
    assert.deepEqual(new Uint8Array(await bundle.arrayBuffer()), new Uint8Array([0x1f, 0x8b]))
    const tooLong = { sinceMs: 1, profileMs: 10_000_000, isRedacted: true }
    assert.equal((await problemOf(seeing.bundle(tooLong))).code, 'invalid_request')
    assert.ok(socket)
  }))

test.run()
