import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createDevnet, NodeRestart } from '@mooring/node'
import { test } from 'uvu'
import type { Context, RunningNode, StartNode } from '../src/index.ts'
import { checkJoinNetwork, parseJoinLine, peerAddresses } from '../src/join-line.ts'
import { inWorld, type World } from './world.ts'

const HOSPITAL = { nodes: 1, basePort: 7420, name: 'test', heartbeatMs: 1_000 }

const storageError = (code: string) =>
  Object.assign(new Error(`storage: ${code}`), { name: 'StorageError', code })

const lockedNode: StartNode = () => Promise.reject(storageError('locked'))

type Stand = {
  startNode: StartNode
  onInterrupt: Context['onInterrupt']
  interrupt: (signal: 'SIGINT' | 'SIGTERM') => void
  started: Promise<void>
  closed: () => number
  reloads: () => number
  fail: (error: unknown) => void
}

// A node that opens, closes after `closing`, and does nothing in between.
function stand(closing: Promise<void> = Promise.resolve()): Stand {
  const started = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<unknown>()
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>()
  let closed = 0
  let reloads = 0
  const node: RunningNode = {
    height: () => 12,
    api: 'http://127.0.0.1:7421',
    role: () => 'authority',
    reload: () => {
      reloads += 1
      return Promise.resolve([])
    },
    failed: failed.promise,
    recentLog: () => ['{"message":"new height"}'],
    bundle: () => Readable.from([Buffer.from('archive')]),
    close: async () => {
      closed += 1
      await closing
    },
  }
  return {
    startNode: () => {
      queueMicrotask(started.resolve)
      return Promise.resolve(node)
    },
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    interrupt: (signal) => {
      for (const listener of listeners) listener(signal)
    },
    started: started.promise,
    closed: () => closed,
    reloads: () => reloads,
    fail: failed.resolve,
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!isTrue()) {
    assert.ok(Date.now() < end, 'waited for too long')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function inHome(scenario: (world: World & { home: string }) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    await createDevnet({ dir: world.folder, ...HOSPITAL })
    await scenario({ ...world, home: join(world.folder, 'hospital-0') })
  })
}

test('the first line says version, network and height; a signal drains and ends with 0', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const ran = run(`--home ${home} start --log-format pretty`, { ...node })
    await node.started
    node.interrupt('SIGTERM')
    const { code, stdout, stderr } = await ran
    assert.equal(code, 0, stderr)
    assert.equal(node.closed(), 1)
    assert.match(
      stdout,
      /^mooring \d+\.\d+\.\d+ {2}moor-[0-9a-f]{8} {2}height 12 {2}hospital-0 {2}authority {2}http/,
    )
  }))

test('with JSON logs the first line is JSON too', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const ran = run(`--home ${home} start --json`, { ...node })
    await node.started
    node.interrupt('SIGINT')
    const line: Record<string, unknown> = JSON.parse((await ran).stdout)
    assert.equal(line['message'], 'node started')
    assert.equal(line['height'], 12)
  }))

test('a node that wants to be started again is, with what its home holds by then', () =>
  inHome(async ({ run, home }) => {
    const first = stand()
    const second = stand()
    let starts = 0
    const startNode: StartNode = (options) => {
      starts += 1
      return (starts === 1 ? first : second).startNode(options)
    }
    const ran = run(`--home ${home} start`, { ...second, startNode })
    await first.started
    first.fail(new NodeRestart('the chain names new keys: consensus'))
    await second.started
    assert.equal(first.closed(), 1)
    second.interrupt('SIGTERM')
    const { code, stderr } = await ran
    assert.equal(code, 0, stderr)
    assert.match(stderr, /starting again: the chain names new keys: consensus/)
    assert.equal(starts, 2)
  }))

test('a second signal ends a stop that does not come to its end', () =>
  inHome(async ({ run, home }) => {
    const node = stand(new Promise(() => undefined))
    const ran = run(`--home ${home} start`, { ...node })
    await node.started
    node.interrupt('SIGTERM')
    node.interrupt('SIGINT')
    assert.equal((await ran).code, 143)
  }))

test('a node that fails by itself is closed and ends with the code of its error', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const ran = run(`--home ${home} start`, { ...node })
    await node.started
    node.fail(storageError('guard_stopped'))
    const { code, stderr } = await ran
    assert.equal(code, 12)
    assert.equal(node.closed(), 1)
    assert.match(stderr, /^error: the vote journal stopped \(MOR-1033\)/)
  }))

