import assert from 'node:assert/strict'
import { createServer, createConnection, type Server } from 'node:net'
import { once } from 'node:events'
import { NodeError } from '@mooring/node'
import { test } from 'uvu'
import { rateArgument } from '../src/commands/devnet-load.ts'
import { groupsOf } from '../src/devnet/groups.ts'
import { measurement } from '../src/devnet/loading.ts'
import { describeSides, sidesOf } from '../src/devnet/partition.ts'
import { openSlowPath } from '../src/devnet/slow-path.ts'
import type { DevnetState } from '../src/devnet/state.ts'
import { inWorld } from './world.ts'

const QUORUM = { authorities: [0, 1, 2, 3].map((index) => `hospital-${index}`), quorum: 3 }

test('groups are numbers and names, and who is in none forms one more', () => {
  const state = stateOf(5)
  const names = (words: string[]) =>
    groupsOf(state, words).map((group) => group.map(({ name }) => name))
  assert.deepEqual(names(['0,1|2,3,4']), [
    ['hospital-0', 'hospital-1'],
    ['hospital-2', 'hospital-3', 'hospital-4'],
  ])
  assert.deepEqual(names(['hospital-4', '0, 1']), [
    ['hospital-4'],
    ['hospital-0', 'hospital-1'],
    ['hospital-2', 'hospital-3'],
  ])
  for (const words of [['0,0'], ['0|0,1'], ['x'], ['0,1,2,3,4'], [''], ['9']])
    assert.throws(() => groupsOf(state, words), NodeError, words.join())
})

test('a cut says which side goes on', () => {
  const state = stateOf(4)
  const sides = (words: string[]) => describeSides(sidesOf(groupsOf(state, words), QUORUM))
  assert.equal(sides(['0,1']), 'hospital-0, hospital-1 wait; hospital-2, hospital-3 wait')
  assert.equal(sides(['3']), 'hospital-3 waits; hospital-0, hospital-1, hospital-2 go on')
  const [first] = state.nodes
  if (first !== undefined) first.isPaused = true
  assert.equal(sides(['3']), 'hospital-3 waits; hospital-0, hospital-1, hospital-2 wait')
})

test('what takes a slow path arrives whole, in order, and not before its time', async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const path = await openSlowPath({ port: 0, target: portOf(echo), delayMs: 30, jitterMs: 40 })
  const client = createConnection(portOf(path), '127.0.0.1')
  const sent = Buffer.concat(Array.from({ length: 4_000 }, (_, at) => Buffer.from(`${at} `)))
  const startedAt = performance.now()
  for (let at = 0; at < sent.length; at += 500) client.write(sent.subarray(at, at + 500))
  const pieces: Buffer[] = []
  let length = 0
  let firstMs = 0
  for await (const piece of client) {
    if (length === 0) firstMs = performance.now() - startedAt
    pieces.push(piece)
    length += piece.length
    if (length === sent.length) break
  }
  assert.ok(Buffer.concat(pieces).equals(sent))
  // Both ways are slow: a lower bound, whatever the computer does besides.
  assert.ok(firstMs >= 60, `${firstMs} ms`)
  for (const server of [path, echo]) server.close()
})

test('when one end of a slow path goes, the other hears of it', async () => {
  const gone = Promise.withResolvers<void>()
  const target = createServer((socket) => {
    socket.resume()
    socket.once('close', () => gone.resolve())
  }).listen(0, '127.0.0.1')
  await once(target, 'listening')
  const path = await openSlowPath({ port: 0, target: portOf(target), delayMs: 10, jitterMs: 0 })
  const client = createConnection(portOf(path), '127.0.0.1')
  await once(client, 'connect')
  client.write('x')
  client.destroy()
  await gone.promise
  target.close()
  const refused = createConnection(portOf(path), '127.0.0.1')
  await once(refused, 'close')
  path.close()
})

test('a rate has a unit, and measurements differ', () => {
  assert.equal(rateArgument('5/s'), 5)
  assert.equal(rateArgument('0.5/s'), 0.5)
  for (const text of ['0/s', 'five', '5/min', '2000/s', '-1/s'])
    assert.throws(() => rateArgument(text), /expected a rate/)
  assert.notDeepEqual(measurement(1), measurement(2))
})

test('devnets are made, listed, made anew and thrown away, and nothing of it without a word', () =>
  inWorld(async ({ run }) => {
    assert.equal((await run('devnet ls')).stdout, 'no devnet was made in this folder\n')
    const made = await run('devnet init -n 3 --base-port 0 --json')
    assert.equal(made.code, 0, made.stderr)
    const listed = await run('devnet ls')
    assert.match(listed.stdout, /^default +3 +0 +moor-[0-9a-f]{8} /m)
    for (const line of ['devnet reset', 'devnet rm']) {
      const { code, stderr } = await run(line)
      assert.equal(code, 2)
      assert.match(stderr, /--yes/)
    }
    const anew = await run('devnet reset --yes --json')
    assert.equal(anew.code, 0, anew.stderr)
    assert.notEqual(networkIn(anew.stdout), networkIn(made.stdout))
    assert.equal((await run('devnet rm --yes')).code, 0)
    assert.equal((await run('devnet ls')).stdout, 'no devnet was made in this folder\n')
    assert.equal((await run('devnet rm --yes')).code, 6)
  }))

test('chaos needs a devnet, nodes that it has, and a behaviour that there is', () =>
  inWorld(async ({ run }) => {
    assert.equal((await run('devnet partition 0,1')).code, 6)
    assert.equal((await run('devnet init -n 3 --base-port 0')).code, 0)
    const lines: [line: string, code: number, text: RegExp][] = [
      ['devnet partition 0,1,2', 2, /MOR-1290/],
      ['devnet partition 7', 6, /MOR-1052/],
      ['devnet byzantine 0 sleepy', 2, /equivocate/],
      ['devnet byzantine nobody flood', 2, /MOR-1290/],
      ['devnet latency', 2, /time/],
      ['devnet load --rate none', 2, /rate/],
      ['devnet resume 0', 0, /^$/],
    ]
    for (const [line, code, text] of lines) {
      const ended = await run(line)
      assert.equal(ended.code, code, `${line}: ${ended.stderr}`)
      assert.match(ended.stderr, text, line)
    }
  }))

function networkIn(text: string): string {
  const document: { networkId: string } = JSON.parse(text)
  return document.networkId
}

function portOf(server: Server): number {
  const place = server.address()
  assert.ok(typeof place === 'object' && place !== null)
  return place.port
}

function stateOf(count: number): DevnetState {
  return {
    version: 1,
    name: 'default',
    dir: '/nowhere',
    networkId: 'moor-00000000',
    genesisDigest: '',
    basePort: 7420,
    heartbeatMs: 1_000,
    nodes: Array.from({ length: count }, (_, index) => ({
      index,
      name: `hospital-${index}`,
      home: `/nowhere/${index}`,
      peerId: `peer-${index}`,
      api: `http://127.0.0.1:${7421 + 10 * index}`,
      metrics: `http://127.0.0.1:${7423 + 10 * index}`,
      pid: index + 1,
      startedAt: null,
    })),
  }
}

test.run()
