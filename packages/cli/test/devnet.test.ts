import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { NodeError } from '@mooring/node'
import { test } from 'uvu'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { flagsOf, formatNext } from '../src/devnet/board.ts'
import { makeDevnet, type MakeOptions } from '../src/devnet/make.ts'
import { likelyCause } from '../src/devnet/processes.ts'
import { createOutput } from '../src/output.ts'
import {
  appendAcknowledged,
  readAcknowledged,
  readDevnetState,
  writeDevnetState,
} from '../src/devnet/state.ts'
import { inWorld, serve, type World } from './world.ts'

function options(folder: string, rest: Partial<MakeOptions> = {}): MakeOptions {
  const dir = join(folder, '.devnet', 'default')
  const asked = { nodes: undefined, heartbeatMs: undefined, basePort: 0, isReset: false }
  return { dir, name: 'default', ...asked, say: () => undefined, ...rest }
}

const line = (id: string) => ({ id, node: 'hospital-0', at: '2026-11-20T09:30:00.000Z' })

const cause = (text: string) => likelyCause({ code: 1, signal: null }, [text])

async function refusal(work: Promise<unknown>): Promise<NodeError> {
  const error = await work.catch((reason: unknown) => reason)
  assert.ok(error instanceof NodeError, 'nothing was refused')
  return error
}

const NO_WORLD = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  stdin: ReadableStream.from([]),
  env: {},
  now: () => new Date(0),
  onInterrupt: () => () => undefined,
  startNode: () => assert.fail('nothing is started here'),
}

function inDevnet(scenario: (world: World) => Promise<void>): Promise<void> {
  return inWorld(async (world) => {
    await makeDevnet(options(world.folder, { nodes: 2 }))
    await scenario(world)
  })
}

test('a devnet is made once and used again as it is', () =>
  inWorld(async ({ folder }) => {
    const made = await makeDevnet(options(folder, { nodes: 3, heartbeatMs: 500 }))
    assert.equal(made.nodes.length, 3)
    assert.equal(made.heartbeatMs, 500)
    const again = await makeDevnet(options(folder))
    assert.deepEqual(again, made)
    assert.deepEqual(await readDevnetState(made.dir), made)
    const other = await refusal(makeDevnet(options(folder, { nodes: 4 })))
    assert.equal(other.code, 'devnet_differs')
    const reset = await makeDevnet(options(folder, { nodes: 2, isReset: true }))
    assert.notEqual(reset.networkId, made.networkId)
    assert.equal(reset.nodes.length, 2)
  }))

test('a folder that is no devnet is left alone', () =>
  inWorld(async ({ folder }) => {
    writeFileSync(join(folder, 'thesis.txt'), 'years of work')
    for (const isReset of [false, true]) {
      const error = await refusal(makeDevnet(options(folder, { dir: folder, isReset })))
      assert.equal(error.code, 'file_exists')
    }
    assert.equal(readFileSync(join(folder, 'thesis.txt'), 'utf8'), 'years of work')
  }))