test('with --on-fatal hold the reason is asked for, not looked up in a log that restarts', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const ran = run(`--home ${home} start --shutdown-on-fatal hold`, { ...node })
    await node.started
    node.fail(storageError('guard_behind'))
    const socket = join(home, 'run', 'admin.sock')
    await until(() => existsSync(socket))
    const live = await run(`--home ${home} healthcheck`)
    assert.equal(live.code, 0, live.stderr)
    const ready = await run(`--home ${home} healthcheck --ready`)
    assert.equal(ready.code, 1)
    assert.match(ready.stderr, /^The node has stopped and holds since 2026-11-20T09:30/)
    const status = await run(`--home ${home} status`)
    assert.equal(status.code, 12)
    assert.match(status.stderr, /\(MOR-1031\)/)
    node.interrupt('SIGTERM')
    const { code, stderr } = await ran
    assert.equal(code, 12)
    assert.match(stderr, /holding until SIGTERM/)
    assert.equal(existsSync(socket), false)
  }))

test('what a restart cures is not held', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const ran = run(`--home ${home} start --shutdown-on-fatal hold`, { ...node })
    await node.started
    node.fail(new TypeError('x'))
    assert.equal((await ran).code, 1)
  }))

test('a mistake of the program leaves a crash report and says where', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const ran = run(`--home ${home} start`, { ...node })
    await node.started
    node.fail(new TypeError('x is not a function'))
    const { code, stderr } = await ran
    assert.equal(code, 1)
    const path = /^crash report: (.+)$/m.exec(stderr)?.[1] ?? ''
    assert.equal(path, join(home, 'logs', 'crash-2026-11-20T09-30-00-000Z.json'))
    const report: Record<string, unknown> = JSON.parse(readFileSync(path, 'utf8'))
    assert.deepEqual(report['log'], [{ message: 'new height' }])
  }))

test('a signal makes a running node write a bundle; three are kept', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const listeners: (() => void)[] = []
    const onBundle = (listener: () => void) => {
      listeners.push(listener)
      return () => listeners.splice(0)
    }
    mkdirSync(join(home, 'logs'), { recursive: true })
    for (const minute of ['01', '02', '03'])
      writeFileSync(join(home, 'logs', `bundle-2026-11-20T08-${minute}-00-000Z.tar.gz`), 'old')
    const ran = run(`--home ${home} start`, { ...node, onBundle })
    await node.started
    await until(() => listeners.length === 1)
    listeners[0]?.()
    const path = join(home, 'logs', 'bundle-2026-11-20T09-30-00-000Z.tar.gz')
    await until(() => existsSync(path))
    assert.equal(readFileSync(path, 'utf8'), 'archive')
    const kept = readdirSync(join(home, 'logs')).filter((name) => name.startsWith('bundle-'))
    assert.equal(kept.length, 3)
    node.interrupt('SIGTERM')
    const { code, stderr } = await ran
    assert.equal(code, 0)
    assert.match(stderr, /bundle: .*bundle-2026-11-20T09-30/)
    assert.equal(listeners.length, 0)
  }))

test('a locked home names the process that has it', () =>
  inHome(async ({ run, home }) => {
    const user = { pid: 4312, startedAt: Date.UTC(2026, 10, 20, 9, 12), name: 'st-mary' }
    mkdirSync(join(home, 'run'), { recursive: true })
    writeFileSync(join(home, 'run', 'mooring.pid'), JSON.stringify(user))
    const { code, stdout, stderr } = await run(`--home ${home} start`, { startNode: lockedNode })
    assert.equal(code, 10)
    assert.equal(stdout, '')
    assert.match(
      stderr.replaceAll(/\n {2}/g, ' '),
      /in use by mooring pid 4312 \(started 2026-11-20T09:12/,
    )
  }))

test('options come from flags, environment and file, and --check shows where from', () =>
  inHome(async ({ run, home }) => {
    const flags = '--p2p-max-peers 32 --log-level warn'
    const env = { MOORING_SHUTDOWN_TIMEOUT: '3s' }
    const { code, stdout, stderr } = await run(`--home ${home} start --check ${flags}`, { env })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /\np2p\.max_peers +flag --p2p-max-peers\n/)
    assert.match(stdout, /\nlog\.level +flag --log-level\n/)
    assert.match(stdout, /\nshutdown\.timeout +env MOORING_SHUTDOWN_TIMEOUT\n/)
    assert.match(stdout, /\nmempool\.max_count +profile devnet\n/)
    assert.match(stdout, /\nOK\n$/)
  }))