test('a devnet whose ports were taken moves to the next block and says which one was taken', () =>
  inWorld(async ({ folder }) => {
    const made = await makeDevnet(options(folder, { nodes: 1 }))
    const server = createServer()
    const taken = made.basePort + 1
    await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
    try {
      const said: string[] = []
      const moved = await makeDevnet(options(folder, { say: (text) => said.push(text) }))
      assert.equal(moved.networkId, made.networkId)
      assert.notEqual(moved.basePort, made.basePort)
      assert.match(said[0] ?? '', new RegExp(`ports ${taken} of the block at ${made.basePort}`))
      const [node] = moved.nodes
      const config = readFileSync(join(node?.home ?? '', 'config', 'mooring.toml'), 'utf8')
      assert.ok(config.includes(`listen = "127.0.0.1:${moved.basePort + 1}"`))
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  }))

test('the commands of a devnet that is not there, or does not run, say so', () =>
  inDevnet(async ({ run, folder }) => {
    const missing = await run('devnet status --name none')
    assert.equal(missing.code, 6)
    assert.match(missing.stderr, /No devnet "none" was made in/)
    const { code, stdout, stderr } = await run('devnet status')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"default" {2}0 of 2 nodes run/)
    assert.match(stderr, /npx mooring devnet restart 0 1/)
    const document: Record<string, unknown> = JSON.parse((await run('devnet status --json')).stdout)
    assert.ok(Array.isArray(document['nodes']) && document['nodes'].length === 2)
    assert.equal((await run('devnet down')).stdout, 'nothing ran\n')
    assert.equal((await run('devnet kill 7')).code, 6)
    assert.equal((await run('devnet kill seven')).code, 2)
    assert.match((await run('devnet env')).stdout, /^export MOORING_ENDPOINT='http:\/\/127/)
    assert.equal((await run('devnet logs')).stdout, '')
    assert.equal((await run(`devnet status --dir ${folder}/.devnet/default`)).code, 0)
  }))

test('a hospital that left stays on the board, and is started no more', () =>
  inDevnet(async ({ run, folder }) => {
    const state = await readDevnetState(join(folder, '.devnet', 'default'))
    const [, second] = state?.nodes ?? []
    assert.ok(state !== null && second !== undefined)
    second.isRemoved = true
    await writeDevnetState(state)
    const { stdout, stderr } = await run('devnet status')
    assert.match(stdout, /0 of 1 nodes run/)
    assert.match(stdout, /^hospital-1 +removed/m)
    assert.match(stderr, /npx mooring devnet restart 0\n/)
    for (const command of ['devnet restart 1', 'devnet node remove 1']) {
      const refused = await run(command)
      assert.equal(refused.code, 6, command)
      assert.match(refused.stderr, /MOR-2021/)
    }
    assert.match((await run('devnet check')).stdout, /0 votes in 2 journals/)
    const moved = await makeDevnet(options(folder, { nodes: 2 }))
    assert.deepEqual(
      moved.nodes.map(({ isRemoved }) => isRemoved === true),
      [false, true],
    )
  }))

test('a pid that the system has given to another program is not taken for a node', () =>
  inDevnet(async ({ run, folder }) => {
    const state = await readDevnetState(join(folder, '.devnet', 'default'))
    assert.ok(state)
    for (const node of state.nodes) node.pid = process.pid
    await writeDevnetState(state)
    assert.match((await run('devnet status')).stdout, /0 of 2 nodes run/)
    assert.equal((await run('devnet down')).stdout, 'nothing ran\n')
    assert.equal((await run('devnet kill 0')).code, 0)
  }))

test('what was acknowledged is remembered in order, and checked', () =>
  inDevnet(async ({ run, folder }) => {
    const dir = join(folder, '.devnet', 'default')
    assert.deepEqual(await readAcknowledged(dir), [])
    await appendAcknowledged(dir, [line('a')])
    await appendAcknowledged(dir, [line('b'), line('c')])
    assert.deepEqual(
      (await readAcknowledged(dir)).map(({ id }) => id),
      ['a', 'b', 'c'],
    )
    const { stdout, code, stderr } = await run('devnet check')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /0 of 3 records; not asked: hospital-0 does not run/)
    assert.match(stdout, /no contradictory votes +ok +0 votes in 2 journals/)
  }))

test('what a node of a devnet elsewhere acknowledged is remembered beside that devnet', () =>
  inWorld((world) =>
    serve(world, new MemoryNode(), async ({ run, folder, url }) => {
      const dir = join(folder, 'elsewhere')
      const state = await makeDevnet(options(folder, { dir, nodes: 2 }))
      const [first] = state.nodes
      assert.ok(first)
      first.api = url
      await writeDevnetState(state)
      writeFileSync(join(folder, 'one.json'), '{"resourceType":"Basic","code":{"text":"one"}}')
      const env = { MOORING_HOME: first.home }
      const { code, stderr } = await run('record submit one.json --no-wait', { env })
      assert.equal(code, 0, stderr)
      assert.deepEqual(
        (await readAcknowledged(dir)).map(({ node }) => node),
        ['hospital-0'],
      )
    }),
  ))

test('what to type next names the devnet, unless it is the default one of this folder', () =>
  inWorld(async ({ folder }) => {
    const quorum = { authorities: ['hospital-0', 'hospital-1'], quorum: 2 }
    const said = async (name: string, dir: string) => {
      const state = await makeDevnet(options(folder, { dir, name, nodes: 2 }))
      const flags = flagsOf(state, { cwd: folder })
      const output = createOutput(NO_WORLD, {})
      return { flags, next: formatNext(state, quorum, { output, flags }) }
    }
    const usual = await said('default', join(folder, '.devnet', 'default'))
    assert.equal(usual.flags, '')
    assert.doesNotMatch(usual.next, /eval/)
    assert.equal((await said('other', join(folder, '.devnet', 'other'))).flags, ' --name other')
    const dir = join(folder, 'elsewhere')
    const moved = await said('default', dir)
    assert.equal(moved.flags, ` --dir ${dir}`)
    assert.match(moved.next, /devnet env --dir .*\n.*record submit/)
    assert.match(moved.next, /devnet check --dir /)
  }))

test('a node that does not run is not said to be killed', () =>
  inDevnet(async ({ run }) => {
    assert.match((await run('devnet kill 0')).stdout, /^none of them ran; /)
    assert.deepEqual(JSON.parse((await run('devnet kill 0 --json')).stdout).killed, [])
  }))

test('the likely cause is read from how a node ended and what it said last', () => {
  assert.match(cause('Error: listen EADDRINUSE: address already in use'), /ports/)
  assert.match(cause('error: the ledger is in use (MOR-1010)'), /home/)
  assert.match(cause('EACCES: permission denied'), /permissions/)
  assert.match(cause('ENOSPC: no space left on device'), /disk/)
  assert.match(likelyCause({ code: null, signal: 'SIGKILL' }, []), /killed/)
  assert.match(likelyCause(undefined, []), /busy/)
})

test.run()