test('every problem of the options is told at once, and nothing is started', () =>
  inHome(async ({ run, home }) => {
    const path = join(home, 'config', 'mooring.toml')
    writeFileSync(path, readFileSync(path, 'utf8').replace('[http]', '[http]\nlistn = 1'))
    const { code, stdout, stderr } = await run(`--home ${home} start --p2p-max-peers none`)
    assert.equal(code, 3)
    assert.equal(stdout, '')
    assert.match(stderr, /^error: 2 problems in /)
    assert.match(stderr, /unknown key "listn"\. Did you mean "listen"\?/)
    assert.match(stderr, /--p2p-max-peers=none +expected an integer 1\.\.1000/)
  }))

test('init makes a home once, and its node is told to wait for a genesis', () =>
  inWorld(async ({ run, folder }) => {
    const home = join(folder, 'st-mary')
    const made = await run(`--home ${home} init --name st-mary --profile test --no-encrypt`)
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stderr, /give its genesis: only then is there a line to send/)
    assert.match(made.stderr, /Move .*governance\.json to offline storage/)
    const again = await run(`--home ${home} init --name st-mary --profile test --no-encrypt`)
    assert.equal(again.code, 7)
    const start = await run(`--home ${home} start`)
    assert.equal(start.code, 3)
    assert.match(start.stderr, /MOR-1016/)
    assert.equal((await run(`--home ${folder}/none start`)).code, 3)
  }))

test('init for a network prints the join line, and it can be printed again', () =>
  inHome(async ({ run, home, folder }) => {
    const genesis = join(home, 'config', 'genesis.json')
    const other = join(folder, 'riverside')
    const address = '/dns4/riverside.example/tcp/7420'
    const made = await run(
      `--home ${other} init --name riverside --profile test --no-encrypt --network ${genesis} --address ${address} --json`,
    )
    assert.equal(made.code, 0, made.stderr)
    const document: Record<string, unknown> = JSON.parse(made.stdout)
    assert.match(String(document['network']), /^moor-/)
    const line = String(document['joinLine'])
    const again = await run(`--home ${other} network info --join-line`)
    assert.equal(again.stdout, `${line}\n`)
    const joining = parseJoinLine(line)
    const { organisation } = joining.admission
    assert.equal(organisation.id, 'riverside')
    assert.deepEqual(organisation.roles, ['observer'])
    assert.deepEqual(peerAddresses(joining), [`${address}/p2p/${String(document['peerId'])}`])
    assert.equal((await run(`--home ${home} network info --join-line`)).code, 6)

    assert.equal((await run(`--home ${other} start --check`)).code, 0)
    const newcomer = await run(`--home ${other} start --check --node-role authority`)
    assert.equal(newcomer.code, 0, newcomer.stderr)
    const founder = '--node-name hospital-0 --node-role authority'
    const impostor = await run(`--home ${other} start --check ${founder}`)
    assert.equal(impostor.code, 3)
    assert.match(impostor.stderr, /MOR-1015/)
  }))

test('a join line that was changed or cut is refused', () =>
  inHome(async ({ run, home, folder }) => {
    const genesis = join(home, 'config', 'genesis.json')
    const other = join(folder, 'riverside')
    const made = await run(
      `--home ${other} init --name riverside --profile test --no-encrypt --network ${genesis} --json`,
    )
    const document: { joinLine: string } = JSON.parse(made.stdout)
    const { joinLine } = document
    assert.ok(parseJoinLine(`  ${joinLine}\n`))
    const middle = Math.floor(joinLine.length / 2)
    const changed = `${joinLine.slice(0, middle)}${joinLine[middle] === 'A' ? 'B' : 'A'}`
    for (const line of ['', 'hello', joinLine.slice(0, -4), changed + joinLine.slice(middle + 1)]) {
      assert.throws(() => parseJoinLine(line), { code: 'join_line_malformed' }, line)
    }
    const foreign = new Uint8Array(32)
    assert.throws(() => checkJoinNetwork(parseJoinLine(joinLine), foreign), {
      code: 'join_line_foreign',
    })
  }))

test('SIGHUP has the node read its configuration again, and changes nothing else', () =>
  inHome(async ({ run, home }) => {
    const node = stand()
    const listeners = new Set<() => void>()
    const onReload = (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
    const ran = run(`--home ${home} start`, { ...node, onReload })
    await node.started
    await until(() => {
      for (const listener of listeners) listener()
      return node.reloads() > 0
    })
    assert.equal(node.closed(), 0)
    node.interrupt('SIGTERM')
    assert.equal((await ran).code, 0)
    assert.equal(listeners.size, 0)
  }))

test.run()
